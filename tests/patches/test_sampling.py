from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy import ndimage

from brainarch.errors import InputError
from brainarch.patches.sampling import (
    COUNT_COLUMNS,
    GAP,
    KEPT,
    NOT_DRAWN,
    OUTSIDE,
    Ground,
    check_gaps,
    sample_split,
)

NAMES = ("Ctx", "WM")


def sample(split, labels, shares=(1.0, 1.0), n_patches=50, seed=0, **ground):
    return sample_split(
        split, [Ground(7, labels, **ground)], NAMES, shares, n_patches=n_patches, seed=seed
    )


def share_by_hand(labels: np.ndarray, y: int, x: int) -> float:
    """Count the patch's pixels one by one; those beyond the slice do not belong to the area."""
    inside = 0
    for row in range(y - 64, y + 64):
        for column in range(x - 64, x + 64):
            if 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1]:
                inside += labels[row, column] == labels[y, x]
    return inside / 128**2


def test_whole_patches_against_scipy(slice_labels):
    centres = sample("train", slice_labels).centres[7]
    whole = np.zeros_like(centres)
    for code in (1, 2):
        # A patch reaches 64 pixels up and 63 down: scipy's default centre of an even square.
        whole |= ndimage.minimum_filter(slice_labels == code, 128, mode="constant")
    np.testing.assert_array_equal(centres, whole)


@pytest.mark.parametrize("share", [0.6, 0.75, 0.999])
def test_shares_against_scipy(slice_labels, share):
    centres = sample("train", slice_labels, (share, 1.0)).centres[7]
    area = slice_labels == 1
    moving = ndimage.uniform_filter(area.astype(np.float64), 128, mode="constant")
    np.testing.assert_array_equal(centres & area, area & (moving >= share - 1e-9))


def test_shares_in_the_table_against_counting(slice_labels):
    for split in ("train", "val"):
        table = sample(split, slice_labels, (0.6, 0.7), n_patches=5).patches
        for row in table.itertuples():
            assert row.share == pytest.approx(share_by_hand(slice_labels, row.y, row.x), abs=1e-9)
            assert row.area == NAMES[slice_labels[row.y, row.x] - 1]


def test_only_train_patches_must_lie_inside(slice_labels):
    train, val = sample("train", slice_labels), sample("val", slice_labels, n_patches=500)
    assert train.patches["share"].min() == 1
    assert val.patches["share"].min() < 0.6
    np.testing.assert_array_equal(val.centres[7], slice_labels > 0)


def test_permuted_labels_leave_no_candidate(slice_labels):
    """Control: the same pixels in another order hold no patch inside an area."""
    shuffled = np.random.default_rng(0).permutation(slice_labels.ravel())
    with pytest.raises(InputError, match="Ctx has 0"):
        sample("train", shuffled.reshape(slice_labels.shape), (0.75, 0.75))


def counted(result) -> pd.DataFrame:
    return pd.DataFrame(result.counts, columns=list(COUNT_COLUMNS))


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(131, 170), st.integers(131, 190)),
    border=st.integers(50, 100),
    seed=st.integers(0, 100),
    shares=st.tuples(st.floats(0.05, 0.4), st.floats(0.05, 0.4)),
    split=st.sampled_from(["train", "test"]),
)
def test_every_labelled_pixel_is_accounted_for(shape, border, seed, shares, split):
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(shape[1]) < border, 1, 2).astype(np.uint8) * np.ones(
        (shape[0], 1), np.uint8
    )
    labels[rng.random(shape) < 0.05] = 0
    own = rng.random(shape) < 0.8
    allowed = rng.random(shape) < 0.8
    try:
        result = sample(split, labels, shares, n_patches=3, seed=seed, own=own, allowed=allowed)
    except InputError:
        reject()  # an area too narrow for its share; refusals have tests of their own
    table = counted(result)
    for code, name in enumerate(NAMES, start=1):
        pixels = table[table["area"] == name].set_index("reason")["pixels"]
        area = (labels == code) & own
        assert pixels.sum() == area.sum()
        assert pixels[KEPT] == 3
        assert pixels[KEPT] + pixels[NOT_DRAWN] == (result.centres[7] & area).sum()
        if split == "test":
            assert pixels[OUTSIDE] == 0
            assert pixels[GAP] == (area & ~allowed).sum()
    places = result.patches
    assert not places.duplicated(["z", "y", "x"]).any()
    assert result.centres[7][places["y"], places["x"]].all()


