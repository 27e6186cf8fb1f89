"""The solver against scikit-learn and a literal descent; threads, blocks and slices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, nnls
from sklearn.decomposition import NMF

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.factors import basis, rows
from brainarch.factors.basis import fit_basis, nndsvd
from brainarch.factors.rows import Rows
from brainarch.factors.solver import descend, improve_basis, sweep_rows
from brainarch.grids.grid import Place

LIMITS = {"max_passes": 200, "tolerance": 1e-4, "threads": 1}
FIT = {"starts": 2, "max_iterations": 200, "tolerance": 1e-4, "seed": 1}


def noisy(n=3000, units=20, k=5, seed=0):
    """Return non-negative X of a few factors and noise, so that no factorisation is exact."""
    rng = np.random.default_rng(seed)
    C = rng.exponential(size=(n, k)) * (rng.random((n, k)) < 0.5)
    X = C @ rng.gamma(0.5, size=(k, units))
    return np.maximum(X + rng.normal(scale=0.3, size=X.shape), 0).astype(np.float32)


def energy(X):
    return float((X.astype(np.float64) ** 2).sum())


@pytest.mark.parametrize("seed", range(3))
def test_the_error_is_scikit_learns_within_a_thousandth(seed):
    X = noisy(seed=seed)
    theirs = NMF(5, init="nndsvda", solver="cd", tol=1e-4, max_iter=1000, random_state=0).fit(X)
    ours = fit_basis(Rows.of(X), 5, **FIT).curve["relative_error"].iloc[-1]
    assert ours <= 1.001 * theirs.reconstruction_err_ / np.sqrt(energy(X))


def test_a_sweep_is_the_literal_descent():
    rng = np.random.default_rng(3)
    X, B, C = rng.random((300, 9)), rng.random((4, 9)), rng.random((300, 4))
    B[2] = 0  # a factor without a basis row keeps its coefficients
    expected = C.copy()
    for row, x in zip(expected, X, strict=True):
        for _ in range(2):
            for t in (0, 1, 3):
                rest = x - np.delete(row, t) @ np.delete(B, t, axis=0)
                row[t] = max(0.0, rest @ B[t] / (B[t] @ B[t]))
    found = np.ascontiguousarray(C.T, dtype=np.float32)
    sweep_rows((B @ X.T).astype(np.float32), (B @ B.T).astype(np.float32), found, 2)
    np.testing.assert_allclose(found.T, expected, atol=2e-5)


def test_sweeps_of_the_basis_end_at_non_negative_least_squares():

    rng = np.random.default_rng(4)
    C, X = rng.random((50, 3)), np.maximum(rng.normal(size=(50, 8)), 0)
    B = rng.random((3, 8))
    for _ in range(50):
        improve_basis(B, C.T @ C, C.T @ X)
    np.testing.assert_allclose(B, np.array([nnls(C, x)[0] for x in X.T]).T, atol=1e-8)


def test_no_pass_makes_it_worse_and_the_last_is_what_is_said():
    X = noisy()
    found = descend(Rows.of(X), nndsvd(X, 5), energy(X), **LIMITS)
    assert found.converged
    assert len(found.errors) > 3
    assert (np.diff(found.errors) <= 1e-6).all()


def cubes(folder, count=2):
    """Two slices in cubes of several chunks, with holes, and their rows in the cubes' order."""
    found, parts = [], []
    for z in range(count):
        X = noisy(40 * 50, seed=z).reshape(40, 50, -1)
        done = np.random.default_rng(z).random((40, 50)) < 0.8
        done[:16, :16] = False
        place = Place(z, 1, 1.17, np.arange(40), np.arange(50))
        cube = Cube.create(folder / f"z{z}.zarr", place, X.shape[2], chunk=16)
        cube.write(0, 0, X, done)
        found.append(cube)
        for part in cube.chunks():
            parts.append(X[part][done[part]])
    return found, np.concatenate(parts)


