"""The stages that represent sampled patches: they read patches and write representations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.embedding.borrowed import Recipe, borrowed_describer
from brainarch.embedding.describe import (
    describe_degraded,
    describe_noisy,
    describe_patches,
    subsample_patches,
)
from brainarch.embedding.networks import Describer, build_network
from brainarch.embedding.representations import (
    NoisyRepresentations,
    Representations,
    save_noisy,
    save_representations,
)
from brainarch.errors import InputError
from brainarch.network.differences import scan_differences
from brainarch.network.trained import load_network
from brainarch.patches.table import (
    Places,
    area_indices,
    patch_places,
    read_patches,
    require_known_areas,
)
from brainarch.volume.store import Volume, open_volume

logger = logging.getLogger(__name__)


def embed_patches(
    *,
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    representations: Path,
    name: str,
    seed: int,
    weights: Path | None = None,
    borrowed: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> None:
    """Represent the patches of a table by one of the compared networks.

    Parameters
    ----------
    network, volume, legend, patches : Path
        The trained network of the run, the volume, the areas and the patch table.
    representations : Path
        Store to write (Zarr).
    name : str
        Name of the compared network; see `brainarch.embedding.names`.
    seed : int
        Of an untrained network's weights.
    weights : Path, optional
        Of a network that others trained.
    borrowed : mapping, optional
        How that network is used: model, layer, input_px, pooling, sha256.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    torch.set_num_threads(threads)
    clean = represent_patches(
        network,
        volume,
        legend,
        patches,
        name=name,
        seed=seed,
        borrowed=_recipe(weights, borrowed),
    )
    save_representations(clean, representations)


def represent_patches(
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    *,
    name: str,
    seed: int,
    borrowed: Callable[[], Describer] | None = None,
) -> Representations:
    """Return what `embed_patches` writes; ``borrowed`` builds a network that others trained."""
    (clean,) = _represent(
        network,
        volume,
        legend,
        patches,
        name=name,
        seed=seed,
        patches_per_area=None,
        borrowed=borrowed,
        describe=lambda *given: describe_patches(*given)[None],
    )
    return clean


def embed_noisy_patches(
    *,
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    representations: Path,
    name: str,
    variances: Sequence[float],
    patches_per_area: int,
    seed: int,
    weights: Path | None = None,
    borrowed: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> None:
    """Represent patches under noise by one of the compared networks.

    Parameters
    ----------
    network, volume, legend, patches, representations, name, weights, borrowed
        As in `embed_patches`.
    variances : sequence of float
        Of the noise, on grey values in [0, 1]; at least one.
    patches_per_area : int
        Patches of one area at most, drawn at random.
    seed : int
        Of that draw, the noise and an untrained network's weights.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, they do not belong together, or a variance is no number.
    """
    if not np.isfinite(variances).all() or min(variances) < 0:
        raise InputError(f"noise_variances {variances}: a variance is a number from 0 up")
    if len(set(variances)) != len(variances):
        raise InputError(f"noise_variances {variances}: one stands there twice; give each once")
    torch.set_num_threads(threads)
    levels = _represent(
        network,
        volume,
        legend,
        patches,
        name=name,
        seed=seed,
        patches_per_area=patches_per_area,
        borrowed=_recipe(weights, borrowed),
        describe=lambda describer, reader, places: describe_noisy(
            describer, reader, places, variances, seed=seed
        ),
    )
    noisy = NoisyRepresentations(np.array(variances, dtype=np.float64), levels)
    save_noisy(noisy, representations)


def embed_degraded_patches(
    *,
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    degraded: Mapping[str, Path],
    name: str,
    patches_per_area: int,
    seed: int,
    weights: Path | None = None,
    borrowed: Mapping[str, Any] | None = None,
    threads: int = 1,
) -> None:
    """Represent patches as other images would show them by one of the compared networks.

    Parameters
    ----------
    network, volume, legend, patches, name, weights, borrowed
        As in `embed_patches`.
    degraded : mapping of str to Path
        Stores to write, by the name of the change; see `brainarch.embedding.names.CHANGES`.
    patches_per_area : int
        Patches of one area at most, drawn at random.
    seed : int
        Of that draw and an untrained network's weights.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    torch.set_num_threads(threads)
    mean = load_network(network).normalisation.mean
    levels = _represent(
        network,
        volume,
        legend,
        patches,
        name=name,
        seed=seed,
        patches_per_area=patches_per_area,
        borrowed=_recipe(weights, borrowed),
        describe=lambda describer, reader, places: describe_degraded(
            describer, reader, places, list(degraded), mean
        ),
    )
    for path, content in zip(degraded.values(), levels, strict=True):
        save_representations(content, path)


def _recipe(
    weights: Path | None, borrowed: Mapping[str, Any] | None
) -> Callable[[], Describer] | None:
    """Return what builds a network that others trained, if it is such a one."""
    if weights is None or borrowed is None:
        return None
    how = dict(borrowed)
    sha256 = how.pop("sha256")
    return partial(borrowed_describer, Recipe(**how), weights, sha256)


def _represent(
    network: Path,
    volume: Path,
    legend: Path,
    patches: Path,
    *,
    name: str,
    seed: int,
    patches_per_area: int | None,
    borrowed: Callable[[], Describer] | None,
    describe: Callable[[Describer, Volume, Places], NDArray[np.float32]],
) -> tuple[Representations, ...]:
    """Return representations for every level that ``describe`` returns on its first axis."""
    areas = read_legend(legend)
    table = read_patches(patches)
    require_known_areas(table, areas, patches)
    if patches_per_area is not None:
        available = len(table)
        table = subsample_patches(table, patches_per_area, seed)
        logger.info("%s: %d of %d patches are represented", patches, len(table), available)
    source = open_volume(volume)
    places = patch_places(table, source, patches)
    trained = load_network(network)
    describer = build_network(name, trained, seed) if borrowed is None else borrowed()
    dtypes = (str(source.dtype), trained.dtype)
    for difference in scan_differences((source.pixel_um, trained.pixel_um), dtypes):
        logger.warning("%s differs from the training: %s", volume, difference)
    return tuple(
        Representations(
            values=level,
            z=places.z.astype(np.int32),
            y=places.y.astype(np.int32),
            x=places.x.astype(np.int32),
            area=area_indices(table["area"], areas.names).astype(np.int32),
            areas=areas.names,
            network=name,
            unit_names=describer.unit_names,
            commensurate=describer.commensurate,
            network_digest=trained.digest,
            seed=seed,
        )
        for level in describe(describer, source, places)
    )
