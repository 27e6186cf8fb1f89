import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr
from dense_fakes import assert_exact, brute_force, narrow_network, trained_of
from extraction_case import CASE, plan_of, run, source_of

from brainarch.dense import extract as module
from brainarch.dense import partial
from brainarch.dense.partial import open_work
from brainarch.dense.schedule import STRIDES
from brainarch.dense.workers import pick_devices
from brainarch.errors import InputError
from brainarch.network.grey import Normalisation


def content(cube):
    """Return every byte that a reader gets, NaN included."""
    block = cube.block(slice(None), slice(None))
    return block.tobytes(), cube.extracted.tobytes(), cube.y.tobytes(), cube.x.tobytes()


def references(source, trained, wanted):
    """Run every wanted window alone, in both precisions."""
    y, x = np.nonzero(wanted)
    pair = [brute_force(source.grey, trained, y, x, kind) for kind in PRECISIONS]
    assert (pair[1] > 0).any()
    return pair


def assert_cube_exact(cube, wanted, pair):
    iy, ix, X = cube.read()
    found = np.stack([cube.y[iy], cube.x[ix]], axis=1)
    np.testing.assert_array_equal(np.argwhere(wanted), found)
    assert_exact(X, *pair)


PRECISIONS = [getattr(module.torch, name) for name in ("float32", "float64")]


@pytest.fixture(scope="module", params=STRIDES)
def bordered(request, narrow):
    """Return a stride, an odd-sized slice, the wanted pixels of its grid and their references."""
    stride = request.param
    # A mask with holes, and pixels at every border, where the window leaves the slice.
    source = source_of((141, 203), share=min(1.0, 0.004 * stride**2))
    source.wanted[[0, -1], ::9] = source.wanted[::9, [0, -1]] = True
    wanted = source.wanted.copy()
    wanted[np.arange(141) % stride > 0] = False
    wanted[:, np.arange(203) % stride > 0] = False
    return stride, source, wanted, references(source, narrow, wanted)


@pytest.mark.parametrize("block", [None, (3, 2)])
def test_every_wanted_pixel_is_exact_at_every_stride(tmp_path, narrow, bordered, block):
    stride, source, wanted, pair = bordered
    tile = {1: (128, 128), 2: (128, 128)}.get(stride, (64, 64))
    plan = plan_of(narrow, source.grey.shape, stride, tile=tile, block=block)
    cube = run(narrow, tmp_path, None, stride, None, source=source, plan=plan)
    assert_cube_exact(cube, wanted, pair)


@pytest.mark.parametrize("shape", [(1, 1), (5, 90), (133, 20)])
def test_slices_smaller_than_a_window_lean_on_the_grey_beyond(tmp_path, narrow, shape):
    source = source_of(shape, share=0.1)
    source.wanted[[0, -1], [0, -1]] = True
    cube = run(narrow, tmp_path, shape, 1, None, source=source)
    assert_cube_exact(cube, source.wanted, references(source, narrow, source.wanted))


def test_only_the_rows_of_the_plan_are_extracted(tmp_path, narrow):
    source = source_of((90, 40), share=0.2)
    plan = plan_of(narrow, (90, 40), 2, rows=(31, 60))
    cube = run(narrow, tmp_path, None, 2, None, source=source, plan=plan)
    assert cube.y.tolist() == list(range(32, 60, 2))
    wanted = source.wanted & (np.arange(90) % 2 == 0)[:, None] & (np.arange(40) % 2 == 0)
    wanted[:31] = wanted[60:] = False
    assert_cube_exact(cube, wanted, references(source, narrow, wanted))


def test_sixteen_bit_slices(tmp_path, narrow):
    source = source_of((40, 50), share=0.05, dtype=np.uint16)
    cube = run(narrow, tmp_path, (40, 50), 1, None, source=source)
    assert_cube_exact(cube, source.wanted, references(source, narrow, source.wanted))


def test_counts_are_conserved_and_the_rest_is_nan(tmp_path, narrow):
    source = source_of((150, 300), share=0.1)
    source.wanted[:, 128:256] = False
    cube = run(narrow, tmp_path, (150, 300), 1, None, source=source)
    assert cube.count == source.wanted.sum()
    block = cube.block(slice(None), slice(None))
    np.testing.assert_array_equal(np.isnan(block).all(axis=2), ~source.wanted)
    np.testing.assert_array_equal(np.isnan(block).any(axis=2), ~source.wanted)


