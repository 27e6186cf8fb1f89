"""The stage that describes sampled patches: reads files, writes representations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainarch.annotations.legend import read_legend
from brainarch.embedding.describe import describe_noisy, describe_patches, subsample_patches
from brainarch.embedding.inputs import (
    area_indices,
    fit_warnings,
    patch_places,
    require_known_areas,
)
from brainarch.embedding.networks import NetworkSource, build_network
from brainarch.embedding.store import (
    NoisyRepresentations,
    Representations,
    save_noisy,
    save_representations,
)
from brainarch.errors import InputError
from brainarch.network.checkpoint import file_digest, load_checkpoint
from brainarch.patches.table import read_patches
from brainarch.volume.store import open_volume

logger = logging.getLogger(__name__)


def embed_patches(
    *,
    network: str,
    checkpoint: Path | None,
    volume: Path,
    patches: Path,
    legend: Path,
    variances: Sequence[float],
    max_patches_per_area: int | None,
    seed: int,
    output: Path,
) -> None:
    """Describe the patches of a table and write their representations.

    Parameters
    ----------
    network : str
        Name of a registered network.
    checkpoint : Path or None
        The trained network, for networks that need it.
    volume, patches, legend : Path
        The volume, the patch table and the areas' legend.
    variances : sequence of float
        Of noise on grey values in [0, 1]; empty for clean representations.
    max_patches_per_area : int or None
        Most patches of one area, drawn at random; all by default.
    seed : int
        The config's.
    output : Path
        The store that is written.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    _require_variances(variances)
    areas = read_legend(legend)
    table = read_patches(patches)
    require_known_areas(table, areas, patches)
    if max_patches_per_area is not None:
        available = len(table)
        table = subsample_patches(table, max_patches_per_area, seed)
        logger.info("%s: %d of %d patches are described", patches, len(table), available)
    source = open_volume(volume)
    places = patch_places(table, source, patches)
    trained = load_checkpoint(checkpoint) if checkpoint is not None else None
    describer = build_network(network, NetworkSource(trained, seed))
    if trained is not None:
        for warning in fit_warnings(trained, source.voxel_um, str(source.dtype)):
            logger.warning("%s: %s", volume, warning)

    if variances:
        values = describe_noisy(describer, source, places, variances, seed=seed)
    else:
        values = describe_patches(describer, source, places)[None]
    area = area_indices(table["area"], areas.names)
    levels = tuple(
        Representations(
            values=level,
            z=places.z.astype(np.int32),
            y=places.y.astype(np.int32),
            x=places.x.astype(np.int32),
            block=table["block"].to_numpy(dtype=np.int32),
            area=area.astype(np.int32),
            areas=areas.names,
            network=network,
            unit_names=describer.unit_names,
            commensurate=describer.commensurate,
            checkpoint=file_digest(checkpoint) if checkpoint is not None else "",
            seed=seed,
        )
        for level in values
    )
    if variances:
        save_noisy(NoisyRepresentations(np.array(variances, dtype=np.float64), levels), output)
    else:
        save_representations(levels[0], output)


def _require_variances(variances: Sequence[float]) -> None:
    if any(not 0 <= value < np.inf for value in variances):
        raise InputError(f"--variances {variances}: a variance is a number from 0 up")
    if len(set(variances)) != len(variances):
        raise InputError(f"--variances {variances}: one stands there twice; give each once")
