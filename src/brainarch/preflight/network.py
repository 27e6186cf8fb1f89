"""Whether a network that is trained already can map a volume: found in the header of its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainarch.application.fitting import network_problems
from brainarch.config.model import Config
from brainarch.errors import InputError
from brainarch.network.differences import training_differences
from brainarch.network.grey import Normalisation
from brainarch.network.header import read_header
from brainarch.pipeline.results import FIT, NOVELTY
from brainarch.volume.tissue import tissue_mask


def check_network(config: Config) -> list[str]:
    """Return what keeps a config's network, or the basis, from its volume, one line each."""
    assert config.network is not None
    path, basis = Path(config.network), config.factorization.basis
    try:
        header = read_header(path)
    except InputError as error:
        return [f"network: {error}"]
    if "areas" not in header:
        return [f"network: {path}: no network that `brainarch train` wrote"]
    volume = config.volume
    problems = network_problems(
        header["areas"],
        [area.name for area in config.areas],
        (volume.pixel_um, float(header["pixel_um"])),
        (volume.dtype, header["dtype"]),
    )
    found = [f"network: {path}: {problem}" for problem in problems]
    beside = [path.parent / NOVELTY]
    if basis is not None:
        beside += [Path(basis), Path(basis).parent / FIT]
    return found + [
        f"{file}: not there; it comes with the network or basis of a finished run, copy it as well"
        for file in beside
        if not file.is_file()
    ]


def unlike_training(config: Config, greys: Mapping[int, NDArray[np.generic]]) -> list[str]:
    """Return a line for each slice whose grey values are unlike those of the network's training.

    Parameters
    ----------
    config : Config
    greys : mapping of int to ndarray of uint8 or uint16, shape (rows, columns)
        A few slices as they would be stored.
    """
    if config.network is None:
        return []
    try:
        normalisation = Normalisation(**read_header(Path(config.network))["normalisation"])
    except (InputError, KeyError):  # told as a problem
        return []
    alike = (1.0, 1.0), (config.volume.dtype, config.volume.dtype)  # told as a problem
    lines = []
    for z, grey in greys.items():
        found = training_differences(grey, tissue_mask(grey), normalisation, *alike)
        if found:
            lines.append(
                f"slice {z}: {'; '.join(found)}; unless the tissue itself differs, set "
                "volume.window so that its grey values are the training's, or do not trust its maps"
            )
    return lines
