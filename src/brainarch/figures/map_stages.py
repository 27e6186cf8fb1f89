"""The stage that draws what a network says of a slice, annotated or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainarch.errors import InputError
from brainarch.figures import slice_maps
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import pixel_box
from brainarch.figures.save import save_figure
from brainarch.figures.sources import code_picture, grey_picture, value_picture
from brainarch.grids.maps import SliceMaps
from brainarch.volume.store import open_volume


def draw_maps(
    *,
    volume: Path,
    prediction: Path,
    z: int,
    areas: Sequence[Mapping[str, Any]],
    annotated: bool,
    png: Path,
    pdf: Path,
    table: Path,
) -> None:
    """Draw the areas that the network names on a slice, how sure it is, and what it never met.

    Parameters
    ----------
    volume, prediction : Path
        The volume, and the slice's area map (Zarr).
    z : int
        Number of the slice.
    areas : sequence of mapping
        Name, title and colour of each area, in the order of their codes.
    annotated : bool
        Whether the slice has labels; the picture says so.
    png, pdf, table : Path
        Picture, and the numbers that it shows, to write.

    Raises
    ------
    InputError
        If a file is missing or wrong, or is of other areas or another slice.
    """
    shown_areas, maps = Areas.of(areas), SliceMaps.open(prediction)
    if tuple(maps.attrs["areas"]) != shown_areas.names or maps.z != z:
        raise InputError(
            f"{prediction}: made of other areas or another slice than the config's; run "
            "`brainarch predict` again"
        )
    if "novelty_threshold" not in maps.attrs:
        raise InputError(f"{prediction}: holds no novelty; run `brainarch predict` again")
    codes = maps.read("area")
    if maps.attrs.get("outside"):
        codes = np.where(maps.read("outside") > 0.5, len(shown_areas.names) + 1, codes)
    numbers = slice_maps.prepare(
        shown_areas,
        codes,
        maps.read("confidence"),
        maps.read("novelty"),
        float(maps.attrs["novelty_threshold"]),
    )
    predicted = code_picture(maps, "area", codes)
    differing = maps.attrs.get("warnings")
    judged = "" if annotated else ", not annotated: nothing to judge it by"
    unlike = f"\nunlike the training data: {'; '.join(differing)}" if differing else ""
    figure = slice_maps.draw(
        numbers,
        shown_areas,
        grey=grey_picture(open_volume(volume), z, pixel_box(predicted)),
        predicted=predicted,
        confidence=value_picture(maps, "confidence"),
        novelty=value_picture(maps, "novelty"),
        title=f"Slice z = {z}{judged}{unlike}",
    )
    save_figure(figure, numbers, png, pdf, table, slice_maps.DPI)
