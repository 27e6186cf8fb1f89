"""The typed config and what is made from it."""
