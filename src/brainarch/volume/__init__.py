"""The volume: reading TIFF stacks, converting them to OME-Zarr, opening the result."""
