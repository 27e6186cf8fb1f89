"""Learned maps of brain microarchitecture."""

__version__ = "0.1.0"
