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
from brainarch.microstructure.meaning import block_means, correlate, describe
from brainarch.microstructure.measures import MEASURES, measure_patches
from brainarch.statistics.blocks import spatial_blocks
from brainarch.tables import write_table
from brainarch.volume.store import open_volume

#: Distance of the pixels that are looked at, and side of the blocks, in pixels of the slice (ours).
STEP_PX, BLOCK_PX = 16, 256

MEANING_COLUMNS = {
    "slice": "slice",
    "factor": "factor, from 1",
    "measure": "classical measure of the patch: "
    + "; ".join(f"{k}: {v}" for k, v in MEASURES.items()),
    "rho": "Spearman's correlation of coefficient and measure; empty where one does not vary",
    "low": "lower end of the 95 % interval from a spatial block bootstrap; empty with few blocks",
    "high": "upper end of the 95 % interval",
    "pixels": "pixels that were looked at",
    "description": "the factor in words: measures it follows, the strongest first",
}
ATLAS_COLUMNS = {
    "slice": "slice",
    "kind": "area, layer or component",
    "name": "name of the area or layer, or number of the component",
    "um2": "extracted square micrometres of it",
    "quantity": "classical measure, or a factor's coefficient",
    "mean": "mean over the pixels that were looked at; empty without any",
    "low": "lower end of the 95 % interval from a spatial block bootstrap; empty with few blocks",
    "high": "upper end of the 95 % interval",
    "pixels": "pixels that were looked at",
}


def explain_factors(
    *,
    volume: Path,
    coefficients: Path,
    labels: Path | None = None,
    legend: Path | None = None,
    layers: Path | None = None,
    layers_legend: Path | None = None,
    components: Path | None = None,
    meaning: Path,
    atlas: Path,
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
    components : Path, optional
        Map of the components of an area.
    meaning, atlas : Path
        Tables to write: every factor with every measure; means of every area, layer and component.
    resamples, seed : int
        Of the block bootstrap.

    Raises
    ------
    InputError
        If the files do not belong together, or no pixel that is looked at is extracted.
    """
    maps = CoefficientMaps.open(coefficients)
    step = max(1, round(STEP_PX / maps.stride))
    y, x = maps.y[::step], maps.x[::step]
    seen = maps.extracted[::step, ::step]
    if not seen.any():
        raise InputError(
            f"{coefficients}: no pixel of every {STEP_PX}th row and column is extracted; extract "
            "more rows"
        )
    image = open_volume(volume).read_slice(maps.z)
    if int(y[-1]) >= image.shape[0] or int(x[-1]) >= image.shape[1]:
        raise InputError(
            f"{coefficients}: reaches beyond the {image.shape[0]} x {image.shape[1]} pixels of "
            f"{volume}; both must belong to one volume"
        )
    measures = {k: v[seen] for k, v in measure_patches(image, maps.pixel_um, y, x).items()}
    rows = [maps.factor_map(factor + 1, step)[seen] for factor in range(maps.factors)]
    C = np.stack(rows, axis=1).astype(np.float64)
    iy, ix = np.nonzero(seen)
    blocks = spatial_blocks(maps.z, y[iy], x[ix], BLOCK_PX)
    bootstrap = {"resamples": resamples, "seed": seed}
    found = correlate(C, measures, blocks, **bootstrap)
    texts = {factor: describe(own) for factor, own in found.groupby("factor")}
    found = found.assign(slice=maps.z, description=found["factor"].map(texts))
    names = [*measures, *(f"factor {factor}" for factor in range(1, maps.factors + 1))]
    values = np.column_stack([*measures.values(), C])
    frames = []
    images = (("area", labels, legend), ("layer", layers, layers_legend))
    for kind, name, codes in _parts(maps, images, components):
        own = codes[::step, ::step][seen]
        if own.any():
            frame = block_means(values[own], blocks[own], **bootstrap)
        else:
            frame = pd.DataFrame(np.nan, index=range(len(names)), columns=["mean", "low", "high"])
        um2 = float((codes & maps.extracted).sum()) * (maps.stride * maps.pixel_um) ** 2
        about: dict[str, Any] = {
            "slice": maps.z,
            "kind": kind,
            "name": name,
            "um2": um2,
            "pixels": int(own.sum()),
        }
        frames.append(frame.assign(quantity=names, **about))
    write_table(found[list(MEANING_COLUMNS)], meaning, MEANING_COLUMNS)
    whole = (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*ATLAS_COLUMNS])
    )
    write_table(whole[list(ATLAS_COLUMNS)], atlas, ATLAS_COLUMNS)


def _parts(
    maps: CoefficientMaps, images: Any, components: Path | None
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield the kind, the name and the pixels, on the maps' grid, of every part of the slice."""
    for kind, labels, legend in images:
        if labels is not None and legend is not None:
            codes = read_codes(labels, maps)
            for code, name in enumerate(read_legend(legend).names, start=1):
                yield kind, name, codes == code
    if components is not None:
        opened = SliceMaps.open(components)
        found = opened.sample("subdivision", maps.y, maps.x, 0)
        for code in range(1, int(opened.attrs["subdivisions"]) + 1):
            yield "component", str(code), found == code
