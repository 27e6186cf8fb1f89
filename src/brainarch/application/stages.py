"""From a network's file and a volume to maps: areas, confidence, novelty, and a picture of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.application.fitting import misfits
from brainarch.application.taken import read_trained, warn_unlike
from brainarch.atomic import replacing
from brainarch.dense.cube import Cube, require_source
from brainarch.dense.stages import extract_slice, plan_extraction
from brainarch.errors import InputError
from brainarch.evaluation.maps import write_area_maps
from brainarch.figures.map_stages import draw_maps
from brainarch.network.trained import TrainedNetwork
from brainarch.pipeline.results import NOVELTY
from brainarch.volume.store import Volume, open_volume

#: Options of `brainarch convert` that mend a pixel size and a type of grey values.
OPTIONS = ("--resample-um {:g}", "--dtype {} --window LOW,HIGH")
#: Maps that are written as TIFF too, in the dtypes that they have.
AS_TIFF = ("area", "confidence", "novelty")


def apply_network(
    *,
    network: Path,
    volume: Path,
    slices: Sequence[int] | None,
    output: Path,
    where: str,
    stride: int,
    memory_mb: float,
    average_px: int,
    threads: int = 1,
    device: str = "auto",
) -> list[Path]:
    """Map areas, confidence and novelty of slices by a trained network; goes on after a kill.

    Parameters
    ----------
    network, volume : Path
        The network's file, with ``novelty.json`` beside it, and any OME-Zarr volume.
    slices : sequence of int, optional
        Numbers of the slices; all without.
    output : Path
        Folder for the maps: of each slice ``zNNNN_areas.zarr``, ``zNNNN_{area,confidence,novelty}
        .tif``, ``zNNNN_maps.{png,pdf,csv}`` and the representation, ``zNNNN.zarr``; ``legend.csv``.
    where : {"tissue", "all"}
        Which pixels.
    stride : int
        Pixels between neighbouring patches: 1, 2, 4, 8 or 16.
    memory_mb : float
        Memory that the extraction may use, in MB.
    average_px : int
        Width in pixels that probabilities are averaged over for the averaged map.
    threads, device
        As in `brainarch.dense.stages.extract_slice`.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    InputError
        If a file is missing or wrong, the volume's voxels or dtype are not the training's, or the
        folder holds another network's maps.
    """
    opened = open_volume(volume)
    trained, usual = read_trained(network, network.parent / NOVELTY)
    _require_alike(trained, opened)
    wanted = list(opened.slices) if slices is None else list(slices)
    for z in wanted:
        opened.index_of(z)
    _require_own(output, wanted, trained)
    write_legend(make_legend(list(trained.areas)), output / "legend.csv")
    plan, partial = output / ".partial" / "plan.json", output / ".partial" / "extract"
    plan_extraction(
        network=network, volume=volume, plan=plan, stride=stride, precision="float32",
        memory_mb=memory_mb, rows=None, threads=threads,
    )  # fmt: skip
    entries = [{"name": name, "title": name, "colour": None} for name in trained.areas]
    pictures = []
    for z in wanted:
        cube = output / f"z{z:04d}.zarr"
        extract_slice(
            network=network, plan=plan, volume=volume, cube=cube, partial=partial, z=z,
            where=where, rows=None, storage="float32", threads=threads, device=device,
        )  # fmt: skip
        content = Cube.open(cube)
        require_source(content, "network", trained.digest, network)
        warn_unlike(content, "convert it with a --window")
        areas, prefix = output / f"z{z:04d}_areas.zarr", str(output / f"z{z:04d}_maps")
        _, maps = write_area_maps(
            areas, content, opened.read_slice(z), trained, usual, average_px, "`brainarch apply`"
        )
        for name in AS_TIFF:
            side = content.stride * content.pixel_um
            _write_tiff(output / f"z{z:04d}_{name}.tif", maps[name], side)
        picture = Path(f"{prefix}.png")
        draw_maps(
            volume=volume, prediction=areas, z=z, areas=entries, annotated=False,
            png=picture, pdf=Path(f"{prefix}.pdf"), table=Path(f"{prefix}.csv"),
        )  # fmt: skip
        pictures.append(picture)
    plan.unlink()
    with suppress(OSError):  # somebody else is at work there
        plan.parent.rmdir()
    return pictures


def _require_own(output: Path, wanted: Sequence[int], trained: TrainedNetwork) -> None:
    """Refuse a folder with another network's maps: its legend would no longer be theirs."""
    cubes = [output / f"z{z:04d}.zarr" for z in wanted]
    for path in sorted(output.glob("z*[0-9].zarr")):
        known = path in cubes or Cube.open(path).attrs["identity"]["network"] == trained.digest
        if not known:
            raise InputError(
                f"{path}: made with another network; choose another folder, or remove what is there"
            )


def _require_alike(trained: TrainedNetwork, volume: Volume) -> None:
    """Refuse a volume whose voxels or grey values the network cannot know."""
    found, mend = misfits(
        (volume.pixel_um, trained.pixel_um), (str(volume.dtype), trained.dtype), OPTIONS
    )
    if found:
        raise InputError(
            f"{volume.path}: {'; '.join(found)}; make a volume that fits with "
            f"`brainarch convert ... {' '.join(mend)}`"
        )


def _write_tiff(path: Path, values: NDArray[np.generic], pixel_um: float) -> None:
    """Write a map as TIFF that states its pixel size; NaN stays where nothing was extracted."""
    per_cm = 1e4 / pixel_um
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values,
            photometric="minisblack",
            compression="zlib",
            resolution=(per_cm, per_cm),
            resolutionunit="CENTIMETER",
            metadata=None,
            software=False,
        )
