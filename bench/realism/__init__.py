"""How close a phantom is to a real slice: a comparison beside the package, called by no rule."""
