"""Representations of sampled patches, by the trained network and by others to compare it with."""
