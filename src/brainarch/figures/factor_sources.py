"""What the figure of factors (M2) reads: how they relate to areas and layers, and components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from brainarch.annotations.store import open_labels
from brainarch.errors import InputError
from brainarch.factors.coefficients import CoefficientMaps
from brainarch.figures import factors, rasters, sources
from brainarch.figures.panels import Areas
from brainarch.grids.maps import SliceMaps
from brainarch.volume.store import Volume

#: Pixels of the slice shown round an area.
MARGIN_PX = 24


def area_view(codes: rasters.Raster, volume: Volume) -> sources.PixelBox:
    """Return the part of a slice to show round what a picture covers."""
    return sources.widened(rasters.pixel_box(codes), volume.shape[1:], MARGIN_PX)


def share_shown(found: SliceMaps) -> str:
    """Return which share of the area a map of subdivisions covers, as an addition to a title."""
    return f" ({found.attrs['area_share']:.0%} of the area)"


def read_profiles(path: Path) -> pd.DataFrame:
    """Read where the subdivisions of an area lie."""
    needed = ("slice", "subdivision", "by", "name", "low", "high", "share", "share_of_bin")
    return sources.read_columns(path, *needed)


def read_agreement(path: Path) -> pd.DataFrame:
    """Read how far the subdivisions of an area agree with layers."""
    needed = ("slice", "statistic", "null", "value", "median", "null_99", "above")
    return sources.read_columns(path, *needed)


def read_target(
    word: str,
    legend: Areas,
    *,
    volume: Volume,
    maps: CoefficientMaps,
    labels: Path,
    selection: Path,
    alignment: Path | None,
    chosen: Path | None,
) -> factors.Target:
    """Read how factors relate to areas or layers.

    Parameters
    ----------
    word : str
        Area or layer.
    legend : Areas
    volume : Volume
    maps : CoefficientMaps
        Of the fitted slice.
    labels : Path
        The areas or layers of that slice; of layers only the part that has any is shown.
    selection : Path
        Table of selected factors.
    alignment, chosen : Path or None
        AUROC of all factors, and what became of the selected ones on slices that were not fitted,
        of which the first is shown.
    """
    pairs = read_selected(selection, word).rename(columns={word: "name"})
    z, found = held_out(chosen, word)
    pairs = factors.judged(pairs, found)
    box = sources.extracted_box(maps)
    if word == "layer":
        box = _layer_box(labels, maps.z, box)
    pictures = sources.factor_pictures(maps, [int(factor) for factor in pairs["factor"]], box)
    painted, tops = factors.paint_factors(pictures, pairs, legend)
    overlay = factors.Overlay(
        grey=sources.grey_picture(volume, maps.z, box),
        painted=painted,
        tops=tops,
        codes=sources.label_picture(open_labels(labels), maps.z, box),
        title=f"Factors of {word}s, "
        + (sources.shown_part(maps) if word == "area" else f"slice z = {maps.z}")
        + ("" if found is None else f"; AUROC on {z}"),
    )
    target = factors.Target(word, legend, pairs, overlay)
    if alignment is None or found is None:
        return target
    needed = ("slice", "factor", "target", "name", "auroc", "null_99")
    frame = sources.read_columns(alignment, *needed)
    shown = frame[(frame["target"] == word) & (frame["slice"] == z)]
    return replace(target, alignment=shown, slice_title=f"slice z = {z}, not used for the fit")


def read_selected(path: Path, word: str) -> pd.DataFrame:
    """Read the selected pairs that are shown; ``word`` is area or layer."""
    needed = ("shown", "rank", "factor", word, "covered_share", "leaked_share")
    frame = sources.read_columns(path, *needed)
    return frame[frame["shown"].astype(bool)]


def held_out(path: Path | None, word: str) -> tuple[int, pd.DataFrame | None]:
    """Read what became of the selected pairs on the first slice that was not fitted.

    Returns
    -------
    int, pandas.DataFrame or None
        The slice, and columns slice, target, name, factor, auroc, contradicted; None without any.
    """
    if path is None:
        return 0, None
    needed = ("slice", "target", "name", "factor", "auroc", "contradicted")
    frame = sources.read_columns(path, *needed)
    frame = frame[frame["target"] == word]
    if frame.empty:
        return 0, None
    z = int(frame["slice"].iloc[0])
    return z, frame[frame["slice"] == z]


def read_discovery(
    areas: Areas,
    *,
    volume: Volume,
    maps: Sequence[Path],
    profiles: Sequence[Path],
    agreements: Sequence[Path],
    matches: Path | None,
    layers: Path | None,
) -> factors.Discovery:
    """Read the components of an area on one slice or two, the fitted one first.

    Parameters
    ----------
    areas : Areas
    volume : Volume
    maps, profiles : sequence of Path
        Component maps and where their components lie, by slice.
    agreements : sequence of Path
        How far they agree with layers, of the slices that have any.
    matches : Path or None
        Matches of the components of two slices.
    layers : Path or None
        Layer labels, for their outlines.
    """
    shown = [_component_map(path, volume, areas, layers) for path in maps]
    frames = [read_profiles(path) for path in profiles]
    pairs = None
    if matches is not None:
        pairs = sources.read_columns(matches, "component", "matched", "distance")
        other = shown[1]
        shown[1] = replace(
            other,
            codes=factors.rename_matched(other.codes, pairs),
            title=f"Slice z = {other.z}, matched components",
        )
        frames[1] = factors.rename_profiles(frames[1], pairs)
    agreement = [read_agreement(path) for path in agreements]
    return factors.Discovery(
        maps=shown,
        profiles=pd.concat(frames, ignore_index=True),
        matches=pairs,
        agreement=pd.concat(agreement) if agreement else None,
    )


def _component_map(
    path: Path, volume: Volume, areas: Areas, layers: Path | None
) -> factors.ComponentMap:
    found = SliceMaps.open(path)
    codes = sources.code_picture(found, "subdivision")
    box = area_view(codes, volume)
    layer_codes = None
    if layers is not None:
        image = open_labels(layers)
        if found.z in image.annotated_slices:
            layer_codes = sources.label_picture(image, found.z, box)
    return factors.ComponentMap(
        grey=sources.grey_picture(volume, found.z, box),
        codes=codes,
        layers=layer_codes,
        z=found.z,
        title=f"Components of {areas.titles[found.attrs['area']]}, slice z = {found.z}"
        f"{share_shown(found)}",
    )


def _layer_box(layers: Path, z: int, within: sources.PixelBox) -> sources.PixelBox:
    """Return where a slice has layers, within the extracted part."""
    top, bottom, left, right = within
    part = open_labels(layers).read_slice(z)[top:bottom, left:right] > 0
    if not part.any():
        raise InputError(f"{layers}: slice {z} has no layer where it was extracted")
    box = rasters.filled_box(part)
    return top + box[0], top + box[1], left + box[2], left + box[3]
