from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainarch.volume.pyramid import CHUNK, THIN, halve, plan_levels


def mean_of_blocks(slab: np.ndarray, factor: tuple[int, int, int]) -> np.ndarray:
    """Brute force: every block by itself, rounded half up in exact integers."""
    size = tuple(-(-side // step) for side, step in zip(slab.shape, factor, strict=True))
    result = np.zeros(size, dtype=slab.dtype)
    for index in np.ndindex(size):
        block = slab[tuple(slice(i * f, i * f + f) for i, f in zip(index, factor, strict=True))]
        result[index] = (2 * int(block.sum(dtype=np.int64)) + block.size) // (2 * block.size)
    return result


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    factor=st.tuples(*[st.sampled_from([1, 2])] * 3),
    dtype=st.sampled_from(["uint8", "uint16"]),
    seed=st.integers(0, 1000),
    threads=st.integers(1, 3),
)
def test_halve_is_the_mean_of_blocks(shape, factor, dtype, seed, threads):
    slab = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    result = halve(slab, factor, threads)
    assert result.dtype == slab.dtype
    np.testing.assert_array_equal(result, mean_of_blocks(slab, factor))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_halve_does_not_overflow(dtype):
    top = np.iinfo(dtype).max
    assert (halve(np.full((4, 6, 8), top, dtype), (2, 2, 2)) == top).all()


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 200), st.integers(1, 3000), st.integers(1, 6000)),
    slab=st.sampled_from([1, 3, 8, 16, 32, 64]),
)
def test_every_slab_fills_whole_shards_of_every_level(shape, slab):
    levels = plan_levels(shape, 1.17, 5, slab)
    depth = slab
    for below, level in zip((None, *levels), levels, strict=False):
        if below is not None:
            assert depth % level.factor[0] == 0
            depth //= level.factor[0]
            expected = tuple(-(-s // f) for s, f in zip(below.shape, level.factor, strict=True))
            assert level.shape == expected
            assert level.factor[1:] == (2, 2)
            if below.shape[0] < THIN:
                assert level.factor[0] == 1
        assert level.shard[0] == depth
        assert all(big % small == 0 for big, small in zip(level.shard, level.chunk, strict=True))
    assert max(levels[-1].shape[1:]) <= CHUNK
    assert all(max(level.shape[1:]) > CHUNK for level in levels[:-1])


@settings(max_examples=50, deadline=None)
@given(first=st.integers(0, 300), voxel=st.floats(0.1, 20))
def test_scale_and_origin_are_those_of_the_averaged_voxels(first, voxel):
    """The centre of a level's first voxel is the mean of the centres that it averages."""
    levels = plan_levels((80, 1200, 2300), voxel, first, 64)
    total = np.ones(3)
    for level in levels:
        total *= level.factor
        centres = [np.arange(steps).mean() * voxel for steps in total]
        centres[0] += first * voxel
        np.testing.assert_allclose(level.scale, total * voxel)
        np.testing.assert_allclose(level.origin, centres)
    assert total[0] < total[1]  # slices are halved only while there are many
