"""Linear probes on a few labelled blocks: which patches they see, and what they reach."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.readout.label_efficiency import COUNTS, efficiency_table, labelled


def test_labelled_patches_are_those_of_so_many_blocks_of_each_area():
    rng = np.random.default_rng(0)
    area, blocks = rng.integers(0, 3, 600), rng.integers(0, 12, 600)
    blocks[area == 2] = 5  # one block is all that this area has
    rows = labelled(area, blocks, 4, seed=1, draw=0)
    assert (np.diff(rows) > 0).all()
    for index, count in ((0, 4), (1, 4), (2, 1)):
        own = rows[area[rows] == index]
        taken = np.unique(blocks[own])
        assert len(taken) == count
        np.testing.assert_array_equal(own, np.flatnonzero((area == index) & np.isin(blocks, taken)))
    np.testing.assert_array_equal(rows, labelled(area, blocks, 4, seed=1, draw=0))
    assert not np.array_equal(rows, labelled(area, blocks, 4, seed=1, draw=1))


def test_more_blocks_are_worth_more_where_blocks_differ(make):
    """Each block has a mean of its own, so that one block of an area says little of the others."""
    rng = np.random.default_rng(0)
    n_blocks, each, units = 24, 12, 4

    def drawn(seed):
        offsets = np.random.default_rng(seed).normal(size=(3, n_blocks, units)) * 2.5
        area = np.repeat(np.arange(3), n_blocks * each)
        block = np.tile(np.repeat(np.arange(n_blocks), each), 3)
        values = np.eye(3, units)[area] * 4 + offsets[area, block]
        return values + rng.normal(size=values.shape), area, block

    values, area, block = drawn(1)
    train = make(values, area, block)
    values, area, block = drawn(2)
    test = make(values, area, block)
    noise = make(rng.normal(size=values.shape), area, block)
    table = efficiency_table(
        {"cnn": train, "noise": noise}, {"cnn": test, "noise": noise}, side=1000, draws=6, seed=3
    )
    own = table[table["network"] == "cnn"].set_index("blocks")
    assert list(own.index) == [*COUNTS, n_blocks]
    assert own["every"].to_list() == [False] * 4 + [True]
    assert own.loc[n_blocks, "accuracy"] > own.loc[8, "accuracy"] > own.loc[1, "accuracy"] + 0.1
    assert own.loc[8, "patches"] == 3 * 8 * each
    assert (own["lowest"] <= own["accuracy"]).all()
    assert own.loc[n_blocks, "draws"] == 1
    assert np.isnan(own.loc[n_blocks, "spread"])


@pytest.mark.parametrize("most", [1, 3])
def test_counts_beyond_what_there_is_are_left_out(make, planted, most):
    values, area = planted(0)
    content = make(values, area, np.arange(len(area)) % most)
    table = efficiency_table({"cnn": content}, {"cnn": content}, side=1000, draws=2, seed=0)
    assert table["blocks"].to_list() == [count for count in COUNTS if count < most] + [most]
