"""Importing annotated slices: label images in, label store, legend and area table out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.areas import AREA_COLUMNS, area_row, check_codes, number_classes, recode
from brainarch.annotations.images import LabelFiles, read_label_image
from brainarch.annotations.legend import Legend, make_legend, read_legend, write_legend
from brainarch.annotations.nonsense import cut_parts
from brainarch.annotations.rims import describe_rims, find_rims
from brainarch.annotations.store import create_labels, open_labels
from brainarch.atomic import replacing
from brainarch.progress import progress
from brainarch.tables import write_table
from brainarch.volume.resample import resample_labels
from brainarch.volume.store import Volume, open_volume

logger = logging.getLogger(__name__)


def import_labels(
    *,
    volume: Path,
    images: Mapping[int, str],
    codes: Mapping[str, Collection[int | str]],
    ignored: Collection[int | str],
    shares: Mapping[str, float],
    first_slice: int | None,
    first_stated: bool,
    axes: str | None,
    hole_um2: float,
    labels: Path,
    legend: Path,
    table: Path,
) -> None:
    """Import label images of some slices of a volume: brain areas, or layers.

    Labels are drawn on the source: where the volume's slices were resampled, so are they, each
    pixel taking the area that covers most of it.

    Parameters
    ----------
    volume : Path
        The volume that the slices belong to.
    images : mapping of int to str
        Label image (TIFF, PNG, NRRD, OME-Zarr) or shapes (GeoJSON) by slice number; a label volume
        stands there once for each of its slices.
    codes : mapping of str to collection of int or str
        Codes of every area in the images, or classes of its shapes, in the order of the areas' own
        codes 1, 2 ...
    ignored : collection of int or str
        Codes or classes that are left out.
    shares : mapping of str to float
        Least share of a patch inside the area, where it is not 1; for the area table.
    first_slice : int or None
        Number of the first slice of a label volume; None where every file holds one slice.
    first_stated : bool
        Whether a user said it; else a label volume must have every slice of the volume.
    axes : str or None
        Order of the axes in the files, such as ``zyx``, the one that runs fastest last.
    hole_um2 : float
        Largest hole of an area that is closed for distances, in square micrometer.
    labels, legend, table : Path
        The label store, the legend and the area table to make; nothing is written unless every
        image is good.

    Raises
    ------
    InputError
        If an image is missing, unreadable, not of the shape of the source's slices, in colour,
        stored with loss, not of whole numbers, empty, has unknown codes, or its slice is outside
        the volume.
    """
    opened = open_volume(volume)
    areas = make_legend(list(codes))
    numbered, left_out, classes = number_classes(codes, ignored)
    check_codes(numbered, left_out)
    for name in shares:
        areas.code_of(name)
    for z in images:
        opened.index_of(z)
    if opened.resampling is not None:
        logger.info(
            "labels are resampled like the volume, from %g to %g um",
            opened.resampling.source_um,
            opened.resampling.pixel_um,
        )
    files = LabelFiles(_source_shape(opened), first_slice, first_stated, axes, classes)
    drawn = {code: name for name, own in numbered.items() for code in own}
    labelled: dict[int, NDArray[np.uint8]] = {}
    rows = []
    for z, path in progress(sorted(images.items()), "importing", unit="slice"):
        image = read_label_image(Path(path), z, files)
        rims = find_rims(image)
        if rims:
            logger.warning(
                "slice %d: %s: were edges smoothed? Draw or export the labels with hard edges",
                z,
                describe_rims(rims, drawn),
            )
        labelled[z] = recode(image, list(numbered.values()), left_out, path)
        if opened.resampling is not None:
            labelled[z] = resample_labels(labelled[z], opened.resampling)
        for area in areas.areas:
            share = shares.get(area.name, 1.0)
            hole_px = int(hole_um2 / opened.pixel_um**2)
            row = area_row(labelled[z], area.code, share, opened.pixel_um, hole_px)
            own = numbered[area.name]
            row["rim_pixels"] = sum(rim.pixels for rim in rims if rim.code in own)
            rows.append({"slice": z, "area": area.name, **row})
            if row["pixels"] == 0:
                logger.warning("slice %d: area %s has no pixel on it", z, area.name)
    _write_store(opened, labelled, areas, hole_um2, labels)
    write_legend(areas, legend)
    write_table(pd.DataFrame(rows, columns=list(AREA_COLUMNS)), table, AREA_COLUMNS)


def cut_nonsense(
    *,
    labels: Path,
    legend: Path,
    area: str,
    parts: Sequence[str],
    slices: Collection[int],
    nonsense: Path,
    nonsense_legend: Path,
) -> None:
    """Cut one area into parts that mean nothing, for a control that can fail.

    Parameters
    ----------
    labels, legend : Path
        Area labels and what their codes mean.
    area : str
        Name of the area.
    parts : sequence of str
        Names of the parts.
    slices : collection of int
        Slices of all splits.
    nonsense, nonsense_legend : Path
        Labels of the parts and their legend, to write.

    Raises
    ------
    InputError
        If a slice is not annotated, or the area too small on it.
    """
    stack, code = open_labels(labels), read_legend(legend).code_of(area)
    cut = cut_parts({z: stack.read_slice(z) == code for z in slices}, area, len(parts))
    names = make_legend(parts)
    with replacing(nonsense) as temporary:
        store = create_labels(
            temporary,
            stack.shape,
            stack.pixel_um,
            list(cut),
            first_slice=stack.first_slice,
            legend=names,
            slice_um=stack.slice_um,
            shift_um=stack.shift_um,
        )
        for z, codes in cut.items():
            store.write_slice(z, codes)
    write_legend(names, nonsense_legend)


def _source_shape(volume: Volume) -> tuple[int, int, int]:
    """Return slices, rows and columns of the files that a volume was made from."""
    resampling = volume.resampling
    if resampling is None:
        return volume.shape
    return volume.shape[0], resampling.rows, resampling.columns


def _write_store(
    volume: Volume,
    labelled: Mapping[int, NDArray[np.uint8]],
    legend: Legend,
    hole_um2: float,
    path: Path,
) -> None:
    with replacing(path) as temporary:
        store = create_labels(
            temporary,
            volume.shape,
            volume.pixel_um,
            list(labelled),
            first_slice=volume.first_slice,
            legend=legend,
            slice_um=volume.slice_um,
            shift_um=volume.shift_um,
            hole_um2=hole_um2,
        )
        for z, labels in labelled.items():
            store.write_slice(z, labels)
