"""Coefficient maps of a slice with the basis fixed, by bands of rows.

A band is solved here or by a worker of a cluster, which reads it from the cube itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors.coefficients import CHUNK_ROWS, CoefficientMaps
from brainarch.factors.nonnegative import nonnegative_coefficients
from brainarch.progress import progress
from brainarch.scheduler import Scheduler


@dataclass
class Residual:
    """Running sums that say how well ``C B`` gives back X; uncentred unless said otherwise.

    Attributes
    ----------
    rows : int
        Pixels so far.
    unfinished : int
        Rows whose coefficients did not settle.
    """

    units: int
    factors: int
    rows: int = 0
    unfinished: int = 0

    def __post_init__(self) -> None:
        self._error = 0.0
        self._energy = 0.0
        self._sum = np.zeros(self.units)
        self._factor = np.zeros(self.factors)

    def add(self, X: NDArray[np.float32], C: NDArray[np.float32], B: NDArray[np.float64]) -> None:
        """Count the rows X (n, units) with coefficients C (n, k) of basis B (k, units)."""
        for start in range(0, len(X), 65536):
            rows = X[start : start + 65536].astype(np.float64)
            coefficients = C[start : start + 65536].astype(np.float64)
            self._energy += float(np.einsum("ij,ij->", rows, rows))
            self._sum += rows.sum(axis=0)
            self._factor += np.einsum("ij,ij->j", coefficients, coefficients)
            rows -= coefficients @ B
            self._error += float(np.einsum("ij,ij->", rows, rows))
        self.rows += len(X)

    def join(self, other: Residual) -> None:
        """Count the rows of another slice as well."""
        self.rows += other.rows
        self.unfinished += other.unfinished
        self._error += other._error
        self._energy += other._energy
        self._sum += other._sum
        self._factor += other._factor

    def summary(self) -> dict[str, Any]:
        """Return JSON values that say how well the basis describes the slice.

        Returns
        -------
        dict
            ``rows``, the pixels; ``relative_error``, ||X - C B|| / ||X|| (Frobenius);
            ``explained_share``, 1 - ||X - C B||^2 / ||X||^2; ``explained_variance``, the same over
            ||X - mean||^2, units centred; ``factor_energy``, share of sum(c_i^2) by factor, in
            factor order; ``rows_not_settled``, rows whose non-negative least squares stopped at its
            sweep limit.
        """
        centred = self._energy - float(self._sum @ self._sum) / max(self.rows, 1)
        share = self._error / self._energy if self._energy > 0 else 0.0
        total = float(self._factor.sum())
        return {
            "rows": self.rows,
            "relative_error": float(np.sqrt(share)),
            "explained_share": 1.0 - share,
            "explained_variance": 1.0 - self._error / centred if centred > 0 else 1.0,
            "factor_energy": [float(v) / total if total > 0 else 0.0 for v in self._factor],
            "rows_not_settled": self.unfinished,
        }


@dataclass
class Band:
    """Coefficients of the extracted pixels of a band of rows.

    Attributes
    ----------
    iy, ix : ndarray of int, shape (n,)
        Grid rows and columns.
    C : ndarray of float32, shape (n, k)
    residual : Residual
        Of these pixels alone.
    """

    iy: NDArray[np.intp]
    ix: NDArray[np.intp]
    C: NDArray[np.float32]
    residual: Residual


def project_cube(
    cube: Cube,
    basis: NDArray[np.float64],
    path: Path,
    attrs: Mapping[str, Any],
    threads: int = 1,
    scheduler: Scheduler | None = None,
) -> Residual:
    """Write the coefficient maps of a slice, B fixed, one band of rows in memory at a time.

    Parameters
    ----------
    cube : Cube
        Representations of the slice.
    basis : ndarray, shape (k, units)
        The basis.
    path : Path
        Where the maps go; a place where nothing stands.
    attrs : mapping
        JSON values that are stored beside them.
    threads : int
        CPU threads.
    scheduler : Scheduler, optional
        Workers that solve the bands, a few at a time; the cube must be within their reach.

    Returns
    -------
    Residual
        How well the basis describes the slice.

    Raises
    ------
    InputError
        If the basis has another number of units than the cube.
    """
    factors, units = basis.shape
    if units != cube.units:
        raise InputError(
            f"{cube.path}: {cube.units} units, but the basis has {units}; "
            "both must come from one network"
        )
    maps = CoefficientMaps.create(path, cube.place, factors, attrs)
    residual = Residual(units, factors)
    for band in _bands(cube, basis, threads, scheduler):
        residual.join(band.residual)
        first = int(band.iy[0]) // CHUNK_ROWS * CHUNK_ROWS
        maps.write_rows(first, band.iy, band.ix, band.C)
    maps.annotate(residual.summary())
    return residual


def _bands(
    cube: Cube, basis: NDArray[np.float64], threads: int, scheduler: Scheduler | None
) -> Iterator[Band]:
    """Yield the bands of a cube in order; which machine solves them changes no bit."""
    if scheduler is None:
        for iy, ix, X in cube.batches(CHUNK_ROWS, desc=f"coefficients of slice {cube.z}"):
            yield _solve(iy, ix, X, basis, threads)
        return
    starts = range(0, cube.shape[0], CHUNK_ROWS)
    wanted = [start for start in starts if cube.extracted[start : start + CHUNK_ROWS].any()]
    work = partial(_band_on_worker, cube.path.resolve(), basis)
    yield from progress(
        scheduler.each(work, wanted), f"coefficients of slice {cube.z}", len(wanted), "band"
    )


def _band_on_worker(path: Path, basis: NDArray[np.float64], start: int) -> Band:
    cube = Cube.open(path)
    rows = np.zeros(cube.shape, dtype=bool)
    rows[start : start + CHUNK_ROWS] = True
    ((iy, ix, X),) = cube.batches(CHUNK_ROWS, rows)
    return _solve(iy, ix, X, basis, threads=1)


def _solve(
    iy: NDArray[np.intp],
    ix: NDArray[np.intp],
    X: NDArray[np.float32],
    basis: NDArray[np.float64],
    threads: int,
) -> Band:
    residual = Residual(X.shape[1], len(basis))
    C, residual.unfinished = nonnegative_coefficients(X, basis, threads)
    residual.add(X, C, basis)
    return Band(iy, ix, C, residual)
