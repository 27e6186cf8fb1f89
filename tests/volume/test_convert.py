from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import dask.array
import numpy as np
import pytest
import tensorstore
import tifffile
import xarray
import zarr
from numcodecs import Zstd
from ome_zarr_models.v05 import Image
from zarr.codecs import Crc32cCodec

from brainarch.errors import InputError
from brainarch.tables import read_columns, read_table
from brainarch.volume import convert as module
from brainarch.volume.convert import check_declared, convert, plan_conversion
from brainarch.volume.stack import open_stack
from brainarch.volume.store import open_image, open_volume

SLAB = 8


def run(source, output: Path, *, first: int = 0, slab: int | None = SLAB, threads: int = 1) -> None:
    stack = open_stack(source, first)
    plan = plan_conversion(stack.shape, str(stack.dtype), 1.17, first_slice=first, slab=slab)
    convert(stack, plan, output, output.parent / "slices.csv", output.parent / ".partial", threads)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_uncompressed_is_the_same_volume(stack_folder, converted, tmp_path):
    stack = open_stack(stack_folder)
    plan = plan_conversion(stack.shape, "uint8", 1.17, slab=SLAB, compression="none")
    table = tmp_path / "slices.csv"
    convert(stack, plan, tmp_path / "v.ome.zarr", table, tmp_path / ".partial")
    plain = zarr.open_group(tmp_path / "v.ome.zarr", mode="r")
    for name, array in zarr.open_group(converted / "v.ome.zarr", mode="r").arrays():
        np.testing.assert_array_equal(plain[name][:], array[:])
        assert [type(codec) for codec in plain[name].compressors] == [Crc32cCodec]
    with pytest.raises(InputError, match="compression lzma: must be one of zstd, none"):
        plan_conversion(stack.shape, "uint8", 1.17, compression="lzma")


@pytest.fixture(scope="module")
def converted(stack_folder, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("volume “ü”") / "results" / "volume"
    run(stack_folder, folder / "v.ome.zarr")
    return folder


def test_grey_values_are_those_of_the_stack(converted, grey):
    volume = open_volume(converted / "v.ome.zarr")
    assert volume.shape == grey.shape
    for z in volume.slices:
        np.testing.assert_array_equal(volume.read_slice(z), grey[z])


def test_each_level_is_the_mean_of_the_one_below(converted):
    group = zarr.open_group(converted / "v.ome.zarr", mode="r")
    levels = [np.asarray(group[str(index)]) for index in range(3)]
    assert [level.shape for level in levels] == [(20, 300, 530), (10, 150, 265), (10, 75, 133)]
    for below, level, factor in zip(levels, levels[1:], [(2, 2, 2), (1, 2, 2)], strict=False):
        odd = [(0, -size % step) for size, step in zip(below.shape, factor, strict=True)]
        padded = np.pad(below.astype(float), odd, constant_values=np.nan)
        z, y, x = level.shape
        blocks = padded.reshape(z, factor[0], y, 2, x, 2)
        means = np.nanmean(blocks, axis=(1, 3, 5))
        np.testing.assert_array_equal(level, np.floor(means + 0.5))


def test_tensorstore_reads_every_level(converted):
    store = converted / "v.ome.zarr"
    for name, array in zarr.open_group(store, mode="r").arrays():
        place = {"driver": "file", "path": str(store / name)}
        other = tensorstore.open({"driver": "zarr3", "kvstore": place, "open": True}).result()
        assert other.domain.labels == ("z", "y", "x")
        np.testing.assert_array_equal(other.read().result(), array[:])


def test_metadata_are_exactly_those_of_ome_zarr(converted):
    group = zarr.open_group(converted / "v.ome.zarr", mode="r")
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]

    def dataset(path, scale, translation):
        return {
            "path": path,
            "coordinateTransformations": [
                {"type": "scale", "scale": scale},
                {"type": "translation", "translation": translation},
            ],
        }

    assert dict(group.attrs)["ome"] == {
        "version": "0.5",
        "multiscales": [
            {
                "name": "volume",
                "axes": axes,
                "datasets": [
                    dataset("0", [1.17, 1.17, 1.17], [0.0, 0.0, 0.0]),
                    dataset("1", [2.34, 2.34, 2.34], [0.585, 0.585, 0.585]),
                    dataset("2", [2.34, 4.68, 4.68], [0.585, 1.755, 1.755]),
                ],
            }
        ],
    }
    Image.from_zarr(group)
    array = group["0"]
    assert (array.chunks, array.shards) == ((8, 256, 256), (8, 512, 768))
    assert array.metadata.dimension_names == ("z", "y", "x")
    inner = array.metadata.codecs[0]
    assert [codec.to_dict()["name"] for codec in inner.codecs] == ["bytes", "zstd"]


