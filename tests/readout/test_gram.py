from __future__ import annotations

import numpy as np
import pytest

from brainarch.readout import gram, gram_excerpt
from brainarch.readout.compared import equal_rows
from brainarch.readout.gram_excerpt import GramExcerpt, excerpt_gram, load_excerpt, save_excerpt


def brute_force(rows, area):
    """Return the block error from the whole matrix, as V writes it."""
    same = area[:, None] == area[None, :]
    return np.linalg.norm(rows @ rows.T - same) / len(rows)


def summary(rows, area):
    return gram.summarise_gram(rows, area, np.arange(len(rows)) % 9, resamples=200, seed=0)


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    area = np.repeat(np.arange(4), 30)
    values = np.abs(rng.normal(size=(120, 8)) + 2 * np.eye(4, 8)[area])
    return gram.unit_rows(values)[0], area


def test_error_is_that_of_the_whole_matrix(sample, monkeypatch):
    monkeypatch.setattr(gram, "CHUNK", 17)
    rows, area = sample
    assert summary(rows, area).error == pytest.approx(brute_force(rows, area), rel=1e-12)
    order = np.random.default_rng(1).permutation(len(rows))
    assert summary(rows[order], area[order]).error == pytest.approx(brute_force(rows, area))


def test_constant_representations_of_six_areas():
    rows, _ = gram.unit_rows(np.ones((60, 5)))
    assert summary(rows, np.repeat(np.arange(6), 10)).error == pytest.approx(np.sqrt(5 / 6))


def test_orthogonal_patches():
    found = summary(np.eye(60), np.repeat(np.arange(6), 10))
    assert found.error == pytest.approx(np.sqrt(1 / 6 - 1 / 60))


def test_perfect_representations_have_no_error():
    area = np.repeat(np.arange(6), 10)
    found = summary(np.eye(6)[area], area)
    assert found.error == pytest.approx(0, abs=1e-7)
    np.testing.assert_allclose(found.means, np.eye(6), atol=1e-12)


def test_zero_representations_are_counted_and_stay_zero():
    values = np.ones((12, 3))
    values[[2, 7]] = 0
    rows, zero = gram.unit_rows(values)
    assert zero == 2
    assert not rows[[2, 7]].any()
    area = np.repeat([0, 1], 6)
    found = summary(rows, area)
    assert found.error == pytest.approx(brute_force(rows, area))


def test_area_means_are_those_of_the_blocks(sample):
    rows, area = sample
    found = summary(rows, area)
    product = rows @ rows.T
    for a in range(4):
        for b in range(4):
            expected = product[np.ix_(area == a, area == b)].mean()
            assert found.means[a, b] == pytest.approx(expected)
            assert found.means_low[a, b] <= expected <= found.means_high[a, b]


def test_areas_weigh_the_same_whatever_their_size():
    rng = np.random.default_rng(0)
    rows = gram.unit_rows(rng.normal(size=(20, 3)))[0]
    area = np.repeat([0, 1], 10)
    # Listing every patch of one area three times changes no mean, so not the error either.
    again = np.concatenate([np.arange(20), np.arange(10), np.arange(10)])
    found = summary(rows[again], area[again])
    assert found.error == pytest.approx(brute_force(rows, area))


def test_areas_keep_their_numbers_when_some_are_absent(sample):
    rows, area = sample
    kept = area != 1
    found = summary(rows[kept], area[kept])
    assert found.means.shape == (3, 3)
    assert found.error == pytest.approx(brute_force(rows[kept], area[kept]))


def test_interval_is_that_of_resampled_matrices(sample):
    rows, area = sample
    rng = np.random.default_rng(2)
    block = rng.integers(0, 12, len(rows))
    errors = []
    for _ in range(400):
        drawn = rng.integers(0, 12, 12)
        picked = np.concatenate([np.flatnonzero(block == index) for index in drawn])
        weight = 1 / np.bincount(area[picked], minlength=4)[area[picked]]
        same = area[picked][:, None] == area[picked][None, :]
        squares = (rows[picked] @ rows[picked].T - same) ** 2
        errors.append(np.sqrt(weight @ squares @ weight) / 4)
    half = 2.201 * np.std(errors) * np.sqrt(12 / 11)  # Student's t, 11 degrees of freedom
    found = gram.summarise_gram(rows, area, block, resamples=2000, seed=0)
    assert found.low == pytest.approx(found.error - half, abs=0.2 * half)
    assert found.high == pytest.approx(found.error + half, abs=0.2 * half)


def test_units_of_different_scales_are_scaled_but_not_centred():
    rng = np.random.default_rng(0)
    values = rng.random((30, 4)) + 1
    scale = np.array([1e-3, 1, 50, 1e4])
    first, _ = gram.unit_rows(values, commensurate=False)
    second, _ = gram.unit_rows(values * scale, commensurate=False)
    np.testing.assert_allclose(first, second)
    assert (first > 0).all()
    raw, _ = gram.unit_rows(values * scale)
    assert not np.allclose(raw, second)


def test_a_unit_that_is_always_zero_is_harmless():
    values = np.ones((4, 3))
    values[:, 1] = 0
    rows, zero = gram.unit_rows(values, commensurate=False)
    assert zero == 0
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)


def test_equal_rows_are_equal_and_sorted(caplog):
    area = np.array([2, 0, 0, 2, 2, 0, 2, 0, 0])
    rows = equal_rows(area, 4, seed=1)
    assert area[rows].tolist() == [0] * 4 + [2] * 4
    assert len(set(rows)) == 8
    assert not caplog.records
    assert len(equal_rows(area, 2, seed=1)) == 4
    assert len(equal_rows(area, 50, seed=1)) == 8
    assert "smallest area has 4 patches" in caplog.text


def test_excerpt_is_part_of_the_matrix(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(gram_excerpt, "ROWS", 41)
    rows, area = sample
    product, drawn = excerpt_gram(rows, area)
    assert product.shape == (40, 40)
    assert np.bincount(drawn).tolist() == [10] * 4
    whole = (rows @ rows.T).astype(np.float32)
    assert np.isin(product, whole).all()
    assert product[0, 0] == whole[0, 0]
    assert product[0, -1] == whole[0, -1]
    excerpt = GramExcerpt(product, drawn, ("a", "b", "c", "d"), "cnn")
    save_excerpt(excerpt, tmp_path / "gram.zarr")
    found = load_excerpt(tmp_path / "gram.zarr")
    np.testing.assert_array_equal(found.gram, product)
    np.testing.assert_array_equal(found.area, drawn)
    assert (found.areas, found.network) == (excerpt.areas, "cnn")
