from __future__ import annotations

import numpy as np
import pytest

from brainarch.figures import rasters
from brainarch.figures.rasters import Raster


def blocks(values, step):
    rows, columns = values.shape
    return [
        [values[y : y + step, x : x + step] for x in range(0, columns, step)]
        for y in range(0, rows, step)
    ]


@pytest.mark.parametrize("step", [1, 3, 4])
def test_merged_grey_is_the_mean_of_each_block(step):
    values = np.random.default_rng(0).random((10, 13)).astype(np.float32)
    values[2:7, 4:9] = np.nan
    merged = rasters.merge_grey(values, step)
    for row, line in enumerate(blocks(values, step)):
        for column, block in enumerate(line):
            present = block[np.isfinite(block)]
            expected = present.mean() if present.size else np.nan
            np.testing.assert_allclose(merged[row, column], expected, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_merged_labels_are_the_most_frequent_code_of_each_block(step):
    labels = np.random.default_rng(1).integers(0, 4, (11, 14)).astype(np.uint8)
    merged = rasters.merge_labels(labels, step)
    for row, line in enumerate(blocks(labels, step)):
        for column, block in enumerate(line):
            assert merged[row, column] == np.bincount(block.ravel()).argmax()


def test_pictures_are_no_larger_than_asked():
    assert rasters.grey_raster(np.zeros((900, 5805)), 1.17, max_side=1600).values.shape[1] <= 1600
    assert rasters.step_for((100, 90)) == 1


def test_extent_is_in_micrometres_and_follows_the_slice():
    raster = Raster(np.zeros((4, 6)), row=10, column=20, step=8, pixel_um=0.5)
    assert raster.extent == (10.0, 34.0, 21.0, 5.0)
    assert rasters.pixel_box(raster) == (10, 42, 20, 68)


def test_filled_box_holds_the_mask():
    mask = np.zeros((20, 30), dtype=bool)
    mask[5:9, 12:20] = True
    assert rasters.filled_box(mask) == (5, 9, 12, 20)
    with pytest.raises(ValueError, match="empty"):
        rasters.filled_box(np.zeros((3, 3), dtype=bool))


def test_painted_codes_take_their_colours():
    painted = rasters.paint(np.array([[0, 1], [2, 1]]), ["#FF0000", "#0000FF"], None, alpha=0.5)
    np.testing.assert_allclose(painted[0, 0], 0)
    np.testing.assert_allclose(painted[0, 1], [1, 0, 0, 0.5])
    np.testing.assert_allclose(painted[1, 0], [0, 0, 1, 0.5])


def test_blended_maps_keep_their_colour_where_alone_and_vanish_where_absent():
    first = np.array([[2.0, 0.0, np.nan, 1.0]])
    second = np.array([[0.0, 4.0, np.nan, 4.0]])
    painted = rasters.blend([first, second], ["#FF0000", "#0000FF"], [2.0, 4.0])
    np.testing.assert_allclose(painted[0, 0], [1, 0, 0, 1])
    np.testing.assert_allclose(painted[0, 1], [0, 0, 1, 1])
    np.testing.assert_allclose(painted[0, 2], 0)
    # Half of the first against all of the second: weights 1/4 and 1.
    np.testing.assert_allclose(painted[0, 3], [0.2, 0, 0.8, 1], atol=1e-6)


def test_counts_are_by_name():
    assert rasters.count_codes(np.array([[0, 1, 1], [3, 0, 1]]), ("A", "B", "C")) == {
        "A": 3,
        "B": 0,
        "C": 1,
    }
