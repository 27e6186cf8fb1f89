"""The stages that fit a basis, project slices on it, and measure what its factors tell."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainarch.atomic import replacing
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.basis import (
    CURVE_COLUMNS,
    SAMPLE_ROWS,
    basis_digest,
    fit_basis,
    read_basis,
    write_basis,
)
from brainarch.factors.information import CHOICE_COLUMNS, PAIR_COLUMNS, FactorSample
from brainarch.factors.projection import Residual, project_cube
from brainarch.factors.ranks import RANK_COLUMNS, Descending
from brainarch.factors.ranks import sweep_ranks as sweep
from brainarch.factors.rows import Rows
from brainarch.records import write_record
from brainarch.scheduler import Scheduler, connect
from brainarch.seeds import generator
from brainarch.tables import read_table, write_table

logger = logging.getLogger(__name__)


def factorize(
    *,
    cubes: Mapping[int, Path],
    basis: Path,
    convergence: Path,
    fit: Path,
    coefficients: Mapping[int, Path],
    fits: Mapping[int, Path],
    factors: int,
    starts: int,
    max_iterations: int,
    tolerance: float,
    seed: int,
    threads: int = 1,
    scheduler: str | None = None,
) -> None:
    """Factorise the representation of one slice or several together, X ~ C B, non-negative.

    Parameters
    ----------
    cubes : mapping of int to Path
        Dense cube of each slice.
    basis, convergence, fit : Path
        To write: the one basis (CSV), the error after each pass (CSV), summary over all slices
        (JSON).
    coefficients, fits : mapping of int to Path
        To write for each slice: coefficient maps (Zarr), and how well the basis fits it (JSON).
    factors : int
        Number of factors k.
    starts : int
        Starts that are tried.
    max_iterations : int
        Passes of the solver at most.
    tolerance : float
        Decrease of the error in a pass, as a share of it, at which the solver stops.
    seed : int
        Of the random starts.
    threads : int
        CPU threads at most; the results do not depend on them.
    scheduler : str, optional
        Dask workers that solve for the coefficients, once the basis is found; see
        `brainarch.scheduler.connect`.

    Raises
    ------
    InputError
        If a cube is empty or damaged, holds values that are negative or not finite, comes from
        another network than the others, or has fewer pixels or units than factors.
    """
    opened = {z: _open_filled(path) for z, path in cubes.items()}
    rows = Rows.of_cubes(list(opened.values()))
    logger.info("fitting %d factors to %d x %d values", factors, rows.count, rows.units)
    fitted = fit_basis(
        rows,
        factors,
        starts=starts,
        max_iterations=max_iterations,
        tolerance=tolerance,
        seed=seed,
        threads=threads,
    )
    if not fitted.converged:
        logger.warning(
            "NMF stopped at its %d passes before the tolerance %g was met; raise "
            "factorization.max_iterations",
            max_iterations,
            tolerance,
        )
    whole = Residual(rows.units, factors)
    with connect(scheduler) as workers:
        for z, cube in opened.items():
            own = _write_maps(cube, fitted.values, coefficients[z], threads, workers, fitted=True)
            write_record(fits[z], {"slice": z, "factors": factors, **own.summary()})
            whole.join(own)
    write_basis(fitted.values, basis)
    write_table(fitted.curve, convergence, CURVE_COLUMNS)
    content = {
        "slices": list(opened),
        "factors": factors,
        "units": rows.units,
        "network": next(iter(opened.values())).attrs.get("identity", {}).get("network"),
        "solver": "alternating coordinate descent, the best start on a sample, then all pixels; "
        "then non-negative least squares",
        "seed": seed,
        "starts": starts,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
        "iterations": fitted.passes,
        "converged": fitted.converged,
        "empty_factors": [int(i) + 1 for i, row in enumerate(fitted.values) if not row.any()],
        **whole.summary(),
    }
    write_record(fit, content)
    logger.info("%d passes over all pixels", fitted.passes)


def project(
    *,
    cube: Path,
    basis: Path,
    coefficients: Path,
    fit: Path,
    threads: int = 1,
    scheduler: str | None = None,
) -> None:
    """Find the coefficients of another slice, with the basis as it is.

    Parameters
    ----------
    cube, basis : Path
        Dense cube of the slice, and the basis table that `factorize` wrote.
    coefficients, fit : Path
        Coefficient maps (Zarr), and how well the basis fits this slice (JSON), to write.
    threads : int
        CPU threads at most.
    scheduler : str, optional
        Dask workers that solve for the coefficients; see `brainarch.scheduler.connect`.

    Raises
    ------
    InputError
        If the cube is empty or damaged, or comes from another network than the basis.
    """
    opened, values = _open_filled(cube), read_basis(basis)
    with connect(scheduler) as workers:
        own = _write_maps(opened, values, coefficients, threads, workers, fitted=False)
    write_record(fit, {"slice": opened.z, "factors": len(values), **own.summary()})


def _open_filled(cube: Path) -> Cube:
    opened = Cube.open(cube)
    if opened.count == 0:
        raise InputError(f"{cube}: no pixel is extracted; run `brainarch extract` on labelled rows")
    return opened


def _write_maps(
    cube: Cube,
    basis: NDArray[np.float64],
    path: Path,
    threads: int,
    workers: Scheduler | None,
    *,
    fitted: bool,
) -> Residual:
    """Write the coefficient maps of a slice in one step; return how well the basis fits it."""
    attrs = {"fitted": fitted, "basis": basis_digest(basis)}
    with replacing(path) as temporary:
        residual = project_cube(cube, basis, temporary, attrs, threads, workers)
    logger.info(
        "slice %d: %s pixels, %d factors, relative error %.4f",
        cube.z,
        f"{residual.rows:,}",
        len(basis),
        residual.summary()["relative_error"],
    )
    return residual


def sweep_ranks(
    *,
    cubes: Sequence[Path],
    ranks: Path,
    sweep_factors: Sequence[int],
    starts: int,
    max_iterations: int,
    tolerance: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Compare numbers of factors on a sample: held-out error, stability, sparsity.

    Parameters
    ----------
    cubes : sequence of Path
        Dense cubes of the fitted slices.
    ranks : Path
        Table to write.
    sweep_factors : sequence of int
        Numbers of factors.
    starts, max_iterations, tolerance, seed
        As for `factorize`.
    threads : int
        CPU threads at most; the results do not depend on them.

    Raises
    ------
    InputError
        If a cube is empty or damaged, or holds values that are negative or not finite, or fewer
        pixels than twice the most factors.
    """
    rows = Rows.of_cubes([_open_filled(path) for path in cubes])
    if rows.count < 4 * max(sweep_factors):
        raise InputError(
            f"{cubes[0]}: {rows.count} pixels are too few to compare {max(sweep_factors)} factors; "
            "lower factorization.sweep, or extract more"
        )
    descending = Descending(starts, max_iterations, tolerance)
    found = sweep(rows, list(sweep_factors), descending, seed=seed, threads=threads)
    write_table(found, ranks, RANK_COLUMNS)


