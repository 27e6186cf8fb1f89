"""Places lie where they may, second views within reach, partners within reach of each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from brainarch.errors import InputError
from brainarch.training.contrast import ALONE, REACH, near_windows
from brainarch.training.view_draws import ContrastDraw, ContrastDraws, ViewGround, ViewPlaces

SHAPE = (300, 500)


def grounds(where: np.ndarray | None = None) -> list[ViewGround]:
    grey = np.zeros(SHAPE, dtype=np.uint8)
    return [ViewGround(z, grey, where) for z in (4, 54, 154)]


def draw(step: int = 0, seed: int = 1, **changes: object) -> ContrastDraw:
    values = {"number": 40, "side": 1, "orientation": "any", "seed": seed, **changes}
    return ContrastDraws(ViewPlaces(grounds()), **values)[step]  # type: ignore[arg-type]


def test_places_are_uniform_over_the_pixels_that_may_be_one() -> None:
    where = np.zeros(SHAPE, dtype=bool)
    where[10:20, 30:40] = where[290:, 480:] = True
    masked = [*grounds(where)[:2], ViewGround(154, np.zeros(SHAPE, dtype=np.uint8))]
    places = ViewPlaces(masked).draw(30000, np.random.default_rng(0))
    z, y, x = places
    some = z < 2
    assert where[y[some], x[some]].all()
    assert some.sum() == pytest.approx(30000 * 600 / (600 + SHAPE[0] * SHAPE[1]), abs=40)
    assert not where[y[~some], x[~some]].all()
    few = ViewPlaces(masked[:2]).draw(6000, np.random.default_rng(0))
    counts = np.bincount(np.ravel_multi_index(few, (2, *SHAPE)), minlength=2 * 150000)
    assert (counts[np.tile(where.ravel(), 2)] > 0).mean() > 0.99
    assert counts[np.tile(~where.ravel(), 2)].sum() == 0


def test_second_views_lie_within_reach_on_the_slice() -> None:
    places = ViewPlaces(grounds())
    first = places.draw(5000, np.random.default_rng(1))
    second = places.beside(first, 40.0, np.random.default_rng(2))
    assert np.array_equal(first[0], second[0])
    assert (second[1:] >= 0).all()
    assert (second[1:] < np.array(SHAPE)[:, None]).all()
    distances = np.linalg.norm(second[1:] - first[1:], axis=0)
    assert distances.max() <= 40
    assert distances.max() > 38
    # uniform in the disc: three quarters lie beyond half the reach
    middle = ((first[1:] > 40) & (first[1:] < np.array(SHAPE)[:, None] - 40)).all(axis=0)
    assert (distances[middle] > 20).mean() == pytest.approx(0.75, abs=0.05)
    # control: the same place
    assert np.array_equal(places.beside(first, 0.0, np.random.default_rng(2)), first)


def test_a_single_windows_partner_is_its_places_other_view() -> None:
    drawn = draw()
    assert torch.equal(drawn.partners, torch.arange(80).roll(40))
    z, y, x = drawn.positions.T.numpy()
    assert set(z) == {4, 54, 154}
    squares = drawn.views.squares.numpy()
    assert np.array_equal(np.stack([y, x], axis=1), squares[:, 1:])
    assert np.array_equal(z, np.array([4, 54, 154])[squares[:, 0]])


def test_partners_of_several_windows_are_within_reach_and_of_the_same_place() -> None:
    side, number = 4, 40
    drawn = draw(side=side)
    positions, partners = drawn.positions.numpy(), drawn.partners.numpy()
    assert len(partners) == 2 * number * side**2
    alone = 0
    for window, partner in enumerate(partners):
        view, place = divmod(window // side**2, number)
        others = ((1 - view) * number + place) * side**2 + np.arange(side**2)
        within = [o for o in others if math.dist(positions[window], positions[o]) <= REACH + 1e-3]
        if partner == ALONE:
            assert not within
            alone += 1
        else:
            assert partner in within
    assert 0 < alone < 0.3 * len(partners)
    # partners are not always the nearest: the distance is spread
    paired = partners != ALONE
    distances = np.linalg.norm(positions[paired] - positions[partners[paired]], axis=1)
    assert np.quantile(distances, 0.25) > 10
    assert near_windows(drawn.positions)[paired, partners[paired]].all()


def test_a_draw_depends_on_seed_and_step_alone() -> None:
    def same(one: ContrastDraw, other: ContrastDraw) -> bool:
        pairs = zip([*one.views, *one[1:]], [*other.views, *other[1:]], strict=True)
        return all(torch.equal(a, b) for a, b in pairs)

    assert same(draw(3), draw(3))
    assert not same(draw(3), draw(4))
    assert not same(draw(3), draw(3, seed=2))
    # both views of a place are altered, each in its own way
    views = draw().views
    for table in (views.shapes, views.optics, views.changes):
        assert not torch.equal(table[:40], table[40:])


def test_no_place_or_none_that_repels_is_one_clear_line() -> None:
    where = np.zeros(SHAPE, dtype=bool)
    with pytest.raises(InputError, match=r"slice 4, 54, 154.*no pixel"):
        ViewPlaces(grounds(where))
    where[:100, :100] = True
    with pytest.raises(InputError, match="within 200 pixels"):
        ViewPlaces(grounds(where)[:2])
    ViewPlaces(grounds(where))  # slices 150 apart: corners are farther than 200
