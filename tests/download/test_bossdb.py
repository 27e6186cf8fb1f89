"""Bodies made by the blosc package as BossDB's server makes them, and names of channels."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.download.bossdb import Channel, decode
from brainarch.download.cache import slice_path
from brainarch.errors import InputError

#: blosc 1.11.4: compress((arange(15) % 9).astype("u1"), typesize=8), as the server calls it.
BYTES = bytes.fromhex("020113080f000000080000001f000000000102030405060708000102030405")
#: The same of (arange(24) // 6).astype("u8") with typesize=64.
LONGS = bytes.fromhex(
    "02011140c0000000c000000043000000140000002b000000240001020000e00b00010102e00b15040000010300e0"
    "0c00e00f170002e00e2fe00e170001e02417010000"
)


def test_bodies_of_the_blosc_package_decode() -> None:
    found = decode(BYTES, np.dtype("uint8"), (1, 3, 5))
    assert np.array_equal(found, (np.arange(15) % 9).reshape(1, 3, 5))
    assert found.dtype == np.uint8
    found = decode(LONGS, np.dtype("uint64"), (1, 4, 6))
    assert np.array_equal(found, (np.arange(24) // 6).reshape(1, 4, 6))
    assert found.dtype == np.uint64


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 40, len(LONGS) - 1])
def test_a_cut_body_is_noticed_at_any_length(length: int) -> None:
    with pytest.raises(ValueError, match=f"a body of {length} bytes"):
        decode(LONGS[:length], np.dtype("uint64"), (1, 4, 6))


def test_another_number_of_values_is_noticed() -> None:
    with pytest.raises(ValueError, match="192 bytes of values came, 96 were asked for"):
        decode(LONGS, np.dtype("uint32"), (1, 4, 6))
    with pytest.raises(ValueError, match="asked for"):
        decode(LONGS, np.dtype("uint64"), (1, 4, 7))


@pytest.mark.parametrize("text", ["image", "a/b", "a//c", "a/b/c/d", "a/b/c?x=1", "a/../c", ""])
def test_malformed_channels_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="wanted collection/experiment/channel"):
        Channel.parse(text)


@pytest.mark.parametrize(
    "pattern", ["z.tif", "z{z}.png", "z{y}.tif", "z{z.q}.tif", "z{z", "{}/z.tif"]
)
def test_a_pattern_without_a_place_for_the_slice_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="wanted the name of a TIFF file"):
        slice_path(pattern, 4)


def test_a_pattern_names_one_file_a_slice() -> None:
    assert slice_path("a b/z{z:04d}.tif", 7).as_posix() == "a b/z0007.tif"
