"""Before a run: what is found, what it will need, what is at hand."""
