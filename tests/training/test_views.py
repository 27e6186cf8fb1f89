"""Views are the slice, turned, zoomed and blurred as scipy does it; nothing is read beyond it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from brainarch.errors import InputError
from brainarch.geometry import STRIDE, crop_pixels, cut_windows
from brainarch.network.grey import Normalisation, to_unit
from brainarch.training.cutting import stack_slices
from brainarch.training.views import (
    BLUR_REACH,
    SHADING,
    ZOOM,
    Views,
    alter_views,
    blur,
    cut_views,
    draw_optics,
    draw_shapes,
    make_views,
    square_pixels,
    view_margins,
    window_offsets,
)

NORMALISATION = Normalisation(0.45, 0.2)
SAME = [1.0, 0.0, 1.0, 0.0, 0.0]  # changes of grey that change nothing
IDENTITY = np.eye(2)


def slices(dtype: type = np.uint8) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    largest = np.iinfo(dtype).max
    return [
        (largest * ndimage.gaussian_filter(rng.random((220, 260)), 1)).astype(dtype)
        for _ in range(2)
    ]


def views(places: list[tuple[int, int, int]], shapes: np.ndarray) -> Views:
    number = len(places)
    return Views(
        torch.tensor(places),
        torch.from_numpy(np.asarray(shapes, dtype=np.float32)),
        torch.zeros(number, 3),
        torch.tensor([SAME] * number),
    )


@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize("orientation", ["fixed", "mirrored", "any"])
def test_views_are_what_scipy_samples(side: int, orientation: str) -> None:
    greys = slices()
    places = [(0, 110, 130), (1, 3, 255), (1, 219, 0), (0, 0, 128)]
    shapes = draw_shapes(4, orientation, np.random.default_rng(side))
    stack = stack_slices(greys, view_margins(side))
    grey, inside = cut_views(stack, views(places, shapes), side)
    pixels = crop_pixels(side) + 2 * BLUR_REACH
    assert grey.shape == inside.shape == (4, 1, pixels, pixels)
    steps = np.arange(pixels) - (pixels - 1) / 2
    offsets = np.stack(np.meshgrid(steps, steps, indexing="ij"))
    for found, within, (z, y, x), shape in zip(grey, inside, places, shapes, strict=True):
        centre = np.array([y - 0.5, x - 0.5])[:, None, None]
        where = np.einsum("ij,jrc->irc", shape, offsets) + centre
        margin = 200
        padded = np.pad(greys[z], margin).astype(float)
        truth = ndimage.map_coordinates(padded, where + margin, order=1)
        assert np.allclose(found[0], truth, atol=0.05)
        ends = np.array([220, 260])[:, None, None]
        on_slice = ((where >= -0.5) & (where <= ends - 0.5)).all(axis=0)
        assert (within[0].numpy() != on_slice).mean() < 1e-3
    # control: without the turn, the view is another one
    if orientation == "any":
        straight, _ = cut_views(stack, views(places, np.tile(IDENTITY, (4, 1, 1))), side)
        assert (grey[0] - straight[0]).abs().mean() > 5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_unaltered_view_is_the_window_that_extraction_reads(dtype: type) -> None:
    greys = slices(dtype)
    places = [(0, 110, 130), (1, 2, 258), (0, 219, 0)]
    stack = stack_slices(greys, view_margins(1))
    same = views(places, np.tile(IDENTITY, (3, 1, 1)))
    found = make_views(stack, int(np.iinfo(dtype).max), same, NORMALISATION, 1)
    for view, (z, y, x) in zip(found[:, 0].numpy(), places, strict=True):
        window = cut_windows(greys[z], np.array([y]), np.array([x]))[0]
        assert np.allclose(view, NORMALISATION.apply(to_unit(window)), atol=1e-3)


def test_beyond_the_slice_views_are_raw_0_whatever_is_changed() -> None:
    stack = stack_slices([np.full((220, 260), 200, dtype=np.uint8)], view_margins(1))
    shapes = draw_shapes(6, "any", np.random.default_rng(3))
    drawn = views([(0, 0, 0)] * 6, shapes)._replace(
        optics=torch.from_numpy(draw_optics(6, np.random.default_rng(4))),
        changes=torch.tensor([[1.2, 0.08, 0.8, 0.05, 8.0]] * 6),
    )
    found = make_views(stack, 255, drawn, NORMALISATION, 1)
    zero = (0 - NORMALISATION.mean) / NORMALISATION.std
    beyond = torch.isclose(found, torch.tensor(zero)).float().mean(dim=(1, 2, 3))
    # a corner of the slice: a quarter of each view is on it
    assert ((beyond > 0.7) & (beyond < 0.8)).all()


@pytest.mark.parametrize("side", [1, 2, 4, 8])
def test_squares_hold_every_view_and_margins_every_square(side: int) -> None:
    size = square_pixels(side)
    half = (crop_pixels(side) + 2 * BLUR_REACH - 1) / 2
    corner = half * np.sqrt(2) / ZOOM[0]
    assert corner <= (size - 1) / 2 < corner + 3
    stack = stack_slices([np.zeros((5, 7), dtype=np.uint8)], view_margins(side))
    # the first and the last place of the slice
    assert (stack.shape[1] - size, stack.shape[2] - size) == (4, 6)


def test_shapes_keep_angles_and_zoom_within_bounds() -> None:
    rng = np.random.default_rng(5)
    for orientation, mirrored, turned in (
        ("fixed", False, False), ("mirrored", True, False), ("any", True, True),
    ):  # fmt: skip
        shapes = draw_shapes(500, orientation, rng)
        square = np.einsum("nij,nik->njk", shapes, shapes)
        zooms = 1 / np.sqrt(square[:, 0, 0])
        assert np.allclose(square, IDENTITY / zooms[:, None, None] ** 2)
        assert (zooms >= ZOOM[0] - 1e-9).all()
        assert (zooms <= ZOOM[1] + 1e-9).all()
        assert np.ptp(zooms) > 0.3
        assert bool((np.linalg.det(shapes) < 0).any()) is mirrored
        assert bool((np.abs(shapes[:, 0, 1]) > 0.1).any()) is turned


def test_an_unknown_orientation_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="orientation sideways"):
        draw_shapes(2, "sideways", np.random.default_rng(0))


def test_windows_lie_where_their_offsets_say() -> None:
    side = 3
    grey = slices()[0]
    shapes = draw_shapes(1, "any", np.random.default_rng(7))
    offsets = window_offsets(shapes, side)[0]
    # a bright dot at a window's centre in the slice is at that window's centre in the view
    for index in (0, 5, 7):
        dotted = np.zeros_like(grey)
        y, x = np.rint(offsets[index] + [109.5, 129.5]).astype(int)
        dotted[y - 1 : y + 2, x - 1 : x + 2] = 255
        stack = stack_slices([dotted], view_margins(side))
        view = cut_views(stack, views([(0, 110, 130)], shapes), side)[0][0, 0]
        within = view[BLUR_REACH:-BLUR_REACH, BLUR_REACH:-BLUR_REACH].numpy()
        found = np.array(ndimage.center_of_mass(within))
        expected = np.array(divmod(index, side)) * STRIDE + (crop_pixels(1) - 1) / 2
        assert np.abs(found - expected).max() < 1.2


def test_blur_is_scipys() -> None:
    image = torch.from_numpy(np.random.default_rng(8).random((3, 1, 40, 50))).float()
    sigma = torch.tensor([0.0, 0.7, 1.2])
    found = blur(image, sigma)
    assert found.shape == (3, 1, 40 - 2 * BLUR_REACH, 50 - 2 * BLUR_REACH)
    for view, source, s in zip(found, image, sigma, strict=True):
        truth = ndimage.gaussian_filter(source[0].numpy(), float(s), radius=BLUR_REACH)
        inner = truth[BLUR_REACH:-BLUR_REACH, BLUR_REACH:-BLUR_REACH]
        assert np.allclose(view[0], inner, atol=1e-5)


def test_shading_is_a_ramp_that_leaves_the_centre() -> None:
    optics = torch.tensor([[0.0, 0.1, 0.0], [0.0, 0.0, -0.15]])
    same = views([(0, 0, 0)] * 2, np.tile(IDENTITY, (2, 1, 1)))._replace(optics=optics)
    size = 21 + 2 * BLUR_REACH
    grey, noise = torch.full((2, 1, size, size), 0.5), torch.zeros(2, 1, 21, 21)
    down, right = alter_views(grey, same, 0.4, noise)[:, 0]
    assert torch.allclose(down[:, 3], torch.linspace(0.45, 0.55, 21))
    assert torch.allclose(right[3], torch.linspace(0.575, 0.425, 21))
    drawn = draw_optics(1000, np.random.default_rng(9))
    assert ((drawn[:, 1:] >= SHADING[0]) & (drawn[:, 1:] <= SHADING[1])).all()
    assert 0.4 < (drawn[:, 0] == 0).mean() < 0.6
