from __future__ import annotations

import numba
import numpy as np
import pytest

from brainarch.errors import InputError
from brainarch.phantom.compiled import use_threads
from brainarch.phantom.model import PhantomSpec, render_blocks

from .conftest import SMALL
from .rendering import render, render_labels

ARRAYS = ("grey", "areas", "layers", "barrels", "microstructure")


def test_same_seed_same_volume(small_block):
    again = render(SMALL, 8, 20)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(small_block, name))


@pytest.mark.parametrize(("start", "stop"), [(8, 9), (11, 14), (19, 20)])
def test_any_range_alone_is_the_same(small_block, start, stop):
    alone = render(SMALL, start, stop)
    assert alone.z_start == start
    for name in ARRAYS:
        whole = getattr(small_block, name)[start - 8 : stop - 8]
        np.testing.assert_array_equal(getattr(alone, name), whole)


@pytest.mark.parametrize("depth", [4, 7])
def test_block_by_block_is_the_whole(depth):
    spec = PhantomSpec((18, 320, 1300), seed=3)
    whole = render(spec, 0, 18)
    blocks = list(render_blocks(spec, depth))
    assert [b.z_start for b in blocks] == list(range(0, 18, depth))
    for name in ARRAYS:
        joined = np.concatenate([getattr(b, name) for b in blocks])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_threads_do_not_matter(small_block):
    before = numba.get_num_threads()
    use_threads(1)
    try:
        assert numba.get_num_threads() == 1
        alone = render(SMALL, 8, 12)
    finally:
        numba.set_num_threads(before)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(alone, name), getattr(small_block, name)[:4])


def test_another_seed_is_another_volume(small_block):
    other = render(PhantomSpec(SMALL.shape, seed=4), 8, 9)
    assert np.mean(other.grey != small_block.grey[:1]) > 0.8
    assert 0.005 < np.mean(other.areas != small_block.areas[:1]) < 0.2


def test_labels_alone_are_those_of_the_image(small_block):
    labels = render_labels(SMALL, 8, 20)
    for name in ("areas", "layers", "barrels"):
        np.testing.assert_array_equal(getattr(labels, name), getattr(small_block, name))


def test_arrays_are_bytes_of_one_shape(small_block):
    for name in ARRAYS:
        array = getattr(small_block, name)
        assert array.dtype == np.uint8
        assert array.shape == (12, 320, 1300)


def test_neighbouring_slices_are_alike_and_distant_ones_are_not(small_block):
    inside = small_block.areas[0] > 0
    first = small_block.grey[0][inside].astype(float)
    near, far = (
        np.corrcoef(first, small_block.grey[k][inside].astype(float))[0, 1] for k in (1, 11)
    )
    assert near > 0.7
    assert far < near - 0.2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"shape": (5, 100, 3000)}, "too small"),
        ({"shape": (5, 300, 1200), "voxel_um": 40.0}, "voxel size"),
        ({"shape": (5, 300, 1200), "seed": -1}, "seed"),
    ],
)
def test_impossible_phantoms_are_refused(arguments, word):
    with pytest.raises(InputError, match=word):
        PhantomSpec(**arguments)