def test_tiles_without_a_wanted_pixel_are_not_computed(tmp_path, narrow, monkeypatch):
    computed = []
    compute = module._TileComputer.__call__

    def counting(self, tile):
        computed.append(tile.index)
        return compute(self, tile)

    monkeypatch.setattr(module._TileComputer, "__call__", counting)
    source = source_of((100, 600), share=0)
    source.wanted[3, 5] = source.wanted[50, 400] = True
    run(narrow, tmp_path, (100, 600), 1, None, source=source)
    assert sorted(computed) == [0, 3]


@pytest.mark.parametrize("block", [None, (4, 8)])
def test_threads_and_repetition_change_no_bit(tmp_path, narrow, block):
    plan = plan_of(narrow, CASE["shape"], 1, tile=(128, 128), block=block)
    cubes = [
        run(narrow, tmp_path / str(number), **CASE, plan=plan, threads=threads)
        for number, threads in enumerate((1, 2, 2))
    ]
    assert len({content(cube) for cube in cubes}) == 1
    assert len({cube.attrs["key"] for cube in cubes}) == 1


def test_another_plan_is_another_key_within_the_tolerance(tmp_path, narrow):
    source = source_of((60, 70), share=0.2)
    plans = [plan_of(narrow, (60, 70), 1, tile=(128, 128), block=block) for block in (None, (4, 4))]
    one, two = (
        run(narrow, tmp_path / str(number), None, 1, None, source=source, plan=plan)
        for number, plan in enumerate(plans)
    )
    assert one.attrs["key"] != two.attrs["key"]
    a, b = one.read()[2], two.read()[2]
    assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def test_what_is_stored_says_where_it_came_from(tmp_path, narrow):
    cube = run(narrow, tmp_path, **CASE, storage="float16")
    assert cube.storage == "float16"
    assert {"z", "stride", "where", "rows", "pixel_um", "precision", "storage", "key", "plan",
            "warnings", "identity"} <= set(cube.attrs)  # fmt: skip
    assert not (tmp_path / "partial").exists()
    single = run(narrow, tmp_path / "single", **CASE).read()[2]
    np.testing.assert_array_equal(cube.read()[2], single.astype(np.float16).astype(np.float32))


# --- interruptions ---


def start_job(folder, pause):
    tests = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(tests) / "extraction_job.py"), str(folder), str(pause)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def records(folder):
    found = list(folder.glob("partial/extract-*/tiles.jsonl"))
    return [line for line in found[0].read_text().splitlines() if line] if found else []


def test_killed_and_restarted_it_gives_the_same_bits(tmp_path, narrow, monkeypatch):
    whole = run(narrow, tmp_path / "whole", **CASE)
    folder = tmp_path / "killed"
    folder.mkdir()
    for goal in (3, 7):
        job = start_job(folder, pause=0.1)
        deadline = time.monotonic() + 120
        while len(records(folder)) < goal and job.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        job.send_signal(signal.SIGKILL)
        assert job.wait() == -signal.SIGKILL, "it was over before it could be killed"
        assert goal <= len(records(folder)) < 18
        assert not (folder / "cube.zarr").exists()
    computed = count_computed(monkeypatch)
    before = len(records(folder))
    again = run(narrow, folder, **CASE)
    assert 0 < len(computed) <= 18 - before
    assert content(again) == content(whole)
    assert again.attrs == whole.attrs
    assert not (folder / "partial").exists()


def count_computed(monkeypatch):
    computed = []
    compute = module._TileComputer.__call__

    def counting(self, tile):
        computed.append(tile.index)
        return compute(self, tile)

    monkeypatch.setattr(module._TileComputer, "__call__", counting)
    return computed


class StoppedError(Exception):
    """Stands for a failure after some tiles."""


@pytest.fixture
def unfinished(tmp_path, narrow, monkeypatch):
    """Return a folder where 6 of 18 tiles are done, and the folder of the unfinished work."""
    compute = module._TileComputer.__call__
    done = []

    def failing(self, tile):
        if len(done) == 6:
            raise StoppedError
        done.append(tile.index)
        return compute(self, tile)

    with monkeypatch.context() as patch:
        patch.setattr(module._TileComputer, "__call__", failing)
        with pytest.raises(StoppedError):
            run(narrow, tmp_path, **CASE, threads=1)
    (work,) = (tmp_path / "partial").iterdir()
    assert len(records(tmp_path)) == 6
    return tmp_path, work, done


def test_finished_tiles_are_not_computed_again(unfinished, narrow, monkeypatch):
    folder, _, done = unfinished
    computed = count_computed(monkeypatch)
    run(narrow, folder, **CASE)
    assert len(computed) == 12
    assert not set(computed) & set(done)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "torn record"])
