"""Annotations: importing label slices, the legend, the area table."""
