"""How right the network is: on sampled patches, and on every pixel of a slice."""
