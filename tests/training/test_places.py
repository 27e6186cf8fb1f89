"""Crops lie where they may: brute force over every crop, every pixel and every window."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.errors import InputError
from brainarch.geometry import STRIDE, WINDOW, WINDOW_AFTER, WINDOW_BEFORE, crop_pixels
from brainarch.training.places import (
    IGNORED,
    CropGround,
    CropPlaces,
    ground_beside,
    margins,
    pixels_of_windows,
)

NAMES = ["one", "two", "three"]
SIDE = 3


def ground(z: int, forbidden: bool, shape: tuple[int, int] = (260, 330)) -> CropGround:
    """Return blobs of three areas on the left, another split's windows round the right edge."""
    rng = np.random.default_rng(z)
    labels = np.kron(rng.integers(0, 4, (13, 33)), np.ones((20, 10), dtype=int))
    labels = labels.astype(np.uint8)[: shape[0], : shape[1]]
    labels[:, 220:] = 0
    others = np.zeros(shape, dtype=bool)
    others[100:200, 320:] = True
    grey = rng.integers(0, 256, shape, dtype=np.uint8)
    return CropGround(z, grey, labels, pixels_of_windows(others) if forbidden else None)


def test_pixels_of_windows_are_those_that_any_window_reads() -> None:
    centres = np.random.default_rng(0).random((150, 170)) < 0.0002
    expected = np.zeros_like(centres)
    for y, x in np.argwhere(centres):
        rows = slice(max(0, y - WINDOW_BEFORE), y + WINDOW_AFTER)
        expected[rows, max(0, x - WINDOW_BEFORE) : x + WINDOW_AFTER] = True
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(pixels_of_windows(centres), expected)


def test_centres_beside_other_splits_keep_their_distance() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, (300, 340), dtype=np.uint8)
    others = np.zeros_like(labels, dtype=bool)
    others[20, 30] = others[280, 300:] = True
    grey = np.zeros_like(labels)
    found = ground_beside(1, grey, labels, others, distance=177)
    y, x = np.indices(labels.shape)
    nearest = np.min([np.maximum(abs(y - v), abs(x - u)) for v, u in np.argwhere(others)], axis=0)
    assert np.array_equal(found.labels, np.where(nearest >= 177, labels, 0))
    assert (found.labels > 0).any()
    assert np.array_equal(found.forbidden, pixels_of_windows(others))


def crop_reads(places: CropPlaces, mask: np.ndarray, row: int, column: int) -> np.ndarray:
    padded = np.pad(mask, (margins(places.side),) * 2)
    pixels = crop_pixels(places.side)
    part = padded[row : row + pixels, column : column + pixels]
    assert part.shape == (pixels, pixels)
    return part


def test_no_crop_reads_a_pixel_of_another_splits_windows() -> None:
    grounds = [ground(1, forbidden=True), ground(2, forbidden=True)]
    places = CropPlaces(grounds, NAMES, SIDE)
    free = CropPlaces([ground(1, False), ground(2, False)], NAMES, SIDE)
    touched = 0
    for seed in range(40):
        drawn = places.draw(9, np.random.default_rng(seed))
        for index, row, column in zip(drawn.slices, drawn.rows, drawn.columns, strict=True):
            assert not crop_reads(places, grounds[index].forbidden, row, column).any()
        drawn = free.draw(9, np.random.default_rng(seed))
        for index, row, column in zip(drawn.slices, drawn.rows, drawn.columns, strict=True):
            touched += crop_reads(places, grounds[index].forbidden, row, column).any()
    assert touched > 50  # control: without the mask many would


