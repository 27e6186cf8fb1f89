"""A first config for somebody's files: what they say of themselves, and what a person decides."""
