"""Settings of every test."""

from hypothesis import settings

# the same examples everywhere: a change breaks a test, not the luck of a draw
settings.register_profile("same_examples", derandomize=True, deadline=None)
settings.load_profile("same_examples")
