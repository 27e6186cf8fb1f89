"""Crops are read as they lie, turned as asked, and labels turn with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainarch.geometry import STRIDE, WINDOW, crop_pixels
from brainarch.seeds import generator
from brainarch.training.changes import draw_changes
from brainarch.training.cutting import (
    BEYOND,
    LEFT_RIGHT,
    ORIENTATIONS,
    TRANSPOSE,
    UP_DOWN,
    cut_crops,
    cuts_of,
    pad_slices,
)
from brainarch.training.draws import CropDraws, StepOrder
from brainarch.training.places import IGNORED, CropGround, CropPlaces, margins

SIDE = 2
NAMES = [f"area {code}" for code in range(1, 201)]


@pytest.fixture(params=["uint8", "uint16"])
def grounds(request: pytest.FixtureRequest) -> list[CropGround]:
    """Return two slices on which every area is somewhere."""
    rng = np.random.default_rng(0)
    top = np.iinfo(request.param).max
    return [
        CropGround(
            z,
            rng.integers(0, top, (170, 190), dtype=request.param, endpoint=True),
            rng.permutation(170 * 190).reshape(170, 190).astype(np.uint8) % 200 + 1,
        )
        for z in range(2)
    ]


def turned(square: np.ndarray, turn: int) -> np.ndarray:
    if turn & LEFT_RIGHT:
        square = np.fliplr(square)
    if turn & UP_DOWN:
        square = np.flipud(square)
    return square.T if turn & TRANSPOSE else square


def test_the_eight_turns_are_the_symmetries_of_the_square() -> None:
    square = np.arange(9).reshape(3, 3)
    expected = [np.rot90(flat, k) for flat in (square, square.T) for k in range(4)]
    found = {turned(square, turn).tobytes() for turn in range(ORIENTATIONS["any"])}
    assert found == {np.ascontiguousarray(item).tobytes() for item in expected}
    mirrored = {turned(square, turn).tobytes() for turn in range(ORIENTATIONS["mirrored"])}
    upright = (square, square[::-1], square[:, ::-1], square[::-1, ::-1])
    assert mirrored == {item.tobytes() for item in upright}


def test_crops_are_read_as_if_cut_and_then_turned(grounds: list[CropGround]) -> None:
    slices = pad_slices(grounds, SIDE)
    places = CropPlaces(grounds, NAMES, SIDE).draw(32, np.random.default_rng(1))
    turns = np.arange(32) % 8
    pixels, shape = crop_pixels(SIDE), (slices.shape[1], slices.shape[2])
    cuts = torch.from_numpy(cuts_of(places, turns, shape, pixels))
    found = cut_crops(slices, cuts, pixels).numpy()
    before, after = margins(SIDE)
    beyond = 0
    for crop in range(32):
        grey = grounds[places.slices[crop]].grey.astype(np.int64)
        padded = np.pad(grey, ((before, after), (before, after)), constant_values=BEYOND)
        row, column = places.rows[crop], places.columns[crop]
        square = padded[row : row + pixels, column : column + pixels]
        assert np.array_equal(found[crop, 0], turned(square, crop % 8))
        beyond += (square == BEYOND).any()
    assert beyond > 0


def draws(grounds: list[CropGround], orientation: str, seed: int = 9, **kind: bool) -> CropDraws:
    return CropDraws(
        CropPlaces(grounds, NAMES, SIDE),
        (pad_slices(grounds, SIDE).shape[1], pad_slices(grounds, SIDE).shape[2]),
        crops=12,
        orientation=orientation,
        permute_labels=kind.get("permute", False),
        seed=seed,
    )


@pytest.mark.parametrize("grounds", ["uint16"], indirect=True)
@pytest.mark.parametrize("orientation", list(ORIENTATIONS))
def test_labels_turn_as_their_windows_do(grounds: list[CropGround], orientation: str) -> None:
    slices, seen = pad_slices(grounds, SIDE), set()
    before = margins(SIDE)[0]
    for step in range(3):
        draw = draws(grounds, orientation)[step]
        crops = cut_crops(slices, draw.cuts, crop_pixels(SIDE)).numpy()[:, 0]
        for crop, labels in zip(crops, draw.labels.numpy(), strict=True):
            for i, j in np.argwhere(labels != IGNORED):
                window = crop[STRIDE * i :, STRIDE * j :][:WINDOW, :WINDOW]
                # centres of that label whose own window, turned in some way, is this one
                matches, corners = [], sorted(window[::133, ::133].flat)
                for z, item in enumerate(grounds):
                    for y, x in np.argwhere(item.labels == labels[i, j] + 1):
                        row, column = y + before - WINDOW // 2, x + before - WINDOW // 2
                        own = slices[z, row : row + WINDOW, column : column + WINDOW].numpy()
                        if sorted(own[::133, ::133].flat) != corners:
                            continue
                        matches += [t for t in range(8) if np.array_equal(turned(own, t), window)]
                assert len(matches) == 1
                seen |= set(matches)
    assert seen == set(range(ORIENTATIONS[orientation]))


def test_a_draw_depends_on_seed_and_step_alone(grounds: list[CropGround]) -> None:
    first, again, other = (draws(grounds, "any", seed) for seed in (9, 9, 10))
    third = [first[step] for step in range(4)][3]
    assert all(torch.equal(a, b) for a, b in zip(third, again[3], strict=True))
    assert not torch.equal(third.cuts, other[3].cuts)
    assert not torch.equal(third.cuts, first[2].cuts)
    expected = draw_changes(12, generator(9, "crops changes 3"))
    assert np.array_equal(third.changes.numpy(), expected)
    # another orientation leaves places and changes as they are
    fixed = draws(grounds, "fixed")[3]
    assert torch.equal(fixed.changes, third.changes)
    assert torch.equal(fixed.labels.sort(dim=-1).values.sum(), third.labels.sum())


def test_permuted_labels_keep_what_is_ignored_and_how_often_areas_occur(
    grounds: list[CropGround],
) -> None:
    true = draws(grounds, "fixed")[0].labels
    permuted = draws(grounds, "fixed", permute=True)[0].labels
    assert torch.equal(permuted == IGNORED, true == IGNORED)
    assert torch.equal(permuted.flatten().sort().values, true.flatten().sort().values)
    assert not torch.equal(permuted, true)


def test_epochs_go_through_the_steps_once() -> None:
    order, steps = StepOrder(4), []
    for epoch in range(3):
        order.set_epoch(epoch)
        steps += list(order)
    assert steps == list(range(12))
