"""Training the network on sampled patches."""
