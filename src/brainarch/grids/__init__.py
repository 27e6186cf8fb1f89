"""Arrays over a grid of pixels of one slice, on disk: the one way to make, open and check them."""
