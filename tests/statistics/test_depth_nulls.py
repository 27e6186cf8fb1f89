"""Depth nulls keep bands and raggedness, and count how many of them differ."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from brainarch.statistics.depth_nulls import (
    SAME,
    band_profile,
    different,
    random_rulers,
    rearranged_bands,
)

ROWS, COLUMNS = 12, 64


def strip():
    """Return places and depth of a strip whose columns are the bins of depth."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    places = np.stack([y.ravel(), x.ravel()], axis=1).astype(float)
    return places, (x.ravel() + 0.5) / COLUMNS


def test_a_surrogate_is_the_map_with_its_columns_in_another_order():
    places, depth = strip()
    codes = 1 + (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) * 7 % 3) // 2
    codes[:, 20:45] += 2
    found = rearranged_bands(codes.ravel(), places, depth, 30, np.random.default_rng(0))
    assert found.codes.shape == (found.effective, ROWS * COLUMNS)
    assert found.effective >= 15
    columns = sorted(map(tuple, codes.T))
    moved = 0
    for surrogate in found.codes:
        grid = surrogate.reshape(ROWS, COLUMNS)
        assert sorted(map(tuple, grid.T)) == columns, "every column is one of the map's, once"
        moved += not np.array_equal(grid, codes)
    assert moved == found.effective


def test_no_two_surrogates_are_the_same_and_none_is_the_map():
    places, depth = strip()
    codes = np.tile(np.repeat([1, 2, 3], [24, 24, 16]), ROWS)
    found = rearranged_bands(codes, places, depth, 40, np.random.default_rng(5))
    assert 10 < found.effective == len(found.codes) <= 40
    rows = [codes[:COLUMNS], *(surrogate[:COLUMNS] for surrogate in found.codes)]
    alike = [
        normalized_mutual_info_score(one, other) for i, one in enumerate(rows) for other in rows[:i]
    ]
    assert max(alike) < SAME


def test_a_map_without_bands_has_no_surrogates():
    places, depth = strip()
    found = rearranged_bands(np.ones(len(depth), int), places, depth, 50, np.random.default_rng(6))
    assert found.effective == len(found.codes) == 0


def test_bands_of_a_clean_map_keep_their_widths():
    places, depth = strip()
    widths = {1: 9, 2: 20, 3: 25, 4: 10}
    codes = np.repeat(list(widths), list(widths.values()))
    found = rearranged_bands(np.tile(codes, ROWS), places, depth, 50, np.random.default_rng(1))
    for surrogate in found.codes:
        row = surrogate[:COLUMNS]
        assert {code: (row == code).sum() for code in widths} == widths
        # Turned round on the circle, one band may lie at both ends.
        assert np.count_nonzero(np.diff(row)) <= len(widths) + 1


def test_rulers_are_cut_uniformly():
    depth = np.linspace(0.2, 0.7, 2001)
    found = random_rulers(depth, 2, 2000, np.random.default_rng(2))
    share = (found.codes == 1).mean(axis=1)
    assert found.effective == 2000
    assert np.quantile(share, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    assert random_rulers(depth, 1, 50, np.random.default_rng(3)).effective == 1


def test_the_profile_is_the_most_frequent_code_without_slivers():
    bins = np.repeat(np.arange(6), 10)
    codes = np.repeat([1, 1, 3, 2, 2, 2], 10)
    codes[::10] = 4
    assert band_profile(codes, bins).tolist() == [1, 1, 1, 2, 2, 2]


def test_profiles_count_once_however_their_codes_are_called():
    rng = np.random.default_rng(4)
    profiles = np.sort(rng.integers(0, 4, (40, 64)), axis=1)
    renamed = np.array([2, 0, 3, 1])[profiles]
    found = different(np.concatenate([profiles, renamed, profiles]))
    assert found == different(profiles)
    kept: list[np.ndarray] = []
    for profile in profiles:
        same = (normalized_mutual_info_score(profile, other) >= SAME for other in kept)
        if not any(same):
            kept.append(profile)
    assert 1 < len(found) == len(kept) < 40
