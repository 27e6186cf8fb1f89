"""Exact dense extraction: the representation of every wanted pixel of a slice.

A room of its own, usable as a library. ``schedule`` derives window and fragments from any trunk of
unpadded convolutions; ``engine`` computes a tile (``dense_tile`` in one call), ``spectral`` its
large convolution; ``plan`` and ``costs`` choose tiles; ``extract`` fills a ``cube``, with
``wanted``, ``tiles`` and ``partial``; ``prove`` recomputes windows one by one; ``predict`` maps
areas.
"""
