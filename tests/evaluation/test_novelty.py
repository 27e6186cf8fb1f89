"""Novelty: Mahalanobis distances beside scipy's, a planted stranger, a file that is what it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from brainarch.dense.cube import Cube
from brainarch.embedding.representations import Representations, save_representations
from brainarch.errors import InputError
from brainarch.evaluation.novelty import map_novelty, read_usual
from brainarch.evaluation.usual import fit_novelty, fit_usual
from brainarch.grids.grid import Place

UNITS, MEANS = 6, np.array([[0, 0, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0], [0, 4, 0, 0, 0, 0]], float)
#: Standard deviations of the units: the last hardly varies, and a step along it is a large one.
SPREAD = np.array([1, 1, 1, 1, 0.5, 0.05])


def draw(n, seed):
    """Return representations of n patches, the areas in turn."""
    rng = np.random.default_rng(seed)
    area = np.arange(n) % 3
    return area, (MEANS[area] + SPREAD * rng.standard_normal((n, UNITS))).astype(np.float32)


def representations(n=3000, seed=0):
    area, values = draw(n, seed)
    place = np.zeros(n, np.int32)
    return Representations(
        values=values, z=place, y=place, x=place, area=area.astype(np.int32),
        areas=("Ctx", "Str", "WM"), network="cnn",
        unit_names=tuple(f"unit{i}" for i in range(UNITS)), commensurate=True,
        network_digest="abc", seed=0,
    )  # fmt: skip


def test_distances_are_scipys():
    train = representations()
    usual = fit_usual(train, 0.99)
    own = np.stack([train.values[train.area == a].mean(axis=0, dtype=float) for a in range(3)])
    inside = train.values - own[train.area]
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(inside).covariance_)
    _, other = draw(500, seed=1)
    expected = cdist(other, own, "mahalanobis", VI=precision).min(axis=1) / np.sqrt(UNITS)
    np.testing.assert_allclose(usual.distances(other), expected, rtol=1e-5)


def test_a_log_likelihood_follows_from_a_distance():
    train = representations()
    usual = fit_usual(train, 0.99)
    _, other = draw(50, seed=1)
    away = usual.area_distances(other)
    np.testing.assert_array_equal(away.min(axis=1), usual.distances(other))
    for mean, own in zip(usual.means, away.T, strict=True):
        expected = multivariate_normal(mean, np.linalg.inv(usual.precision)).logpdf(other)
        np.testing.assert_allclose(usual.log_density - UNITS * own**2 / 2, expected, rtol=1e-6)


def test_the_threshold_is_the_training_datas_own_quantile():
    train = representations()
    for quantile in (0.9, 0.99):
        usual = fit_usual(train, quantile)
        beyond = (usual.distances(train.values) > usual.threshold).mean()
        assert beyond == pytest.approx(1 - quantile, abs=1e-3)
        fresh = (usual.distances(draw(6000, seed=2)[1]) > usual.threshold).mean()
        assert fresh == pytest.approx(1 - quantile, abs=0.02)


def test_a_planted_stranger_is_found_and_nothing_else(tmp_path):
    """A square of the map has half a unit more of what hardly varies: as far as 10 of its sigma."""
    _, values = draw(40 * 50, seed=3)
    grid = values.reshape(40, 50, UNITS).copy()
    planted = np.zeros((40, 50), bool)
    planted[10:20, 30:45] = True
    grid[planted, 5] += 0.5
    done = np.ones((40, 50), bool)
    done[:, 0] = False
    place = Place(3, 1, 1.17, np.arange(40), np.arange(50))
    Cube.create(tmp_path / "cube.zarr", place, UNITS).write(0, 0, grid, done)
    usual = fit_usual(representations(), 0.99)
    novelty = map_novelty(Cube.open(tmp_path / "cube.zarr"), usual)
    np.testing.assert_array_equal(np.isnan(novelty), ~done)
    beyond = novelty > usual.threshold
    assert beyond[planted].all()
    assert beyond[done & ~planted].mean() < 0.03
    # Distances without the covariance, as far as they go, do not find it.
    plain = np.min([((grid - mean) ** 2).sum(axis=-1) for mean in MEANS], axis=0)
    assert (plain > np.quantile(plain[~planted], 0.99))[planted].mean() < 0.1


def test_an_area_without_training_patches_is_no_neighbour():
    train = representations()
    few = train.rows(train.area != 1)
    assert fit_usual(few, 0.99).distances(MEANS[1:2])[0] > 1.3
    assert fit_usual(train, 0.99).distances(MEANS[1:2])[0] < 0.1


def test_the_file_says_what_was_fitted_and_whether_it_still_does(tmp_path):
    save_representations(representations(), tmp_path / "train.zarr")
    path = tmp_path / "novelty.json"
    fit_novelty(representations=tmp_path / "train.zarr", novelty=path, quantile=0.95)
    fitted, found = fit_usual(representations(), 0.95), read_usual(path)
    np.testing.assert_array_equal(found.precision, fitted.precision)
    np.testing.assert_array_equal(found.means, fitted.means)
    assert (found.threshold, found.network) == (fitted.threshold, "abc")
    text = path.read_text()
    content = json.loads(text)
    content["threshold"] += 1
    for wrong in (json.dumps(content), text[:-200], "[]", "{}"):
        path.write_text(wrong)
        with pytest.raises(InputError, match="run `brainarch fit-novelty` again") as caught:
            read_usual(path)
        assert "\n" not in str(caught.value)


def test_representations_that_do_not_vary_are_refused():
    train = representations(30)
    train.values[:] = train.area[:, None]
    with pytest.raises(InputError, match="the same all over each area"):
        fit_usual(train, 0.99)
