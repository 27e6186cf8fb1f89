"""Zarr stores whose every byte is checked as it is read: the one way to make and open them."""