def test_reachable_pixels_are_those_of_brute_force() -> None:
    grounds = [ground(1, forbidden=True), ground(2, forbidden=False)]
    places = CropPlaces(grounds, NAMES, SIDE)
    expected = np.zeros(3, dtype=int)
    for item in grounds:
        forbidden = np.zeros(item.labels.shape, bool) if item.forbidden is None else item.forbidden
        padded = np.pad(forbidden, (margins(SIDE),) * 2)
        before = margins(SIDE)[0]
        # one pixel in a hundred stands for all: the grid of windows has another step
        for y, x in np.argwhere(item.labels > 0)[::100]:
            rows, columns = (
                [before + v - WINDOW_BEFORE - STRIDE * k for k in range(SIDE)] for v in (y, x)
            )
            free = [
                not padded[r : r + crop_pixels(SIDE), c : c + crop_pixels(SIDE)].any()
                for r in rows
                for c in columns
            ]
            flat = np.ravel_multi_index((grounds.index(item), y, x), (2, *item.labels.shape))
            assert (flat in places._pixels) == any(free)
            expected[item.labels[y, x] - 1] += any(free)
    assert (expected > 0).all()
    labelled = [sum((g.labels == code).sum() for g in grounds) for code in (1, 2, 3)]
    assert (places.reachable + places.unreachable).tolist() == labelled
    assert (places.unreachable > 0).all()


@pytest.mark.parametrize("forbidden", [False, True])
def test_every_reachable_pixel_and_window_is_drawn_and_areas_are_balanced(forbidden: bool) -> None:
    labels = np.zeros((140, 150), dtype=np.uint8)
    labels[60:64, 68:78], labels[80, 80], labels[139, 149] = 1, 2, 3
    other = np.zeros_like(labels, dtype=bool)
    other[:, 0] = forbidden
    item = CropGround(0, np.zeros_like(labels), labels, other)
    places = CropPlaces([item], NAMES, 2)
    rng = np.random.default_rng(5)
    before, seen = margins(2)[0], []
    for _ in range(400):
        drawn = places.draw(3, rng)
        found = places.labels_of(drawn)
        for crop in range(3):
            mine = np.argwhere(found[crop] != IGNORED)
            seen += [
                (
                    int(drawn.rows[crop] + STRIDE * i + WINDOW_BEFORE - before),
                    int(drawn.columns[crop] + STRIDE * j + WINDOW_BEFORE - before),
                    int(i),
                    int(j),
                )
                for i, j in mine
            ]
    pixels = {(y, x) for y, x, _, _ in seen}
    assert pixels == {(int(y), int(x)) for y, x in np.argwhere(labels)}
    for centre in ((80, 80), (139, 149)):
        counts = np.zeros((2, 2), dtype=int)
        for y, x, i, j in seen:
            counts[i, j] += (y, x) == centre
        assert counts.sum() == 400
        # a crop with the pixel in its right column would begin before the first pixel it may read
        near = forbidden and centre == (80, 80)
        expected = 200 if near else 100
        assert (counts[:, 0] > expected - 50).all()
        assert (counts[:, 1] == 0).all() if near else (counts[:, 1] > 50).all()


def test_labels_are_those_of_the_windows_centres() -> None:
    grounds = [ground(1, forbidden=True), ground(2, forbidden=False)]
    places = CropPlaces(grounds, NAMES, SIDE)
    drawn = places.draw(24, np.random.default_rng(0))
    labels = places.labels_of(drawn)
    before = margins(SIDE)[0]
    beyond = 0
    for crop in range(24):
        for i in range(SIDE):
            for j in range(SIDE):
                y = drawn.rows[crop] - before + STRIDE * i + WINDOW // 2
                x = drawn.columns[crop] - before + STRIDE * j + WINDOW // 2
                codes = grounds[drawn.slices[crop]].labels
                inside = 0 <= y < codes.shape[0] and 0 <= x < codes.shape[1]
                assert labels[crop, i, j] == (int(codes[y, x]) - 1 if inside else IGNORED)
                beyond += not inside
    assert beyond > 0
    assert (labels != IGNORED).any(axis=(1, 2)).all()
    assert set(drawn.slices.tolist()) == {0, 1}


def test_an_area_without_a_crop_is_one_clear_line() -> None:
    labels = np.ones((140, 150), dtype=np.uint8)
    labels[70, 70] = 2
    forbidden = np.zeros_like(labels, dtype=bool)
    forbidden[75, 75] = True
    item = CropGround(7, np.zeros_like(labels), labels, forbidden)
    with pytest.raises(InputError, match=r"slice 7\): area two has no pixel"):
        CropPlaces([item], NAMES[:2], 2)
