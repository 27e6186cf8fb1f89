import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brainarch.dense.tiles import cut_tiles


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_every_wanted_pixel_is_in_exactly_one_tile_s_reach(rows, columns, sides, share, seed):
    wanted = np.random.default_rng(seed).random((rows, columns)) < share
    times = np.zeros((rows, columns), dtype=int)
    tiles = cut_tiles(wanted, sides)
    for tile in tiles:
        assert tile.count == wanted[tile.rows, tile.columns].sum() > 0
        assert tile.rows.start % sides[0] == tile.columns.start % sides[1] == 0
        assert tile.rows.stop % sides[0] == 0 or tile.rows.stop == rows
        assert tile.rows.start <= tile.reach[0].start < tile.reach[0].stop <= tile.rows.stop
        times[tile.reach] += 1
    assert times.max(initial=0) <= 1
    assert (times[wanted] == 1).all()
    assert len({tile.index for tile in tiles}) == len(tiles)


def test_the_reach_is_as_small_as_can_be():
    wanted = np.zeros((10, 10), dtype=bool)
    wanted[2, 7] = wanted[4, 8] = True
    (tile,) = cut_tiles(wanted, (5, 5))
    assert tile.reach == (slice(2, 5), slice(7, 9))
    assert (tile.index, tile.count) == (1, 2)
