from __future__ import annotations

import numpy as np
import pytest

from brainarch.annotations.legend import make_legend, read_legend, write_legend
from brainarch.annotations.nonsense import cut_parts
from brainarch.annotations.stages import cut_nonsense
from brainarch.annotations.store import create_labels, open_labels
from brainarch.errors import InputError
from brainarch.geometry import WINDOW

SHAPE = (300, 700)


def masks():
    """The same area on two slices, drawn a little differently."""
    one, other = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    one[20:280, 40:660] = True
    other[30:290, 60:690] = True
    other[100:110, 90:100] = False  # a hole: windows that hold it do not count
    return {4: one, 9: other}


def test_parts_lie_at_the_same_pixels_in_every_slice():
    parts = cut_parts(masks(), "Str", 4)
    both = (parts[4] > 0) & (parts[9] > 0)
    assert both.any()
    np.testing.assert_array_equal(parts[4][both], parts[9][both])
    pixels = np.bincount(np.concatenate([codes[codes > 0] for codes in parts.values()]))[1:]
    np.testing.assert_allclose(pixels, pixels.mean(), rtol=0.02)
    # Stripes across the longer side: one part in each column.
    for codes in parts.values():
        for column in codes.T[codes.any(axis=0)]:
            assert len(set(column[column > 0])) == 1


def test_every_window_lies_inside_the_area():
    for z, codes in cut_parts(masks(), "Str", 4).items():
        for y, x in np.argwhere(codes > 0)[::97]:
            low, high = WINDOW // 2, WINDOW - WINDOW // 2
            window = masks()[z][y - low : y + high, x - low : x + high]
            assert window.shape == (WINDOW, WINDOW)
            assert window.all()


def test_an_area_that_cannot_be_cut_is_refused():
    thin = np.zeros(SHAPE, bool)
    thin[:, 100:200] = True
    with pytest.raises(InputError, match=r"area WM: too thin .* training.nonsense_area"):
        cut_parts({4: thin}, "WM", 4)
    far = np.zeros(SHAPE, bool)
    far[:, :180] = True
    with pytest.raises(InputError, match="area Str: slice 5 has no pixel of part"):
        cut_parts({4: masks()[4], 5: far}, "Str", 4)


def test_the_stage_writes_labels_and_legend(tmp_path):
    write_legend(make_legend(["Ctx", "Str"]), tmp_path / "legend.csv")
    store = create_labels(tmp_path / "areas.zarr", (12, *SHAPE), 1.17, [4, 9], slice_um=2.0)
    for z, mask in masks().items():
        store.write_slice(z, np.where(mask, 2, 1).astype(np.uint8))
    cut_nonsense(
        labels=tmp_path / "areas.zarr",
        legend=tmp_path / "legend.csv",
        area="Str",
        parts=["p1", "p2", "p3"],
        slices=[4, 9],
        nonsense=tmp_path / "nonsense.zarr",
        nonsense_legend=tmp_path / "nonsense.csv",
    )
    found = open_labels(tmp_path / "nonsense.zarr")
    assert (found.annotated_slices, found.slice_um) == ((4, 9), 2.0)
    for z, codes in cut_parts(masks(), "Str", 3).items():
        np.testing.assert_array_equal(found.read_slice(z), codes)
    assert read_legend(tmp_path / "nonsense.csv").names == ("p1", "p2", "p3")
