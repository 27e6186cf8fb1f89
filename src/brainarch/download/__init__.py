"""What lies elsewhere: slices from BossDB as TIFF files, an OME-Zarr image from an object store."""
