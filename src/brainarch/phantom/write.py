"""Writing a phantom: the image stack, the annotations and the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.errors import InputError
from brainarch.phantom import anatomy, imaging, layout, tissues
from brainarch.phantom.model import PhantomBlock, PhantomSpec, render_blocks
from brainarch.progress import progress_bar

#: Voxels rendered at a time, which bounds memory at about 1.5 GB.
SLAB_VOXELS = 80_000_000


#: What a phantom's folder may hold.
CONTENT = {"stack", "areas", "layers", "truth", "phantom.json", ".snakemake_timestamp"}


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


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    tifffile.imwrite(path, image, photometric="minisblack", compression=None)


def _write_labels(path: Path, image: NDArray[np.uint8]) -> None:
    tifffile.imwrite(path, image, photometric="minisblack", compression="zlib")


def _write_truth(folder: Path, block: PhantomBlock, z: int) -> None:
    i = z - block.z_start
    areas = block.areas[i]
    marked = np.where(areas == anatomy.AREA_CODES["TRN"], np.uint8(0), areas)
    _write_labels(folder / "areas" / slice_name(z), marked)
    _write_labels(folder / "layers" / slice_name(z), block.layers[i])
    truth = folder / "truth"
    _write_labels(truth / f"areas_{slice_name(z)}", areas)
    _write_labels(truth / f"barrels_{slice_name(z)}", block.barrels[i])
    _write_labels(truth / f"microstructure_{slice_name(z)}", block.microstructure[i])


def write_phantom(output: Path, spec: PhantomSpec, annotated: Sequence[int]) -> None:
    """Render a phantom into a folder, slab by slab.

    The folder gets ``stack/z0000.tif`` and so on (uncompressed 8-bit slices), ``areas/`` and
    ``layers/`` (label images of the annotated slices, 0 = not annotated), ``truth/`` (areas with
    TRN, barrels, microstructure of the annotated slices) and ``phantom.json``. It is written beside
    its place and renamed, so a failed run leaves nothing behind.

    Parameters
    ----------
    output : Path
        The folder; an existing one is replaced.
    spec : PhantomSpec
        What to render.
    annotated : sequence of int
        Slices that get annotations and truth.

    Raises
    ------
    InputError
        If an annotated slice is not in the volume, or ``output`` holds something else.
    """
    n_z, n_y, n_x = spec.shape
    outside = [z for z in annotated if not 0 <= z < n_z]
    if outside or not annotated:
        raise InputError(
            f"annotated slices {sorted(annotated)}: {outside or 'none'} given; choose slices "
            f"between 0 and {n_z - 1}"
        )
    held = output.iterdir() if output.is_dir() else ()
    strangers = sorted(path.name for path in held if path.name not in CONTENT)
    if strangers:
        raise InputError(f"{output}: holds {strangers[0]}, so is no phantom; choose another folder")
    depth = slab_depth(spec.shape)
    with replacing(output) as folder, progress_bar(n_z * n_y * n_x, "phantom", "voxel") as bar:
        for name in ("stack", "areas", "layers", "truth"):
            (folder / name).mkdir(parents=True)
        for block in render_blocks(spec, depth):
            for i, image in enumerate(block.grey):
                _write_image(folder / "stack" / slice_name(block.z_start + i), image)
            for z in annotated:
                if block.z_start <= z < block.z_start + len(block.grey):
                    _write_truth(folder, block, z)
            bar.update(block.grey.size)
        text = json.dumps(describe(spec, sorted(annotated)), indent=2, ensure_ascii=False)
        (folder / "phantom.json").write_text(text + "\n", encoding="utf-8")