def test_a_damaged_tile_is_computed_again(unfinished, narrow, monkeypatch, tmp_path, damage):
    folder, work, done = unfinished
    whole = run(narrow, tmp_path / "whole", **CASE)
    row, column = divmod(done[0], 9)
    chunk = work / "cube.zarr" / "representation" / "c" / str(row) / str(column) / "0"
    if damage == "torn record":
        lines = (work / "tiles.jsonl").read_text().splitlines(keepends=True)
        (work / "tiles.jsonl").write_text("".join(lines[:-1]) + lines[-1][:9])
    elif damage == "remove":
        chunk.unlink()
    else:
        raw = bytearray(chunk.read_bytes())
        raw[len(raw) // 2] ^= 0xFF
        chunk.write_bytes(raw if damage == "flip" else raw[: len(raw) // 3])
    computed = count_computed(monkeypatch)
    again = run(narrow, folder, **CASE)
    assert len(computed) == 13
    assert content(again) == content(whole)


def test_damaged_metadata_mean_a_new_beginning(unfinished, narrow):
    folder, work, _ = unfinished
    (work / "cube.zarr" / "representation" / "zarr.json").write_text("{")
    assert run(narrow, folder, **CASE).count == source_of(CASE["shape"], 0.5).wanted.sum()


def test_leftovers_of_another_plan_are_removed(unfinished, narrow):
    folder, work, _ = unfinished
    other = plan_of(narrow, CASE["shape"], 1, tile=(128, 128), block=(4, 4))
    # Another slice's work in the same folder is no leftover.
    assert run(narrow, folder, **CASE, plan=other, output=folder / "other.zarr").count
    assert work.exists()
    assert run(narrow, folder, **CASE, plan=other).count
    assert not work.exists()


@pytest.mark.parametrize("name", ["notes.txt", "identity.json"])
def test_anything_else_in_the_folder_is_refused(unfinished, narrow, name):
    folder, work, _ = unfinished
    (work / name).write_text("{}")
    with pytest.raises(InputError, match=f"{name} there is not from this work"):
        run(narrow, folder, **CASE)


def test_two_extractions_do_not_share_a_folder(tmp_path):
    arguments = tmp_path / "partial", {"stage": "extract"}, tmp_path / "cube.zarr"
    # A lock belongs to an open file, so a second one in this process stands for another's.
    with open_work(*arguments), pytest.raises(InputError, match="another process"):
        open_work(*arguments).__enter__()
    with open_work(*arguments) as work:
        assert work.finished() == {}


def test_unfinished_work_on_another_file_system_is_refused(tmp_path, narrow, monkeypatch):
    monkeypatch.setattr(partial, "_file_system", str)
    with pytest.raises(InputError, match="on another file system"):
        run(narrow, tmp_path, **CASE)


def test_an_older_cube_stays_until_the_new_one_is_whole(tmp_path, narrow, monkeypatch):
    old = run(narrow, tmp_path, **CASE)
    before = content(old)

    def failing(self, tile):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(module._TileComputer, "__call__", failing)
        with pytest.raises(StoppedError):
            run(narrow, tmp_path, **CASE, source=source_of(CASE["shape"], 0.4))
    assert content(module.Cube.open(old.path)) == before
    new = run(narrow, tmp_path, **CASE, source=source_of(CASE["shape"], 0.4))
    assert new.attrs["key"] != old.attrs["key"]
    assert [path.name for path in tmp_path.iterdir()] == ["cube.zarr"]


@pytest.mark.parametrize("loss", ["lost", "cut", "flipped"])
def test_a_disk_that_loses_data_is_noticed_at_once(tmp_path, narrow, monkeypatch, loss):
    put = zarr.storage._local._put

    def forgetful(path, *arguments, **options):
        put(path, *arguments, **options)
        if str(path).endswith("representation/c/1/2/0"):
            raw = bytearray(path.read_bytes())
            if loss == "flipped":
                raw[100] ^= 1
            path.write_bytes(b"" if loss == "lost" else raw[: -1 if loss == "cut" else None])

    with monkeypatch.context() as patch:
        patch.setattr(zarr.storage._local, "_put", forgetful)
        with pytest.raises(InputError, match="c/1/2/0: does not read back as it was written"):
            run(narrow, tmp_path, **CASE)
    assert not (tmp_path / "cube.zarr").exists()
    computed = count_computed(monkeypatch)
    assert content(run(narrow, tmp_path, **CASE)) == content(run(narrow, tmp_path / "2", **CASE))
    assert 0 < len(computed) - 18 < 18


def test_values_that_are_not_finite_end_in_one_line(tmp_path, narrow, monkeypatch):
    compute = module._TileComputer.__call__
    monkeypatch.setattr(
        module._TileComputer, "__call__", lambda self, tile: compute(self, tile) / np.float32(0)
    )
    with pytest.raises(InputError, match=r"slice 4: values in rows \d+:\d+ of the grid are not"):
        run(narrow, tmp_path, **CASE)


def test_a_full_disk_stops_in_one_line_and_goes_on_later(tmp_path, narrow, monkeypatch):
    whole = run(narrow, tmp_path / "whole", **CASE)
    folder, written = tmp_path / "full", []
    put = zarr.storage._local._put

    def full(path, *arguments, **options):
        if "representation/c" in str(path):
            written.append(path)
            if len(written) > 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return put(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(zarr.storage._local, "_put", full)
        with pytest.raises(InputError, match="no space left for the cube") as caught:
            run(narrow, folder, **CASE, threads=1)
    assert "\n" not in str(caught.value)
    assert len(records(folder)) == 5
    assert not (folder / "cube.zarr").exists()
    computed = count_computed(monkeypatch)
    assert content(run(narrow, folder, **CASE)) == content(whole)
    assert len(computed) == 13


def test_a_finished_cube_is_not_extracted_again(tmp_path, narrow, monkeypatch):
    first = run(narrow, tmp_path, **CASE)
    when = first.path.stat().st_mtime_ns
    computed = count_computed(monkeypatch)
    assert content(run(narrow, tmp_path, **CASE)) == content(first)
    assert not computed
    assert first.path.stat().st_mtime_ns == when
    # Another question is another cube.
    run(narrow, tmp_path, **CASE, storage="float16")
    assert len(computed) == 18


@pytest.mark.parametrize("damage", ["flip", "remove", "attribute"])
def test_a_damaged_cube_is_not_the_finished_one(tmp_path, narrow, caplog, damage):
    cube = run(narrow, tmp_path, **CASE)
    honest = content(cube)
    chunk = next(file for file in (cube.path / "representation").rglob("c/*/*/0"))
    metadata = cube.path / "zarr.json"
    if damage == "remove":
        chunk.unlink()
    else:
        file = chunk if damage == "flip" else metadata
        raw = bytearray(file.read_bytes())
        raw[raw.index(b'"z"') + 5 if damage == "attribute" else 60] ^= 1
        file.write_bytes(raw)
    assert content(run(narrow, tmp_path, **CASE)) == honest
    assert "it is extracted again" in caplog.text


# --- what does not fit together ---


def test_a_plan_for_another_shape_is_refused(tmp_path, narrow):
    plan = plan_of(narrow, (150, 300), 1)
    with pytest.raises(InputError, match="slices of 150 x 300 pixels, slice 4 has 150 x 1100"):
        run(narrow, tmp_path, **CASE, plan=plan)


def test_a_plan_for_another_network_is_refused(tmp_path, narrow):
    plan = plan_of(narrow, CASE["shape"], 1).model_copy(update={"network": "conv3:1>2"})
    with pytest.raises(InputError, match="another network"):
        run(narrow, tmp_path, **CASE, plan=plan)


def test_no_wanted_pixel_is_refused(tmp_path, narrow):
    with pytest.raises(InputError, match="no labelled pixel on the grid of stride 1"):
        run(narrow, tmp_path, **CASE, source=source_of(CASE["shape"], 0.0))


def test_grey_values_that_are_no_unsigned_integers_are_refused(tmp_path, narrow):
    source = source_of((20, 20))
    grey = source.grey.astype(np.float32)
    grey[3, 3] = np.nan
    source = module.Source(grey, 4, 1.17, "all", source.wanted)
    with pytest.raises(InputError, match="grey values are float32"):
        run(narrow, tmp_path, (20, 20), 1, None, source=source)


def test_devices():
    assert pick_devices("cpu") == [module.torch.device("cpu")]
    with pytest.raises(InputError, match="must be auto, cpu or cuda"):
        pick_devices("gpu")
    if not module.torch.cuda.is_available():
        assert pick_devices("auto") == pick_devices("cpu")
        with pytest.raises(InputError, match="device cuda: no GPU"):
            pick_devices("cuda")


def test_a_slice_unlike_the_training_is_said_and_stored(tmp_path, caplog):
    trained = trained_of(narrow_network(), Normalisation(0.9, 0.05))
    with caplog.at_level(logging.WARNING):
        cube = run(trained, tmp_path, (30, 30), 1, 0.1)
    assert any("mean grey" in line for line in cube.attrs["warnings"])
    assert "slice 4 differs from the training" in caplog.text


def test_the_identity_is_kept_as_readable_text(unfinished):
    _, work, _ = unfinished
    identity = json.loads((work / "identity.json").read_text())
    assert identity["stage"] == "extract"
    assert {"slice", "wanted", "network", "plan", "version", "storage"} <= set(identity)
