"""The stage that says what tells areas apart without any factor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from brainarch.annotations.legend import read_legend
from brainarch.dense.cube import Cube, require_source
from brainarch.dense.sparse import STRIDE, describe_grid
from brainarch.factors.alignment import ALIGNED
from brainarch.factors.baselines import (
    BASELINE_COLUMNS,
    Labelled,
    best_factors,
    best_units,
    bright_or_dark,
    mean_grey,
)
from brainarch.factors.basis import fit_basis
from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.factors.rows import Rows
from brainarch.factors.selection_stages import STEP_PX
from brainarch.grids.labels import read_codes
from brainarch.network.trained import load_network
from brainarch.network.untrained import untrained_network
from brainarch.tables import write_table
from brainarch.volume.store import open_volume


def measure_baselines(
    *,
    fitted: Mapping[int, Path],
    others: Mapping[int, Path],
    network: Path,
    volume: Path,
    labels: Path,
    legend: Path,
    baselines: Path,
    factors: int,
    starts: int,
    max_iterations: int,
    tolerance: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Measure what tells areas apart without any factor of the trained network.

    Parameters
    ----------
    fitted, others : mapping of int to Path
        Dense cubes of the slices that the basis was fitted on, and of the others.
    network, volume : Path
        What the cubes were extracted from.
    labels, legend : Path
        Area labels and their legend.
    baselines : Path
        Table to write.
    factors, starts, max_iterations, tolerance
        Of the factors of the untrained network, as for `brainarch.factors.stages.factorize`; they
        are fitted on pixels 16 apart.
    seed : int
        Of the untrained network and of the starts.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If the files do not belong together.
    """
    torch.set_num_threads(threads)
    names, trained, source = read_legend(legend).names, load_network(network), open_volume(volume)
    plain = untrained_network(trained, seed)
    seen: dict[str, dict[int, Labelled]] = {"unit": {}, "grey": {}, "untrained": {}}
    for z, path in {**fitted, **others}.items():
        cube = Cube.open(path)
        require_source(cube, "network", trained.digest, network)
        codes = np.where(cube.extracted, read_codes(labels, cube), 0)
        grey = source.read_slice(z)
        fine, coarse = (_every(cube, px) for px in (STEP_PX, STRIDE))
        own = codes[fine]
        means = mean_grey(grey, cube.y[fine[0]], cube.x[fine[1]])[own > 0]
        seen["unit"][z] = _labelled_units(cube, codes, fine), own[own > 0]
        seen["grey"][z] = means[:, None], own[own > 0]
        y, x, few = cube.y[coarse[0]], cube.x[coarse[1]], codes[coarse]
        units = describe_grid(plain.network.trunk, plain.normalisation, grey, y, x)
        seen["untrained"][z] = units[few > 0], few[few > 0]
    X = np.concatenate([seen["untrained"][z][0] for z in fitted])
    basis = fit_basis(
        Rows.of(X, f"{network}, untrained"),
        factors,
        starts=starts,
        max_iterations=max_iterations,
        tolerance=tolerance,
        seed=seed,
        threads=threads,
    )
    for z, (values, codes) in seen["untrained"].items():
        coefficients, _ = nonnegative_coefficients(values, basis.values, threads)
        seen["untrained"][z] = coefficients, codes
    frames = []
    for name, judge in (
        ("unit", best_units),
        ("grey", bright_or_dark),
        ("untrained", best_factors),
    ):
        parts = [seen[name][z] for z in fitted]
        pooled = tuple(np.concatenate(each) for each in zip(*parts, strict=True))
        frame = judge((pooled[0], pooled[1]), {z: seen[name][z] for z in others}, names)
        step = STRIDE if name == "untrained" else STEP_PX
        frames.append(frame.assign(baseline=name, step_px=step))
    table = pd.concat(frames, ignore_index=True)
    table["aligned"] = table["auroc"] >= ALIGNED
    write_table(table[list(BASELINE_COLUMNS)], baselines, BASELINE_COLUMNS)


def _every(cube: Cube, px: int) -> tuple[slice, slice]:
    step = max(1, round(px / cube.stride))
    return slice(None, None, step), slice(None, None, step)


def _labelled_units(
    cube: Cube, codes: NDArray[np.integer], thin: tuple[slice, slice]
) -> NDArray[np.float32]:
    """Return the units of the labelled pixels of a thinned grid, in raster order."""
    wanted = np.zeros(cube.shape, dtype=bool)
    wanted[thin] = codes[thin] > 0
    batches = [X for _, _, X in cube.batches(mask=wanted, desc="units")]
    empty: list[Any] = [np.zeros((0, cube.units), dtype=np.float32)]
    return np.concatenate(batches or empty)
