"""The stage that writes a slice's maps for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from brainarch.annotations.legend import make_legend
from brainarch.annotations.store import create_labels
from brainarch.atomic import replacing, write_json
from brainarch.exports.geojson import features
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures import style
from brainarch.grids.grid import Grid
from brainarch.grids.labels import read_codes
from brainarch.grids.maps import SliceMaps
from brainarch.stores.arrays import MADE_BY
from brainarch.stores.metadata import write_attributes
from brainarch.volume.store import open_volume

Legend = Sequence[Mapping[str, str]]


def export_slice(
    *,
    volume: Path,
    prediction: Path,
    coefficients: Path,
    labels: Path | None = None,
    clusters: Path | None = None,
    components: Path | None = None,
    folder: Path,
    areas: Sequence[Mapping[str, Any]],
) -> None:
    """Write areas, subdivisions and factors as GeoJSON, and the maps of codes as OME-Zarr labels.

    Parameters
    ----------
    volume : Path
        The volume, for the size of its slices.
    prediction, coefficients : Path
        Area map and coefficient maps of the slice.
    labels : Path, optional
        Area labels, where the slice has any.
    clusters, components : Path, optional
        Subdivisions of an area.
    folder : Path
        Folder to write: ``predicted``, ``annotated``, ``clusters`` and ``components``, each as
        GeoJSON and as OME-Zarr labels, and ``factors.geojson``: where a factor's coefficient is
        above a threshold of its own (Otsu's, stated with each).
    areas : sequence of mapping
        Name, title and colour (or None) of each area, in the order of their codes.

    Raises
    ------
    InputError
        If a file is missing, damaged or of another volume.
    """
    colours = style.complete_colours({area["name"]: area["colour"] for area in areas})
    legend = [{**area, "colour": colours[area["name"]]} for area in areas]
    predicted = SliceMaps.open(prediction)
    maps: dict[str, tuple[NDArray[np.integer], Grid, Legend]] = {
        "predicted": (predicted.read("area"), predicted, legend)
    }
    if labels is not None:
        maps["annotated"] = (read_codes(labels, predicted), predicted, legend)
    for kind, path in (("clusters", clusters), ("components", components)):
        if path is not None:
            opened = SliceMaps.open(path)
            title = f"{opened.attrs['area']} {kind[:-1]}"
            palette = style.subdivision_palette(int(opened.attrs["subdivisions"]))
            numbers = [
                {"name": f"{kind[:-1]}_{i}", "title": f"{title} {i}", "colour": colour}
                for i, colour in enumerate(palette, start=1)
            ]
            maps[kind] = (opened.read("subdivision"), opened, numbers)
    opened_volume = open_volume(volume)
    shape, slice_um = opened_volume.shape[1:], opened_volume.slice_um
    factors = _factor_features(CoefficientMaps.open(coefficients))
    with replacing(folder) as temporary:
        temporary.mkdir()
        _write(temporary / "factors.geojson", factors)
        for kind, (codes, grid, entries) in maps.items():
            _write(temporary / f"{kind}.geojson", features(codes, grid, entries, {}))
            whole = at_every_pixel(codes, grid, shape)
            _write_labels(temporary / f"{kind}.ome.zarr", whole, grid, slice_um, entries)


def at_every_pixel(
    codes: NDArray[np.integer], grid: Grid, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a map of codes at every pixel of its slice: that of the square that holds it."""
    whole = np.zeros(shape, dtype=np.uint8)
    places = []
    for positions, size in zip((grid.y, grid.x), shape, strict=True):
        index = (np.arange(size) - int(positions[0]) + grid.stride // 2) // grid.stride
        places.append((np.flatnonzero((index >= 0) & (index < len(positions))), index))
    (rows, iy), (columns, ix) = places
    whole[np.ix_(rows, columns)] = codes[np.ix_(iy[rows], ix[columns])]
    return whole


def _factor_features(maps: CoefficientMaps) -> list[dict[str, Any]]:
    otsu: Callable[[NDArray[np.float32]], float] = threshold_otsu
    palette = style.subdivision_palette(maps.factors)
    found = []
    for factor in range(1, maps.factors + 1):
        values = maps.factor_map(factor)
        there = values[maps.extracted]
        if not len(there) or there.min() == there.max():
            continue  # one value has no two classes
        threshold = float(otsu(there))
        with np.errstate(invalid="ignore"):
            codes = (values > threshold).astype(np.uint8)
        entry = {"title": f"Factor {factor}", "colour": palette[factor - 1]}
        found += features(codes, maps, [entry], {"factor": factor, "above": threshold})
    return found


def _write(path: Path, content: list[dict[str, Any]]) -> None:
    write_json(path, {"type": "FeatureCollection", "features": content})


def _write_labels(
    path: Path, whole: NDArray[np.uint8], grid: Grid, slice_um: float, entries: Legend
) -> None:
    """Write one slice as an OME-Zarr label image with the names and colours of the figures."""
    legend = make_legend([entry["name"] for entry in entries])
    shape = (1, whole.shape[0], whole.shape[1])
    image = create_labels(
        path,
        shape,
        grid.pixel_um,
        [grid.z],
        slice_um=slice_um,
        first_slice=grid.z,
        legend=legend,
        extra={MADE_BY: "`brainarch export`"},
    )
    image.write_slice(grid.z, whole)
    codes = list(enumerate(entries, start=1))
    ome: dict[str, Any] = dict(zarr.open_group(path, mode="r").attrs["ome"])  # type: ignore[arg-type]
    ome["image-label"] = {
        "colors": [
            {"label-value": code, "rgba": [*bytes.fromhex(entry["colour"][1:]), 255]}
            for code, entry in codes
        ],
        "properties": [{"label-value": code, "name": entry["title"]} for code, entry in codes],
    }
    write_attributes(path, {"ome": ome})
