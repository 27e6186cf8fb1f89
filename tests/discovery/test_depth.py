"""Depth against closed forms: rectangles, slanted strips, rings."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.discovery.depth import Border, area_depth, close_gaps, parse_border
from brainarch.errors import InputError

CTX, WM, STR = 1, 2, 3
OUTSIDE = Border("outside", 0)
WHITE = Border("WM", WM)


def block(gap=0, rows=120, columns=200, left=80, right=180):
    """Return cortex with white matter to its left, cut above and below."""
    labels = np.zeros((rows, columns), dtype=np.uint8)
    labels[20:100, left:right] = CTX
    labels[20:100, left - gap - 30 : left - gap] = WM
    return labels


def test_depth_of_a_rectangle_is_linear_and_ignores_the_cut_faces():
    found = area_depth(block(), CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    assert found.depth.shape == (80, 100)
    assert (found.y[0], found.x[0]) == (20, 80)
    expected = 1 - (np.arange(100) + 0.5) / 100
    # Distances to a border that ends at the cut faces are along the row everywhere.
    np.testing.assert_allclose(found.depth, np.broadcast_to(expected, (80, 100)), atol=0.01)
    np.testing.assert_allclose(found.upper_px[:, -1], 0.5, atol=0.01)
    np.testing.assert_allclose(found.lower_px[:, 0], 0.5, atol=0.01)


def test_all_the_outside_would_have_been_wrong():
    """The control: with every outside pixel as border, the middle row's neighbours bend."""
    labels = block()
    every = [Border(f"outside-{side}", 0, side) for side in ("top", "bottom")]
    for border in every:
        found = area_depth(labels, CTX, border, WHITE, gap=0, hole_px=0)
        assert np.abs(found.depth - (1 - (np.arange(100) + 0.5) / 100)).max() > 0.2


def test_upper_and_lower_exchanged_turn_depth_round():
    labels = block()
    one = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=0).depth
    two = area_depth(labels, CTX, WHITE, OUTSIDE, gap=0, hole_px=0).depth
    np.testing.assert_allclose(one + two, 1, atol=1e-6)


@pytest.mark.parametrize("gap", [6, 21, 40])
def test_a_gap_of_unlabelled_pixels_is_halved(gap):
    found = area_depth(block(gap=gap), CTX, OUTSIDE, WHITE, gap=48, hole_px=0)
    assert found.depth.shape == (80, 100), "the gap is not part of the area"
    expected = 1 - (np.arange(100) + 0.5 + gap / 2) / (100 + gap / 2)
    np.testing.assert_allclose(found.depth[40], expected, atol=1.5 / 100)


def test_a_gap_wider_than_allowed_is_no_border():
    with pytest.raises(InputError, match=r"no border with WM.*up to 10 px closed"):
        area_depth(block(gap=25), CTX, OUTSIDE, WHITE, gap=10, hole_px=0)


def test_depth_of_a_ring_is_radial():
    y, x = np.mgrid[:241, :241]
    radius = np.hypot(y - 120, x - 120)
    labels = np.where(radius < 50, WM, np.where(radius < 110, CTX, 0)).astype(np.uint8)
    found = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    own = labels[found.y[0] : found.y[-1] + 1, found.x[0] : found.x[-1] + 1] == CTX
    expected = (110 - radius) / 60
    inner = expected[found.y[0] : found.y[-1] + 1, found.x[0] : found.x[-1] + 1]
    assert np.abs(found.depth - inner)[own].max() < 0.02
    assert np.isnan(found.depth[~own]).all()


def test_a_hole_is_not_the_outside():
    labels = block()
    labels[55:65, 120:130] = 0
    found = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    whole = area_depth(block(), CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    own = np.isfinite(found.depth)
    np.testing.assert_allclose(found.depth[own], whole.depth[own], atol=1e-6)


@pytest.mark.parametrize("code", [0, WM])
def test_a_speck_is_no_border(code):
    labels = block()
    labels[50:53, 150:153] = code
    found = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=9)
    whole = area_depth(block(), CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    own = np.isfinite(found.depth)
    assert (~own).sum() == 9, "depth is of labelled pixels only"
    np.testing.assert_allclose(found.depth[own], whole.depth[own], atol=1e-6)
    if code:
        kept = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=8)
        assert np.abs(kept.depth - whole.depth)[own].max() > 0.1


def test_the_edge_of_the_slice_is_outside():
    labels = block()[:, :180]
    expected = 1 - (np.arange(100) + 0.5) / 100
    found = area_depth(labels, CTX, OUTSIDE, WHITE, gap=0, hole_px=0)
    np.testing.assert_allclose(found.depth[40], expected, atol=0.01)


def test_two_areas_or_two_sides_can_be_the_borders():
    labels = block()
    expected = 1 - (np.arange(100) + 0.5) / 100
    sides = area_depth(
        np.where(labels == WM, 0, labels),
        CTX,
        Border("outside-right", 0, "right"),
        Border("outside-left", 0, "left"),
        gap=0,
        hole_px=0,
    )
    np.testing.assert_allclose(sides.depth, np.broadcast_to(expected, (80, 100)), atol=0.01)
    labels[20:100, 180:195] = STR
    areas = area_depth(labels, CTX, Border("Str", STR), WHITE, gap=0, hole_px=0)
    np.testing.assert_allclose(areas.depth, np.broadcast_to(expected, (80, 100)), atol=0.01)


def test_impossible_borders_are_refused():
    labels = block()
    with pytest.raises(InputError, match="both outside"):
        area_depth(labels, CTX, OUTSIDE, OUTSIDE, gap=0, hole_px=0)
    with pytest.raises(InputError, match="no pixel has the area's code 9"):
        area_depth(labels, 9, OUTSIDE, WHITE, gap=0, hole_px=0)
    with pytest.raises(InputError, match="no border with Str"):
        area_depth(labels, CTX, OUTSIDE, Border("Str", STR), gap=0, hole_px=0)


def test_border_names():
    codes = {"Ctx": 1, "WM": 2}
    assert parse_border("WM", codes) == WHITE
    assert parse_border("outside", codes) == OUTSIDE
    assert parse_border("outside-left", codes) == Border("outside-left", 0, "left")
    for name in ("wm", "left", "outside-up", ""):
        with pytest.raises(InputError, match="name an area"):
            parse_border(name, codes)


def test_closing_fills_strips_but_does_not_grow_the_outline():
    labels = block(gap=10)
    closed = close_gaps(labels, 20)
    assert (closed[24:96, 70:75] == WM).all()  # the ends of the strip are rounded
    assert (closed[24:96, 75:80] == CTX).all()
    assert (closed[:20] == 0).all()
    assert (closed[:, 180:] == 0).all()
    assert np.array_equal(closed[labels > 0], labels[labels > 0])
    assert np.array_equal(close_gaps(labels, 0), labels)
