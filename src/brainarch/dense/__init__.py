"""Exact dense extraction: the representation of every wanted pixel of a slice.

A room of its own, usable as a library. ``schedule`` derives window and fragments from any trunk of
unpadded convolutions; ``engine`` computes a tile, ``spectral`` its large convolution, ``windows``
a tile of any other network; ``plan`` and ``costs`` choose tiles; ``extract`` fills a ``cube``, with
``wanted``, ``tiles``, ``workers`` and ``partial``; ``prove`` recomputes windows one by one;
``stages`` does all that from files to files.
"""
