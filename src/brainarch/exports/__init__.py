"""Maps in the forms that other programs take: GeoJSON for QuPath, OME-Zarr labels for napari."""
