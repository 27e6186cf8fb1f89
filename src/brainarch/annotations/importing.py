"""Importing annotated slices: label images in, label store, legend and area table out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.annotations.areas import AREA_COLUMNS, area_row, check_codes, recode
from brainarch.annotations.images import read_label_image
from brainarch.annotations.legend import Legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.progress import progress
from brainarch.tables import write_table
from brainarch.volume.resample import resample_labels
from brainarch.volume.store import Volume

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelLayout:
    """How label files hold their slices.

    Attributes
    ----------
    first_slice : int or None
        Number of the first slice of a label volume; None where every file holds one slice.
    transpose : bool
        Whether they hold columns x rows.
    """

    first_slice: int | None = None
    transpose: bool = False


@dataclass(frozen=True)
class ImportOutputs:
    """Where an import writes: the label store, the legend and the area table."""

    labels: Path
    legend: Path
    table: Path


def import_annotations(
    volume: Volume,
    images: Mapping[int, Path],
    legend: Legend,
    *,
    codes: Mapping[str, Collection[int]],
    ignored: Collection[int],
    shares: Mapping[str, float],
    outputs: ImportOutputs,
    layout: LabelLayout = LabelLayout(),
) -> None:
    """Import label images of some slices of a volume.

    Parameters
    ----------
    volume : Volume
        The volume that the slices belong to.
    images : mapping of int to Path
        Label image (TIFF, PNG, NRRD, OME-Zarr) by slice number.
    legend : Legend
        The areas.
    codes : mapping of str to collection of int
        Source codes of every area of the legend.
    ignored : collection of int
        Source codes that are left out.
    shares : mapping of str to float
        Least share of a patch inside the area, where it is not 1; for the area table.
    outputs : ImportOutputs
        Where the results go. Nothing is written unless every image is good.
    layout : LabelLayout
        How the files hold their slices.

    Notes
    -----
    Labels are drawn on the source: where the volume's slices were resampled, so are they, each
    pixel taking the area that covers most of it.

    Raises
    ------
    InputError
        If an image is missing, unreadable, not of the shape of the source's slices, in colour, not
        of whole numbers, empty, has unknown codes, or its slice is outside the volume.
    """
    check_codes(codes, ignored)
    for name in shares:
        legend.code_of(name)
    for z in images:
        volume.index_of(z)
    by_code = [codes[name] for name in legend.names]
    labelled: dict[int, NDArray[np.uint8]] = {}
    rows = []
    resampling = volume.resampling
    wanted = volume.shape[1:] if resampling is None else (resampling.rows, resampling.columns)
    before = "" if resampling is None else " before they are resampled"
    if resampling is not None:
        logger.info(
            "labels are resampled like the volume, from %g to %g um",
            resampling.source_um,
            resampling.pixel_um,
        )
    for z, path in progress(sorted(images.items()), "importing", unit="slice"):
        image = read_label_image(path, z, layout.first_slice, transpose=layout.transpose)
        if image.shape != wanted:
            turned = image.shape == wanted[::-1]
            advice = (
                "they look transposed, set annotations.transpose or layers.transpose (--transpose)"
                if turned
                else "use labels drawn on this volume"
            )
            raise InputError(
                f"{path}: labels of slice {z} are {image.shape[0]} x {image.shape[1]} px, but the "
                f"volume's slices are {wanted[0]} x {wanted[1]}{before}; {advice}"
            )
        labels = recode(image, by_code, ignored, str(path))
        if resampling is not None:
            labels = resample_labels(labels, resampling)
        labelled[z] = labels
        for area in legend.areas:
            row = area_row(labels, area.code, shares.get(area.name, 1.0), volume.voxel_um)
            rows.append({"slice": z, "area": area.name, **row})
            if row["pixels"] == 0:
                logger.warning("slice %d: area %s has no pixel on it", z, area.name)
    _write_store(volume, labelled, legend, outputs.labels)
    write_legend(legend, outputs.legend)
    frame = pd.DataFrame(rows, columns=list(AREA_COLUMNS))
    write_table(frame, outputs.table, AREA_COLUMNS)


def _write_store(
    volume: Volume, labelled: Mapping[int, NDArray[np.uint8]], legend: Legend, path: Path
) -> None:
    slices: Sequence[int] = list(labelled)
    with replacing(path) as temporary:
        store = create_labels(
            temporary,
            volume.shape,
            volume.voxel_um,
            slices,
            first_slice=volume.first_slice,
            legend=legend,
            slice_um=volume.slice_um,
            shift_um=volume.shift_um,
        )
        for z, labels in labelled.items():
            store.write_slice(z, labels)
