"""Statistics that several stages share: metrics, block bootstrap, packing of patches."""