def test_several_slices_are_one_pool(slice_labels):
    grounds = [Ground(3, slice_labels), Ground(9, slice_labels[::-1])]
    result = sample_split("train", grounds, NAMES, (1, 1), n_patches=400, seed=1)
    table = counted(result)
    kept = table[table["reason"].isin([KEPT, NOT_DRAWN])].groupby("area")["pixels"].sum()
    singles = [sample("train", labels).centres[7] for labels in (slice_labels, slice_labels[::-1])]
    total = sum(int((one & (area == 1)).sum()) for one, area in zip(
        singles, (slice_labels, slice_labels[::-1]), strict=True))  # fmt: skip
    assert kept["Ctx"] == total
    share = (result.patches.query("area == 'Ctx'")["z"] == 3).mean()
    assert 0.35 < share < 0.65
    for z, labels in ((3, slice_labels), (9, slice_labels[::-1])):
        part = result.patches[result.patches["z"] == z]
        codes = [NAMES.index(area) + 1 for area in part["area"]]
        np.testing.assert_array_equal(labels[part["y"], part["x"]], codes)


def test_all_candidates_can_be_drawn_each_once():
    labels = np.ones((130, 131), np.uint8)
    result = sample_split("train", [Ground(0, labels)], ["Ctx"], [1], n_patches=12, seed=0)
    places = sorted(zip(result.patches["y"], result.patches["x"], strict=True))
    assert places == [(y, x) for y in (64, 65, 66) for x in (64, 65, 66, 67)]
    with pytest.raises(InputError, match="Ctx has 12 "):
        sample_split("train", [Ground(0, labels)], ["Ctx"], [1], n_patches=13, seed=0)


def test_seed_decides_and_areas_have_their_own_streams(slice_labels):
    first = sample("val", slice_labels).patches
    pd.testing.assert_frame_equal(first, sample("val", slice_labels).patches)
    assert not first.equals(sample("val", slice_labels, seed=1).patches)
    without = np.where(slice_labels == 1, 1, 0).astype(np.uint8)
    alone = sample_split("val", [Ground(7, without)], ["Ctx"], [1], n_patches=50, seed=0).patches
    pd.testing.assert_frame_equal(alone, first[first["area"] == "Ctx"])


def test_drawing_is_even():
    """Chi-squared over 16 parts of an area stays within what even draws give."""
    labels = np.ones((128, 128), np.uint8)
    result = sample_split("val", [Ground(0, labels)], ["Ctx"], [1], n_patches=3200, seed=5)
    cells = result.patches["y"] // 32 * 4 + result.patches["x"] // 32
    counts = np.bincount(cells, minlength=16)
    assert ((counts - 200) ** 2 / 200).sum() < 37.7  # 0.1 % of even draws exceed this


def test_too_few_candidates_name_the_areas_and_what_would_help(slice_labels):
    with pytest.raises(InputError) as caught:
        sample("train", slice_labels, (1.0, 1.0), n_patches=15000)
    ctx, wm = (int((sample("train", slice_labels).centres[7] & (slice_labels == code)).sum())
               for code in (1, 2))  # fmt: skip
    assert wm < 15000 <= ctx
    assert str(caught.value) == (
        f"train (slice 7): 15000 patches of every area were asked, but area WM has {wm} (patch "
        "inside by 100%) candidate centres; ask for a smaller share of the patch inside the area "
        "or fewer patches or more annotated slices"
    )
    with pytest.raises(InputError) as caught:
        sample("val", np.where(slice_labels == 1, 1, 0).astype(np.uint8))
    assert str(caught.value) == (
        "val (slice 7): 50 patches of every area were asked, but area WM has 0 candidate centres; "
        "ask for other slices, or leave the area out"
    )


@pytest.mark.parametrize(
    ("z", "w", "fine"),
    [(159, 209, True), (159, 202, True), (159, 201, False), (209, 159, True), (159, 159, False)],
)
def test_gaps_between_slices(z, w, fine):
    splits = {"train": [z], "val": [w], "test": [400, 500]}
    if fine:
        check_gaps(splits, 1.17, 50)
        return
    with pytest.raises(InputError) as caught:
        check_gaps(splits, 1.17, 50)
    assert str(caught.value) == (
        f"slices {z} (train) and {w} (val): {abs(z - w) * 1.17:.1f} um apart; splits must be at "
        "least 50 um apart, choose slices 43 or more apart"
    )


def test_gaps_that_are_whole_numbers_of_slices():
    check_gaps({"train": [0], "val": [50], "test": [100]}, 1.0, 50)
    check_gaps({"train": [0], "val": [500], "test": [1000]}, 0.1, 50)  # 50.000...01 in floats
    with pytest.raises(InputError, match=r"0\.0 um apart"):
        check_gaps({"train": [3], "val": [3], "test": [9]}, 1.0, 0)
    with pytest.raises(InputError, match="val: it has no slice"):
        check_gaps({"train": [3], "val": [], "test": [9]}, 1.0, 0)
    with pytest.raises(InputError, match="name one twice"):
        check_gaps({"train": [3, 3], "val": [5], "test": [9]}, 1.0, 0)
