"""The page in which a slice answers back: one HTML file, no server, no request to any host."""
