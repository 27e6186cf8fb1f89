"""The stages of a run whose network another run trained: nothing is annotated, nothing learnt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from brainarch.application.fitting import network_problems
from brainarch.atomic import write_bytes
from brainarch.dense.cube import Cube, require_source
from brainarch.errors import InputError
from brainarch.evaluation.maps import write_area_maps
from brainarch.evaluation.novelty import Usual, read_usual
from brainarch.factors.basis import read_basis, write_basis
from brainarch.network.trained import TrainedNetwork, load_network
from brainarch.pipeline.results import FIT, NOVELTY
from brainarch.records import read_record
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)


def take_trained(
    *,
    source: str,
    network: Path,
    novelty: Path,
    areas: Sequence[str],
    pixel_um: float,
    dtype: str,
) -> None:
    """Take a network that another run trained, with what describes its training data.

    Parameters
    ----------
    source : str
        The network's file, with ``novelty.json`` beside it.
    network, novelty : Path
        Copies to write.
    areas : sequence of str
        The config's areas.
    pixel_um, dtype
        Edge of a pixel of the converted volume in micrometres, and type of its grey values.

    Raises
    ------
    InputError
        If a file is missing or damaged, they do not belong together, or the network is of other
        areas or cannot know such a volume.
    """
    weights, usual = Path(source), Path(source).parent / NOVELTY
    trained, _ = read_trained(weights, usual)
    problems = network_problems(
        trained.areas, areas, (pixel_um, trained.pixel_um), (dtype, trained.dtype)
    )
    if problems:
        raise InputError(f"{source}: {'; '.join(problems)}")
    write_bytes(network, weights.read_bytes())
    write_bytes(novelty, usual.read_bytes())


def map_slice(
    *, cube: Path, network: Path, volume: Path, novelty: Path, areas: Path, average_px: int
) -> None:
    """Map areas, confidence and novelty of a slice that nobody annotated.

    Parameters
    ----------
    cube, network, volume : Path
        Dense cube of the slice, the network that it came from, and the volume.
    novelty : Path
        What is usual in its training areas.
    areas : Path
        Area map to write (Zarr), as `brainarch.evaluation.stages.predict_slice` writes it.
    average_px : int
        Width in pixels that probabilities are averaged over for the averaged map.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    opened = Cube.open(cube)
    trained, usual = read_trained(network, novelty)
    require_source(opened, "network", trained.digest, network)
    warn_unlike(opened, "set volume.window")
    grey = open_volume(volume).read_slice(opened.z)
    write_area_maps(areas, opened, grey, trained, usual, average_px, "`brainarch predict`")


def take_basis(*, source: str, network: Path, basis: Path) -> None:
    """Take the basis that another run fitted on the same network's representation.

    Parameters
    ----------
    source : str
        The basis (CSV), with the summary of its fit beside it.
    network : Path
        The network of this run.
    basis : Path
        Copy to write.

    Raises
    ------
    InputError
        If a file is missing or damaged, or another network was represented.
    """
    values = read_basis(Path(source))
    if read_record(Path(source).parent / FIT).get("network") != load_network(network).digest:
        raise InputError(
            f"{source}: {FIT} beside it does not say that it was fitted on the representation of "
            f"{network}; name the basis of the run that trained it (made again, if it is of an "
            "earlier version), or leave factorization.basis out to fit one"
        )
    write_basis(values, basis)


def read_trained(network: Path, novelty: Path) -> tuple[TrainedNetwork, Usual]:
    """Read a network that names areas, and what describes its training data.

    Raises
    ------
    InputError
        If a file is missing or damaged, or they do not belong together.
    """
    trained = load_network(network)
    if not trained.areas:
        raise InputError(f"{network}: trained without labels, so that it names no areas")
    usual = read_usual(novelty)
    if usual.network != trained.digest:
        raise InputError(f"{novelty}: of another network than {network}")
    return trained, usual


def warn_unlike(cube: Cube, mend: str) -> None:
    """Warn of a slice whose grey values are unlike those of the training."""
    if cube.attrs["warnings"]:
        logger.warning(
            "slice %d: %s; unless the tissue itself differs, %s that gives it the training's grey "
            "values, or do not trust its maps",
            cube.z,
            "; ".join(cube.attrs["warnings"]),
            mend,
        )
