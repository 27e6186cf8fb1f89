"""The network's accuracy on sampled patches."""
