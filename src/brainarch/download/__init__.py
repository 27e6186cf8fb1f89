"""Published volumes and labels: fetching slices from BossDB into a local cache of TIFF files."""
