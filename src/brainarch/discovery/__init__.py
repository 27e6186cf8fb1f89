"""Subdivisions found inside an area, and the spatial nulls that they must beat."""
