"""Reading the two sides of the realism comparison, and writing what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.atomic import replacing, write_json
from brainarch.errors import InputError
from brainarch.geometry import PATCH
from brainarch.network.trained import load_network
from brainarch.phantom import anatomy
from brainarch.phantom.stages import slice_name
from brainarch.progress import progress
from brainarch.seeds import generator
from brainarch.tables import write_table

from . import comparison, measures
from .figure import SHOWN, realism_figure
from .transfer import transfer_report

Byte = NDArray[np.uint8]

#: Files of annotated pixel masks (32 x 128 x 128: 1 axon, 2 vessel, 3 cell) and their areas. The
#: thalamic field holds VP and TRN.
MASK_FILES = {
    "Ctx": "masks_ctx.npz",
    "Str": "masks_str.npz",
    "VP": "masks_trn.npz",
    "ZI": "masks_zi.npz",
}
#: Pixels per inch of the picture.
DPI = 300
CODES = {name: anatomy.AREA_CODES[name] for name in anatomy.ANNOTATED_AREAS}


def read_image(path: Path) -> Byte:
    """Read an 8-bit image of two dimensions.

    Raises
    ------
    InputError
        If it is missing or another kind of image.
    """
    try:
        image = tifffile.imread(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (tifffile.TiffFileError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable TIFF ({error})") from None
    if image.ndim != 2 or image.dtype != np.uint8:
        raise InputError(f"{path}: {image.dtype} of shape {image.shape}; wanted one 8-bit slice")
    pixels: Byte = image
    return pixels


def read_real(image: Path, labels: Path, voxel_um: float) -> comparison.Slices:
    """Read the real slice and its labels.

    Raises
    ------
    InputError
        If the two do not fit, or an area is not labelled.
    """
    grey, codes = read_image(image), read_image(labels)
    if grey.shape != codes.shape:
        raise InputError(f"{labels}: shape {codes.shape}, but {image.name} has {grey.shape}")
    for name, code in CODES.items():
        if not np.any(codes == code):
            raise InputError(f"{labels}: no pixel of {name} (code {code})")
    return comparison.Slices([grey], [codes], voxel_um)


def read_phantom(folder: Path, z: Sequence[int]) -> tuple[comparison.Slices, list[Byte]]:
    """Read annotated slices of a phantom: image and labels, and the microstructure.

    Raises
    ------
    InputError
        If the folder holds no phantom, or a slice is not annotated.
    """
    try:
        description = json.loads((folder / "phantom.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        raise InputError(f"{folder}: no phantom.json; run `brainarch phantom` first") from None
    missing = sorted(set(z) - set(description["annotated_slices"]))
    if missing:
        raise InputError(
            f"--z {missing[0]}: not annotated; choose from {description['annotated_slices']}"
        )
    images = [read_image(folder / "stack" / slice_name(i)) for i in z]
    labels = [read_image(folder / "areas" / slice_name(i)) for i in z]
    structures = [read_image(folder / "truth" / f"microstructure_{slice_name(i)}") for i in z]
    return comparison.Slices(images, labels, float(description["voxel_um"])), structures


def read_annotated_densities(folder: Path, voxel_um: float) -> dict[str, dict[str, float]]:
    """Read the annotated pixel masks and return their cells and vessels per mm^2, by area.

    Raises
    ------
    InputError
        If a mask is missing or not three-dimensional.
    """
    densities = {}
    for area, name in MASK_FILES.items():
        try:
            with np.load(folder / name) as content:
                masks = content[content.files[0]]
        except (FileNotFoundError, ValueError, OSError):
            raise InputError(f"{folder / name}: no readable mask of {area}") from None
        if masks.ndim != 3:
            raise InputError(
                f"{folder / name}: shape {masks.shape}; wanted (slices, rows, columns)"
            )
        everywhere = [np.ones(masks.shape[1:], bool)] * len(masks)
        densities[area] = comparison.structure_densities(list(masks), everywhere, voxel_um)
    return densities


def _pictured(slices: comparison.Slices, seed: int, side: str) -> dict[str, Byte]:
    rng = generator(seed, f"realism picture {side}")
    return {
        name: measures.area_patches(slices.images, slices.masks(code), SHOWN, rng)[0]
        for name, code in CODES.items()
    }


def write_realism(
    real: comparison.Slices,
    phantom: comparison.Slices,
    structures: Sequence[Byte],
    annotated: dict[str, dict[str, float]],
    network: Path | None,
    z: Sequence[int],
    seed: int,
    output: Path,
) -> None:
    """Compare and write ``realism.csv``, ``.json``, ``.png`` and ``.pdf`` into ``output``.

    Parameters
    ----------
    real, phantom : Slices
        The two sides.
    structures : sequence of uint8 arrays (n_y, n_x)
        The phantom's microstructure on its slices.
    annotated : dict
        Cells and vessels per mm^2 of the real areas, where they were annotated.
    network : Path or None
        A network trained on the phantom, to be tried on the real slice.
    z : sequence of int
        The phantom's slices, for the record.
    seed : int
        For the choice of patches.
    output : Path
        A folder.
    """
    of_real, of_phantom = {}, {}
    for name, code in progress(CODES.items(), "statistics", unit="area"):
        of_real[name] = {
            **comparison.grey_quantities(real, code),
            **annotated.get(name, {}),
        }
        of_phantom[name] = {
            **comparison.grey_quantities(phantom, code),
            **comparison.structure_densities(structures, phantom.masks(code), phantom.voxel_um),
        }
    table = comparison.comparison_table(of_real, of_phantom)
    asked = table[table.within != ""]
    report: dict[str, Any] = {
        "phantom_slices": list(z),
        "patch_px": PATCH,
        "asked": len(asked),
        "within": int((asked.within == "yes").sum()),
        "outside": [
            f"{row.area}: {row.quantity}" for row in asked.itertuples() if row.within == "no"
        ],
        **comparison.classifier_report(real, phantom, CODES, seed),
        "reference": comparison.reference()["source"],
    }
    if network is not None:
        report["cnn_on_real"] = transfer_report(
            load_network(network), real.images[0], real.labels[0], CODES
        )
    figure = realism_figure(
        _pictured(real, seed, "real"),
        _pictured(phantom, seed, "phantom"),
        table,
        list(measures.FREQUENCIES),
    )
    write_table(table, output / "realism.csv", comparison.COLUMNS)
    write_json(output / "realism.json", report)
    for ending in ("png", "pdf"):
        with replacing(output / f"realism.{ending}") as temporary:
            figure.savefig(temporary, format=ending, dpi=DPI)
