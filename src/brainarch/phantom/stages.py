"""Writing a phantom: the TIFF stack, the annotations and the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.allocation import keep_freed_memory
from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.phantom import anatomy, imaging, layout, tissues
from brainarch.phantom.compiled import use_threads
from brainarch.phantom.model import PhantomBlock, PhantomSpec, render_blocks
from brainarch.progress import progress_bar
from brainarch.records import write_record

#: Voxels rendered at a time, which bounds memory at about 1.5 GB.
SLAB_VOXELS = 80_000_000


def make_phantom(
    *,
    shape: Sequence[int],
    voxel_um: float,
    seed: int,
    stack: Path,
    areas: Mapping[int, Path],
    layers: Mapping[int, Path],
    truth: Path,
    description: Path,
    threads: int = 1,
) -> None:
    """Write the synthetic volume as the TIFF stack and label images that a user would have.

    Parameters
    ----------
    shape : sequence of int
        Slices, rows and columns.
    voxel_um : float
        Side of the cubic voxel in micrometer.
    seed : int
        Same seed, same volume.
    stack : Path
        Folder of uncompressed 8-bit slices ``z0000.tif`` and so on; an older one is replaced.
    areas, layers : mapping of int to Path
        Label images of the annotated slices, 0 where nothing is annotated.
    truth : Path
        Folder of what was planted on the annotated slices: areas with TRN, barrels, microstructure.
    description : Path
        What is planted and where the numbers come from (JSON).
    threads : int
        The volume does not depend on it.

    Raises
    ------
    InputError
        If a slice is annotated that the volume does not have, or none is.
    """
    use_threads(threads)
    keep_freed_memory()
    slices, rows, columns = shape
    annotated = sorted(areas)
    outside = [z for z in annotated if not 0 <= z < slices]
    if outside or not annotated:
        raise InputError(
            f"annotated slices {annotated}: {outside or 'none'} given; choose slices between 0 and "
            f"{slices - 1}"
        )
    spec = PhantomSpec((slices, rows, columns), voxel_um, seed)
    with (
        replacing(stack) as stack_folder,
        replacing(truth) as truth_folder,
        progress_bar(slices * rows * columns, "phantom", "voxel") as bar,
    ):
        stack_folder.mkdir()
        truth_folder.mkdir()
        for block in render_blocks(spec, slab_depth(spec.shape)):
            for i, image in enumerate(block.grey):
                z = block.z_start + i
                path = stack_folder / slice_name(z)
                tifffile.imwrite(path, image, photometric="minisblack", compression=None)
                if z in areas:
                    _write_truth(truth_folder, block, z)
                    _write_labels(areas[z], _annotated_areas(block.areas[i]))
                    _write_labels(layers[z], block.layers[i])
            bar.update(block.grey.size)
    write_record(description, describe(spec, annotated))


def slice_name(z: int) -> str:
    """Return the file name of a slice, ``z0004.tif``."""
    return f"z{z:04d}.tif"


def slab_depth(shape: tuple[int, int, int]) -> int:
    """Return how many slices are rendered at a time."""
    fitting = SLAB_VOXELS // (shape[1] * shape[2]) - 2 * imaging.RADIUS_Z
    return int(min(max(fitting, 4), 64, shape[0]))


def describe(spec: PhantomSpec, annotated: Sequence[int]) -> dict[str, Any]:
    """Return what is planted and where the numbers come from, for ``phantom.json``."""
    scale = layout.layer_scale(spec.shape, spec.voxel_um)
    return {
        "what": "synthetic thalamocortical volume; not data",
        "shape_zyx": list(spec.shape),
        "voxel_um": spec.voxel_um,
        "seed": spec.seed,
        "dtype": "uint8",
        "annotated_slices": list(annotated),
        "areas": {name: anatomy.AREA_CODES[name] for name in anatomy.ANNOTATED_AREAS},
        "areas_in_truth": dict(anatomy.AREA_CODES),
        "layers": dict(anatomy.LAYER_CODES),
        "barrels": dict(anatomy.BARREL_CODES),
        "microstructure": dict(anatomy.MICROSTRUCTURE_CODES),
        "layer_thickness_um": dict(anatomy.LAYER_THICKNESS_UM),
        "layer_scale": round(scale, 4),
        "layer_scale_note": (
            "1: layers have the cited thickness; less: the volume is too short along x, so layers "
            "and barrels are thinner by this factor"
        ),
        "layer_relative_cell_density": dict(anatomy.LAYER_RELATIVE_DENSITY),
        "barrel_spacing_um": anatomy.BARREL_SPACING_UM,
        "barrel_wall_half_width_um": anatomy.BARREL_WALL_UM,
        "barrel_wall_to_hollow_density": anatomy.BARREL_WALL_TO_HOLLOW,
        "imaging": {
            "blur_px_xyz": list(imaging.BLUR_PX),
            "reconstruction_noise_std": imaging.RECONSTRUCTION_NOISE,
            "ring_std": imaging.RINGS,
            "band_std": imaging.BANDS,
            "dead_column_x": imaging.dead_column(spec.shape, spec.voxel_um),
        },
        "tissue": {
            name: {"texture": asdict(texture), "cells": asdict(cells), "vessels": asdict(vessels)}
            for name, texture, cells, vessels in zip(
                anatomy.CLASSES, tissues.TEXTURES, tissues.CELLS, tissues.VESSELS, strict=True
            )
        },
        "sources": dict(anatomy.SOURCES),
    }


def _annotated_areas(areas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return areas as they are annotated: without TRN."""
    return np.where(areas == anatomy.AREA_CODES["TRN"], np.uint8(0), areas)


def _write_truth(folder: Path, block: PhantomBlock, z: int) -> None:
    for kind in ("areas", "barrels", "microstructure"):
        image = getattr(block, kind)[z - block.z_start]
        _write_labels(folder / anatomy.truth_name(kind, z), image)


def _write_labels(path: Path, image: NDArray[np.uint8]) -> None:
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, image, photometric="minisblack", compression="zlib")