def measure_selection(
    *,
    cubes: Sequence[Path],
    basis: Path,
    selected: Mapping[str, Path],
    pairs: Path,
    choices: Path,
    seed: int,
    threads: int = 1,
) -> None:
    """Measure what factors share with each other, and what the selected ones give back.

    Parameters
    ----------
    cubes : sequence of Path
        Dense cubes of the fitted slices.
    basis : Path
        The basis.
    selected : mapping of str to Path
        Tables of selected pairs by target, area and layer.
    pairs, choices : Path
        Tables to write: correlation and mutual information of every two factors; the selected
        factors beside random choices of as many.
    seed : int
        Of the random choices.
    threads : int
        CPU threads at most; the results do not depend on them.

    Raises
    ------
    InputError
        If a file is missing or damaged, or the cubes come from another network than the basis.
    """
    rows = Rows.of_cubes([_open_filled(path) for path in cubes])
    values = read_basis(basis)
    if values.shape[1] != rows.units:
        raise InputError(
            f"{cubes[0]}: {rows.units} units, but the basis has {values.shape[1]}; both must come "
            "from one network"
        )
    X = rows.examined(SAMPLE_ROWS, threads)[0].whole()
    sample = FactorSample(X, values, threads)
    found = []
    for target, path in selected.items():
        for rule, own in read_table(path).groupby("rule"):
            factors = sorted(int(factor) for factor in own["factor"])
            rng = generator(seed, f"choices {target}")
            compared = sample.compare([factor - 1 for factor in factors], rng)
            names = " ".join(map(str, factors))
            found.append({"target": target, "rule": rule, "factors": names, **compared})
    write_table(sample.pairs(), pairs, PAIR_COLUMNS)
    write_table(pd.DataFrame(found, columns=list(CHOICE_COLUMNS)), choices, CHOICE_COLUMNS)
