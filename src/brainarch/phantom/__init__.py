"""A synthetic thalamocortical volume with known truth."""