def test_wrong_metadata_do_not_validate(converted):
    """Control: the model that accepted the metadata refuses a wrong one."""
    group = zarr.open_group(converted / "v.ome.zarr", mode="r")
    ome = json.loads(json.dumps(dict(group.attrs)["ome"]))
    del ome["multiscales"][0]["axes"][0]
    with pytest.raises(ValueError, match="validation error"):
        Image.model_validate({"attributes": {"ome": ome}})


def test_dask_and_xarray_read_it(converted, grey):
    path = converted / "v.ome.zarr" / "0"
    lazy = dask.array.from_zarr(str(path))
    np.testing.assert_array_equal(lazy[3:5, 100:200].compute(), grey[3:5, 100:200])
    named = xarray.open_zarr(path.parent, group="", consolidated=False, drop_variables=["1", "2"])
    assert named["0"].dims == ("z", "y", "x")
    np.testing.assert_array_equal(named["0"].isel(z=7).to_numpy(), grey[7])


def test_shard_bytes_follow_the_specification(converted, grey):
    """Decode a chunk by hand: index at the end of the shard, little-endian offsets and lengths."""
    shard = (converted / "v.ome.zarr" / "0" / "c" / "1" / "0" / "0").read_bytes()
    count = 1 * 2 * 3
    index = struct.unpack(f"<{2 * count}Q", shard[-16 * count - 4 : -4])
    offset, length = index[2 * 4], index[2 * 4 + 1]  # chunk (0, 1, 1) of (1, 2, 3)
    chunk = np.frombuffer(Zstd().decode(shard[offset : offset + length]), np.uint8)
    chunk = chunk.reshape(8, 256, 256)
    np.testing.assert_array_equal(chunk[:, :44, :], grey[8:16, 256:300, 256:512])


def test_table_of_slices(converted, grey):
    table = read_table(converted / "slices.csv")
    assert set(read_columns(converted / "slices.csv")) == set(table.columns)
    assert table["slice"].tolist() == list(range(20))
    assert table["file"].tolist() == [f"z{z:04d}.tif" for z in range(20)]
    assert table["sha256"].tolist() == [
        hashlib.sha256(image.tobytes()).hexdigest() for image in grey
    ]


def test_nothing_is_left_over(converted):
    assert sorted(path.name for path in converted.iterdir()) == [
        "slices.columns.json",
        "slices.csv",
        "v.ome.zarr",
    ]


def test_threads_change_no_byte(converted, stack_folder, tmp_path):
    run(stack_folder, tmp_path / "v.ome.zarr", threads=3)
    assert content(tmp_path / "v.ome.zarr") == content(converted / "v.ome.zarr")


def test_slab_depth_changes_no_value(converted, stack_folder, tmp_path):
    run(stack_folder, tmp_path / "v.ome.zarr", slab=None)
    one = zarr.open_group(tmp_path / "v.ome.zarr", mode="r")
    other = zarr.open_group(converted / "v.ome.zarr", mode="r")
    assert one["0"].shards[0] == 24
    for level in ("0", "1", "2"):
        np.testing.assert_array_equal(one[level], other[level])


@pytest.mark.parametrize("shape", [(1, 30, 40), (3, 257, 10), (9, 300, 600), (17, 5, 700)])
def test_odd_shapes_and_sixteen_bits(tmp_path, shape):
    data = np.random.default_rng(1).integers(0, 65536, shape).astype(np.uint16)
    tifffile.imwrite(tmp_path / "s.tif", data, photometric="minisblack")
    run(tmp_path / "s.tif", tmp_path / "v.ome.zarr", first=100)
    volume = open_volume(tmp_path / "v.ome.zarr")
    assert volume.slices == range(100, 100 + shape[0])
    np.testing.assert_array_equal(volume.read_slice(100 + shape[0] - 1), data[-1])
    Image.from_zarr(zarr.open_group(tmp_path / "v.ome.zarr", mode="r"))


