"""The network, trained ones on disk, and the grey values that they read."""
