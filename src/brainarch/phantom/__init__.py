"""A synthetic thalamocortical volume with known truth, and how close it is to a real slice."""