# A process that dies at a chosen moment: in the middle of writing a level of a slab, leaving half a
# shard and a temporary file of zarr behind; right after a slab is done; or while validating.
DYING = """
    import os, signal, sys
    from pathlib import Path
    from brainarch.volume import convert as module
    from brainarch.volume.stack import open_stack

    source, output, moment = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    countdown = int(sys.argv[4])
    original = getattr(module, moment)

    def die(*values, **named):
        global countdown
        countdown -= 1
        if countdown:
            return original(*values, **named)
        if moment == "write_shards":
            level, slab, number = values
            original(level, slab // 2, number, **named)
            folder = level / "c" / str(number) / "0"
            (folder / "0").write_bytes((folder / "0").read_bytes()[:100])
            (folder / "0.abc.partial").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, moment, die)
    stack = open_stack(source)
    plan = module.plan_conversion(stack.shape, "uint8", 1.17, slab=8)
    module.convert(stack, plan, output, output.parent / "slices.csv", output.parent / ".partial")
"""


class Stop(BaseException):
    """Stands for a kill where it need not be a real one."""


def run_and_stop(source, output: Path, moment: str, countdown: int) -> Path:
    """Convert until a function is called for the nth time; return the folder of unfinished work."""
    original = getattr(module, moment)
    left = [countdown]

    def stop(*values, **named):
        left[0] -= 1
        if not left[0]:
            raise Stop
        return original(*values, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, moment, stop)
        with pytest.raises(Stop):
            run(source, output)
    (work,) = (output.parent / ".partial").iterdir()
    return work


def run_and_kill(source: Path, output: Path, moment: str, countdown: int) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DYING), source, output, moment, str(countdown)]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr.decode()
    assert not output.exists()


@pytest.mark.parametrize(
    ("moment", "countdown", "finished"),
    [("write_shards", 6, 1), ("write_record", 3, 2), ("_publish", 1, 3)],
)
def test_killed_conversion_goes_on_to_the_same_bytes(
    stack_folder, converted, tmp_path, caplog, monkeypatch, moment, countdown, finished
):
    run_and_kill(stack_folder, tmp_path / "v.ome.zarr", moment, countdown)
    (work,) = (tmp_path / ".partial").iterdir()
    assert len(list((work / "done").glob("[0-9]*.json"))) == finished
    read: list[int] = []
    original = type(open_stack(stack_folder)).read_slab
    monkeypatch.setattr(
        "brainarch.volume.stack.Stack.read_slab",
        lambda self, start, stop, *rest: (
            read.append(start),
            original(self, start, stop, *rest),
        )[1],
    )
    with caplog.at_level(logging.INFO):
        run(stack_folder, tmp_path / "v.ome.zarr")
    assert read == [0, 8, 16][finished:]  # finished slabs are not read again
    assert (f"after {finished} of 3 slabs" in caplog.text) == (finished > 0)
    assert content(tmp_path) == content(converted)


def test_changed_input_starts_anew(stack_folder, tmp_path, grey):
    source = tmp_path / "stack"
    source.mkdir()
    for z, image in enumerate(grey):
        tifffile.imwrite(source / f"z{z:04d}.tif", image)
    output = tmp_path / "out" / "v.ome.zarr"
    run_and_stop(source, output, "_publish", 1)
    tifffile.imwrite(source / "z0003.tif", 255 - grey[3])
    os.utime(source / "z0003.tif", (1, 1))
    run(source, output)
    np.testing.assert_array_equal(open_volume(output).read_slice(3), 255 - grey[3])
    assert not (output.parent / ".partial").exists()  # what the old slices had left is gone


def test_damage_of_finished_work_is_found_and_mended(stack_folder, converted, tmp_path):
    output = tmp_path / "v.ome.zarr"
    work = run_and_stop(stack_folder, output, "write_record", 3)
    shard = work / "volume.ome.zarr" / "0" / "c" / "1" / "0" / "0"
    damaged = bytearray(shard.read_bytes())
    damaged[1000] ^= 255
    shard.write_bytes(damaged)
    with pytest.raises(InputError) as caught:
        run(stack_folder, output)
    assert str(caught.value) == (
        f"{work / 'volume.ome.zarr'}: slices 8 to 15 do not read back as written; check the disk "
        "and convert again"
    )
    run(stack_folder, output)
    assert content(tmp_path) == content(converted)


