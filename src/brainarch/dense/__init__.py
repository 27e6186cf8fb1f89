"""Exact dense extraction: the representation of every wanted pixel of a slice."""
