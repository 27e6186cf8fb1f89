"""Whether what lies on disk still is what was written, and belongs to a config."""