@pytest.mark.parametrize("strange", ["identity.json", "something else"])
def test_anything_else_in_the_folder_of_unfinished_work_is_refused(stack_folder, tmp_path, strange):
    work = run_and_stop(stack_folder, tmp_path / "v.ome.zarr", "write_shards", 2)
    (work / strange).write_text("{}")
    with pytest.raises(InputError) as caught:
        run(stack_folder, tmp_path / "v.ome.zarr")
    assert str(caught.value) == (
        f"{work}: {strange} there is not from this work; remove the folder and run the same "
        "command again"
    )


def test_failure_leaves_an_older_result_alone(write_slices, tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (2, 64, 64)).astype(np.uint8)
    source = write_slices(["z0.tif", "z1.tif"], data, compression="zlib")
    output = tmp_path / "out" / "v.ome.zarr"
    run(source, output)
    before = content(output.parent)
    broken = bytearray((source / "z1.tif").read_bytes())
    with tifffile.TiffFile(source / "z1.tif") as tiff:
        offset = tiff.pages.first.dataoffsets[0]
    broken[offset : offset + 40] = bytes(40)
    (source / "z1.tif").write_bytes(broken)
    with pytest.raises(InputError, match=r"z1.tif: page 0 cannot be decoded"):
        run(source, output)
    assert {k: v for k, v in content(output.parent).items() if ".partial" not in k} == before
    tifffile.imwrite(source / "z1.tif", data[0])
    run(source, output)
    np.testing.assert_array_equal(open_volume(output).read_slice(1), data[0])


def test_declaration_must_agree(stack_folder):
    stack = open_stack(stack_folder)
    check_declared(stack, (20, 300, 530), "uint8")
    for shape, dtype, key in [
        ((20, 530, 300), "uint8", "volume.shape: [20, 300, 530]"),
        ((20, 300, 530), "uint16", "volume.dtype: uint8"),
    ]:
        with pytest.raises(InputError) as caught:
            check_declared(stack, shape, dtype)
        declared = " x ".join(map(str, shape))
        assert str(caught.value) == (
            f"{stack_folder}: the data are 20 x 300 x 530 uint8, but {declared} {dtype} was "
            f"declared; correct the declaration ({key}) or the data"
        )


def test_voxels_that_are_no_cubes(stack_folder, tmp_path, grey):
    """Slices lie where the metadata say, pixels and levels are those of the same stack of cubes."""
    for name, voxel in (("cubes", 1.17), ("flat", [5, 1.17, 1.17])):
        plan = plan_conversion(grey.shape, "uint8", voxel, first_slice=3, slab=SLAB)
        stack, folder = open_stack(str(stack_folder), 0), tmp_path / name
        convert(stack, plan, folder / "v.ome.zarr", folder / "slices.csv", folder / ".partial")
    flat, cubes = (open_volume(tmp_path / name / "v.ome.zarr") for name in ("flat", "cubes"))
    assert (flat.slice_um, flat.pixel_um) == (5, 1.17)
    assert open_image(flat.path).sides_um() == (5, 1.17, 1.17)
    np.testing.assert_array_equal(flat.read_slice(4), cubes.read_slice(4))
    with pytest.raises(InputError, match="pixels must be square"):
        plan_conversion(grey.shape, "uint8", [5, 1.17, 1.3])


def test_slab_is_the_deepest_that_fits():
    shape = (720, 1420, 5805)
    plans = [plan_conversion(shape, "uint8", 1.17, memory_mb=m) for m in (5000, 800, 600, 500)]
    assert [plan.slab for plan in plans] == [64, 32, 32, 16]
    assert all(p.memory_mb <= m for p, m in zip(plans, (5000, 800, 600, 500), strict=True))
    slabs = plans[0].slabs
    assert (slabs[0], slabs[-1]) == ((0, 64), (704, 720))
    twice = plan_conversion(shape, "uint16", 1.17, memory_mb=5000)
    assert twice.memory_mb > 1.5 * plans[0].memory_mb


def test_plans_that_make_no_sense():
    with pytest.raises(
        InputError, match=r"memory of 200 MB: a slab of 8 slices needs \d+ MB; give"
    ):
        plan_conversion((720, 1420, 5805), "uint8", 1.17, memory_mb=200)
    with pytest.raises(InputError, match="slab of 12 slices: must be a multiple of 8"):
        plan_conversion((720, 1420, 5805), "uint8", 1.17, slab=12)
    with pytest.raises(InputError, match="voxel size 0 um: must be positive"):
        plan_conversion((720, 1420, 5805), "uint8", 0)
