"""Object stores (S3 and others that fsspec knows): getting images from them, publishing to them."""