def test_cubes_are_read_chunk_by_chunk_and_every_pixel_once(tmp_path):
    opened, X = cubes(tmp_path)
    read = Rows.of_cubes(opened)
    assert len(read.sizes) > 20
    assert read.count == len(X) == sum(cube.count for cube in opened)
    parts = [read.read(index) for index in range(len(read.sizes))]
    assert tuple(map(len, parts)) == read.sizes
    assert np.array_equal(np.concatenate(parts), X)
    sample, own = read.examined(500, 1)
    every = -(-len(X) // 500)
    assert np.array_equal(sample.read(0), X[::every])
    assert own == pytest.approx(energy(X))


def test_the_basis_depends_neither_on_threads_nor_on_memory(tmp_path, monkeypatch):
    opened, X = cubes(tmp_path)
    monkeypatch.setattr(basis, "SAMPLE_ROWS", 400)
    one = fit_basis(Rows.of_cubes(opened), 5, threads=1, **FIT)
    two = fit_basis(Rows.of_cubes(opened), 5, threads=2, **FIT)
    monkeypatch.setattr(rows, "HELD_BYTES", 0)
    read_again = fit_basis(Rows.of_cubes(opened), 5, threads=2, **FIT)
    for other in (two, read_again):
        assert np.array_equal(one.values, other.values)
        assert one.curve.equals(other.curve)
    whole = one.curve[one.curve["pixels"] == len(X)]
    assert set(one.curve["start"]) == {1, 2}
    assert len(whole) == one.passes


def test_slices_together_fit_both_as_well_as_one_array_of_their_pixels(tmp_path):
    opened, X = cubes(tmp_path)
    together = fit_basis(Rows.of_cubes(opened), 5, **FIT).curve["relative_error"].iloc[-1]
    assert together == pytest.approx(
        fit_basis(Rows.of(X), 5, **FIT).curve["relative_error"].iloc[-1], rel=1e-3
    )


def test_a_sample_is_a_start_and_not_the_answer(monkeypatch):
    X = noisy(6000, seed=7)
    whole = fit_basis(Rows.of(X), 5, **FIT).curve["relative_error"].iloc[-1]
    monkeypatch.setattr(basis, "SAMPLE_ROWS", 50)
    started = fit_basis(Rows.of(X), 5, **FIT).curve["relative_error"].iloc[-1]
    assert started == pytest.approx(whole, rel=2e-3)


def test_strange_values_are_counted_for_the_cube_that_has_them(tmp_path):
    opened, _ = cubes(tmp_path)
    block = np.ones((1, 2, opened[1].units), dtype=np.float32)
    block[0, 0, :3], block[0, 1, 4] = np.nan, -1
    opened[1].write(20, 20, block, np.ones((1, 2), dtype=bool))
    with pytest.raises(InputError, match=r"z1\.zarr: 3 values are not finite and 1 negative"):
        fit_basis(Rows.of_cubes(opened), 5, **FIT)


def test_cubes_of_two_networks_are_refused(tmp_path):
    place = Place(0, 1, 1.17, np.arange(4), np.arange(4))
    made = [Cube.create(tmp_path / f"{n}.zarr", place, n) for n in (6, 8)]
    with pytest.raises(InputError, match=r"8\.zarr: 8 units, but .*6\.zarr has 6"):
        Rows.of_cubes(made)


def test_a_lost_chunk_is_one_line(tmp_path):
    opened, _ = cubes(tmp_path)
    (tmp_path / "z0.zarr" / "representation" / "c" / "1" / "1" / "0").unlink()
    again = [Cube.open(cube.path) for cube in opened]
    with pytest.raises(InputError, match=r"z0\.zarr: .*c/1/1/0 is missing"):
        fit_basis(Rows.of_cubes(again), 5, **FIT)


def test_planted_factors_are_found_in_noise():
    """k = 15, half of the coefficients zero, 10 % noise, five seeds."""

    cosines = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        B = rng.exponential(size=(15, 64)) * (rng.random((15, 64)) < 0.5)
        C = rng.exponential(size=(6000, 15)) * (rng.random((6000, 15)) < 0.5)
        X = C @ B
        X = np.maximum(X + rng.normal(scale=0.1 * X.std(), size=X.shape), 0)
        found = fit_basis(Rows.of(X), 15, **FIT | {"starts": 3}).values
        similar = found @ (B / np.linalg.norm(B, axis=1, keepdims=True)).T
        cosines.append(similar[linear_sum_assignment(-similar)].mean())
    assert np.mean(cosines) > 0.95
