"""The stage that says what factors follow, and what areas, layers and components are like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.grids.labels import read_codes
from brainarch.grids.maps import SliceMaps
from brainarch.microstructure.meaning import (
    block_means,
    correlate,
    describe,
    greatest_part,
)
from brainarch.microstructure.measures import MEASURES, measure_patches
from brainarch.microstructure.parquet import write_parquet
from brainarch.microstructure.planted import PLANTED, planted_shares
from brainarch.microstructure.sampling import sampled_pixels
from brainarch.microstructure.typical import TYPICAL_COLUMNS, nearest, strongest
from brainarch.tables import write_table
from brainarch.volume.store import open_volume

MEANING_COLUMNS = {
    "slice": "slice",
    "factor": "factor, from 1",
    "measure": "classical measure of the patch: "
    + "; ".join(f"{k}: {v}" for k, v in MEASURES.items())
    + "; depth: relative depth in the divided area; of a phantom also "
    + ", ".join(PLANTED)
    + ": share of the patch in that mask",
    "rho": "Spearman's correlation of coefficient and measure; empty where one does not vary",
    "low": "lower end of the 95 % interval from a spatial block bootstrap; empty with few blocks",
    "high": "upper end of the 95 % interval",
    "null_99": "99th percentile of the absolute correlation with fields as autocorrelated as the "
    "measure, which know nothing of the factor",
    "p": "(1 + fields that correlate at least as strongly) / (1 + fields)",
    "pixels": "pixels that were looked at",
    "description": "the factor in words: measures it follows, the strongest first, and where its "
    "mean is greatest",
}
ATLAS_COLUMNS = {
    "slice": "slice",
    "kind": "area, layer, component or cluster",
    "name": "name of the area or layer, or number of the component or cluster",
    "um2": "extracted square micrometres of it",
    "quantity": "classical measure, or a factor's coefficient",
    "mean": "mean over the pixels that were looked at; empty without any",
    "low": "lower end of the 95 % interval from a spatial block bootstrap; empty with few blocks",
    "high": "upper end of the 95 % interval",
    "pixels": "pixels that were looked at",
}
#: Types of the columns that are no text.
ATLAS_NUMBERS = dict.fromkeys(("slice", "pixels"), "int64") | dict.fromkeys(
    ("um2", "mean", "low", "high"), "float64"
)


def explain_factors(
    *,
    volume: Path,
    coefficients: Path,
    labels: Path | None = None,
    legend: Path | None = None,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    components: Path | None = None,
    clusters: Path | None = None,
    depth: Path | None = None,
    truth: Path | None = None,
    meaning: Path,
    atlas: Path,
    atlas_parquet: Path,
    typical: Path,
    nulls: int,
    resamples: int,
    seed: int,
) -> None:
    """Compare the factors of a slice with classical measures, and tabulate its parts.

    Parameters
    ----------
    volume, coefficients : Path
        The volume, and coefficient maps of one of its slices.
    labels, legend, layers, layers_legend : Path, optional
        Labels of areas and of layers with their legends, where the slice has them.
    components, clusters, depth : Path, optional
        Maps of the components and clusters of an area, and of its depth.
    truth : Path, optional
        Folder of what was planted in a phantom.
    meaning, atlas, typical : Path
        Tables to write: every factor with every measure; means of every area, layer, component and
        cluster; the most typical patches of factors, components and clusters.
    atlas_parquet : Path
        The atlas once more, as Parquet.
    nulls : int
        Fields that each measure is replaced by.
    resamples, seed : int
        Of the block bootstrap; the seed also of the fields.

    Raises
    ------
    InputError
        If the files do not belong together, or no pixel that is looked at is extracted.
    """
    maps = CoefficientMaps.open(coefficients)
    sample = sampled_pixels(maps)
    step, y, x, seen, C = sample.step, sample.grid_y, sample.grid_x, sample.seen, sample.C
    places = sample.y, sample.x
    image = open_volume(volume).read_slice(maps.z)
    if int(y[-1]) >= image.shape[0] or int(x[-1]) >= image.shape[1]:
        raise InputError(
            f"{coefficients}: reaches beyond the {image.shape[0]} x {image.shape[1]} pixels of "
            f"{volume}; both must belong to one volume"
        )
    measured = measure_patches(image, maps.pixel_um, y, x)
    if depth is not None:
        measured["depth"] = SliceMaps.open(depth).sample("depth", y, x, float("nan"))
    if truth is not None:
        measured |= planted_shares(truth, maps.z, image.shape, y, x)
    measures = {name: values[seen].astype(np.float64) for name, values in measured.items()}
    bootstrap = {"resamples": resamples, "seed": seed}
    parts = list(_parts(maps, (("area", labels, legend), ("layer", layers, layers_legend))))
    patches = [strongest(C, *places, image.shape)]
    for kind, path in (("component", components), ("cluster", clusters)):
        if path is not None:
            found, count = _subdivisions(maps, path)
            parts += [(kind, str(code), found == code) for code in range(1, count + 1)]
            codes = found[::step, ::step][seen]
            patches.append(nearest(kind, codes, C, *places, image.shape))
    values = np.column_stack([*measures.values(), C])
    names = [*measures, *(f"factor {factor}" for factor in range(1, maps.factors + 1))]
    frames = []
    for kind, name, pixels in parts:
        own = pixels[::step, ::step][seen]
        if own.any():
            frame = block_means(values[own], sample.blocks[own], **bootstrap)
        else:
            frame = pd.DataFrame(np.nan, index=range(len(names)), columns=["mean", "low", "high"])
        um2 = float((pixels & maps.extracted).sum()) * (maps.stride * maps.pixel_um) ** 2
        about: dict[str, Any] = {
            "slice": maps.z,
            "kind": kind,
            "name": name,
            "um2": um2,
            "pixels": int(own.sum()),
        }
        frames.append(frame.assign(quantity=names, **about))
    nothing = pd.DataFrame(columns=list(ATLAS_COLUMNS))
    whole = pd.concat(frames, ignore_index=True) if frames else nothing
    tabulated = whole[list(ATLAS_COLUMNS)].astype(ATLAS_NUMBERS)
    write_table(tabulated, atlas, ATLAS_COLUMNS)
    write_parquet(tabulated, atlas_parquet, ATLAS_COLUMNS)
    follows = correlate(C, measures, sample.blocks, seen, nulls=nulls, **bootstrap)
    texts = {
        factor: describe(own) + greatest_part(whole, f"factor {factor}")
        for factor, own in follows.groupby("factor")
    }
    follows = follows.assign(slice=maps.z, description=follows["factor"].map(texts))
    write_table(follows[list(MEANING_COLUMNS)], meaning, MEANING_COLUMNS)
    gallery = pd.concat(patches, ignore_index=True).assign(slice=maps.z)
    write_table(gallery[list(TYPICAL_COLUMNS)], typical, TYPICAL_COLUMNS)


def _parts(maps: CoefficientMaps, images: Any) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield the kind, the name and the pixels, on the maps' grid, of every area and layer."""
    for kind, labels, legend in images:
        if labels is not None and legend is not None:
            codes = read_codes(labels, maps)
            for code, name in enumerate(read_legend(legend).names, start=1):
                yield kind, name, codes == code


def _subdivisions(maps: CoefficientMaps, path: Path) -> tuple[NDArray[Any], int]:
    """Return the subdivision of every pixel of the maps' grid, and how many there are."""
    opened = SliceMaps.open(path)
    return opened.sample("subdivision", maps.y, maps.x, 0), int(opened.attrs["subdivisions"])
