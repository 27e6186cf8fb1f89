"""Classical measures of a slice's microstructure, and what factors are by them."""
