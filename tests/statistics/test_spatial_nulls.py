"""Surrogate labels keep what they should and are no copies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from brainarch.statistics.spatial_nulls import (
    MAX_KAPPA,
    block_surrogates,
    kappa,
    shift_surrogates,
)


def layers(rows=60, columns=80):
    """Return four straight layers along y inside an unlabelled frame."""
    labels = np.zeros((rows, columns), dtype=np.uint8)
    labels[4:-4, 6:-6] = 1 + np.arange(columns - 12) * 4 // (columns - 12)
    return labels


def test_kappa_equals_scikit_learns():
    rng = np.random.default_rng(0)
    a = rng.integers(1, 5, 300)
    b = np.where(rng.random(300) < 0.6, a, rng.integers(1, 5, 300))
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    assert kappa(a, a) == pytest.approx(1)
    assert kappa(np.ones(4, int), np.ones(4, int)) == 1


def test_shifts_are_rolls_inside_the_box():
    labels = layers()
    found = list(
        shift_surrogates(labels, np.ones(labels.shape, bool), 30, np.random.default_rng(1))
    )
    assert len(found) == 30
    inner = labels[4:-4, 6:-6]
    for surrogate in found:
        assert (surrogate[:4] == 0).all()
        assert (surrogate[:, :6] == 0).all()
        assert np.array_equal(np.bincount(surrogate.ravel()), np.bincount(labels.ravel()))
        row = surrogate[4:-4, 6:-6][0]
        assert any(np.array_equal(row, np.roll(inner[0], s)) for s in range(len(row)))


@pytest.mark.parametrize("kind", ["shift", "block"])
def test_no_surrogate_is_a_copy(kind):
    labels = layers()
    valid = np.ones(labels.shape, bool)
    rng = np.random.default_rng(2)
    if kind == "shift":
        found = list(shift_surrogates(labels, valid, 60, rng))
        # Without the rule, shifts along the layers would be copies.
        copies = [np.roll(labels[4:-4, 6:-6], (9, 0), axis=(0, 1))]
        assert kappa(copies[0].ravel(), labels[4:-4, 6:-6].ravel()) == 1
    else:
        found = list(block_surrogates(labels, valid, 16, 60, rng))
    assert len(found) == 60
    for surrogate in found:
        both = (surrogate > 0) & (labels > 0)
        assert kappa(surrogate[both], labels[both]) <= MAX_KAPPA


def test_blocks_move_as_wholes():
    # Distinct values: neighbours inside a block stay neighbours.
    labels = np.arange(1, 24 * 24 + 1).reshape(24, 24)
    valid = np.ones(labels.shape, bool)
    for surrogate in block_surrogates(labels, valid, 8, 20, np.random.default_rng(3)):
        present = surrogate[surrogate > 0]
        assert len(np.unique(present)) == len(present)
        right = (surrogate[:, 1:] > 0) & (surrogate[:, :-1] > 0)
        together = (surrogate[:, 1:] - surrogate[:, :-1] == 1)[right].mean()
        assert together > 0.8
        assert not np.array_equal(surrogate, labels)


def test_too_few_blocks_give_no_surrogates():
    labels = layers()
    assert not list(block_surrogates(labels, labels > 0, 40, 30, np.random.default_rng(4)))


def test_surrogates_must_share_pixels_with_the_map():
    # An L of labels: shifts that miss most of the valid pixels are left out.
    labels = np.zeros((40, 40), dtype=int)
    labels[:, :4], labels[-4:, :] = 1, 2
    valid = labels > 0
    rng = np.random.default_rng(5)
    for surrogate in shift_surrogates(labels, valid, 20, rng):
        assert ((surrogate > 0) & valid).sum() >= 0.25 * valid.sum()


def test_nothing_labelled_gives_nothing():
    empty = np.zeros((9, 9), dtype=int)
    rng = np.random.default_rng(6)
    assert not list(shift_surrogates(empty, empty == 0, 5, rng))
    assert not list(block_surrogates(empty, empty == 0, 3, 5, rng))
