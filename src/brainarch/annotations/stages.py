"""Importing annotated slices: label images in, label store, legend and area table out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.areas import AREA_COLUMNS, area_row, check_codes, recode
from brainarch.annotations.images import read_label_image
from brainarch.annotations.legend import Legend, make_legend, read_legend, write_legend
from brainarch.annotations.nonsense import cut_parts
from brainarch.annotations.store import create_labels, open_labels
from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.tables import write_table
from brainarch.volume.resample import resample_labels
from brainarch.volume.store import Volume, open_volume

logger = logging.getLogger(__name__)


def import_labels(
    *,
    volume: Path,
    images: Mapping[int, str],
    codes: Mapping[str, Collection[int]],
    ignored: Collection[int],
    shares: Mapping[str, float],
    first_slice: int | None,
    transpose: bool,
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
        Label image (TIFF, PNG, NRRD, OME-Zarr) by slice number; a label volume stands there once
        for each of its slices.
    codes : mapping of str to collection of int
        Codes of every area in the images, in the order of the areas' own codes 1, 2 ...
    ignored : collection of int
        Codes in the images that are left out.
    shares : mapping of str to float
        Least share of a patch inside the area, where it is not 1; for the area table.
    first_slice : int or None
        Number of the first slice of a label volume; None where every file holds one slice.
    transpose : bool
        Whether the files hold columns x rows.
    labels, legend, table : Path
        The label store, the legend and the area table to make; nothing is written unless every
        image is good.

    Raises
    ------
    InputError
        If an image is missing, unreadable, not of the shape of the source's slices, in colour, not
        of whole numbers, empty, has unknown codes, or its slice is outside the volume.
    """
    opened = open_volume(volume)
    areas = make_legend(list(codes))
    check_codes(codes, ignored)
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
    labelled: dict[int, NDArray[np.uint8]] = {}
    rows = []
    for z, path in progress(sorted(images.items()), "importing", unit="slice"):
        image = read_label_image(Path(path), z, first_slice, transpose=transpose)
        _check_shape(image, opened, z, path)
        labelled[z] = recode(image, list(codes.values()), ignored, path)
        if opened.resampling is not None:
            labelled[z] = resample_labels(labelled[z], opened.resampling)
        for area in areas.areas:
            share = shares.get(area.name, 1.0)
            row = area_row(labelled[z], area.code, share, opened.pixel_um)
            rows.append({"slice": z, "area": area.name, **row})
            if row["pixels"] == 0:
                logger.warning("slice %d: area %s has no pixel on it", z, area.name)
    _write_store(opened, labelled, areas, labels)
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


def _check_shape(image: NDArray[np.integer], volume: Volume, z: int, path: str) -> None:
    """Check that labels are as large as the slices of the volume's source."""
    resampling = volume.resampling
    wanted = volume.shape[1:] if resampling is None else (resampling.rows, resampling.columns)
    if image.shape == wanted:
        return
    before = "" if resampling is None else " before they are resampled"
    advice = (
        "they look transposed, set annotations.transpose or layers.transpose"
        if image.shape == wanted[::-1]
        else "use labels drawn on this volume"
    )
    raise InputError(
        f"{path}: labels of slice {z} are {image.shape[0]} x {image.shape[1]} px, but the "
        f"volume's slices are {wanted[0]} x {wanted[1]}{before}; {advice}"
    )


def _write_store(
    volume: Volume, labelled: Mapping[int, NDArray[np.uint8]], legend: Legend, path: Path
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
        )
        for z, labels in labelled.items():
            store.write_slice(z, labels)
