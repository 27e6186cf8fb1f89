"""Subdivisions found inside an area: depth, clusters, components, their profiles and agreement."""
