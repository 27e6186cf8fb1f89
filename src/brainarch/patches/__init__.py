"""Patches: which pixels each split samples, and the tables that say so."""
