"""Stores of arrays: what is written is read, or one line says that it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

from brainarch.errors import InputError
from brainarch.stores import files, metadata
from brainarch.stores.arrays import ArrayStore, Layout

LAYOUT = Layout("test-1", "test store", "`brainarch test`", {"a": ("y", "x")}, sparse="s")
VALUES = np.arange(63, dtype=np.int16).reshape(7, 9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = ArrayStore.create(tmp_path / "ü s.zarr", LAYOUT, {"um": 1.17, "areas": ["Größe"]})
    store.put("a", VALUES, chunk=4)
    store.finish()
    return store.path


def test_values_and_attributes_come_back(path: Path) -> None:
    store = ArrayStore.open(path, LAYOUT)
    np.testing.assert_array_equal(store.read("a"), VALUES)
    np.testing.assert_array_equal(store.read("a", (slice(3, 6), 2)), VALUES[3:6, 2])
    assert store.attrs == {"format": "test-1", "um": 1.17, "areas": ["Größe"]}
    assert store.names() == ["a"]


def test_equal_stores_have_equal_bytes(path: Path, tmp_path: Path) -> None:
    other = ArrayStore.create(tmp_path / "o.zarr", LAYOUT, {"um": 1.17, "areas": ["Größe"]})
    other.put("a", VALUES, chunk=4)
    other.finish()
    for file in (file for file in path.rglob("*") if file.is_file()):
        assert (other.path / file.relative_to(path)).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "edit",
    [
        lambda root, array: root["attributes"].update(um=1.18),
        lambda root, array: root["attributes"].pop("areas"),
        lambda root, array: root["attributes"].update(extra=1),
        lambda root, array: root["attributes"].update({metadata.DIGEST: "0" * 64}),
        lambda root, array: array.update(dimension_names=["x", "y"]),
        lambda root, array: array.update(shape=[7, 8]),
        lambda root, array: array.update(data_type="uint16"),
    ],
)
def test_an_edit_of_metadata_is_refused(path: Path, edit) -> None:
    documents = [json.loads((path / place).read_text()) for place in ("zarr.json", "a/zarr.json")]
    edit(*documents)
    for place, content in zip(("zarr.json", "a/zarr.json"), documents, strict=True):
        (path / place).write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"metadata were changed after .*; run `brainarch test`"):
        ArrayStore.open(path, LAYOUT)


def test_the_same_metadata_in_another_dress_are_read(path: Path) -> None:
    content = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps(dict(reversed(content.items())), indent=7))
    np.testing.assert_array_equal(ArrayStore.open(path, LAYOUT).read("a"), VALUES)


def test_an_unfinished_store_is_refused(tmp_path: Path) -> None:
    ArrayStore.create(tmp_path / "u.zarr", LAYOUT, {}).put("a", VALUES)
    with pytest.raises(InputError, match="no digest of the metadata is there"):
        ArrayStore.open(tmp_path / "u.zarr", LAYOUT)


def test_attributes_are_added_in_one_step(path: Path) -> None:
    ArrayStore.open(path, LAYOUT, writable=True).finish({"error": 0.5})
    assert ArrayStore.open(path, LAYOUT).attrs["error"] == 0.5


@pytest.mark.parametrize("part", [..., (slice(4, 6),), (5, slice(2, 3)), (slice(0, 7), 8)])
@pytest.mark.parametrize("damage", ["lost", "flipped"])
def test_the_damaged_chunk_is_named(path: Path, part, damage: str) -> None:
    """Chunk 1/0 holds rows 4 to 6 and columns 0 to 3."""
    chunk = path / "a" / "c" / "1" / "0"
    if damage == "lost":
        chunk.unlink()
    else:
        raw = bytearray(chunk.read_bytes())
        raw[-7] ^= 4
        chunk.write_bytes(raw)
    store = ArrayStore.open(path, LAYOUT)
    if part == (slice(0, 7), 8):  # another chunk
        np.testing.assert_array_equal(store.read("a", part), VALUES[part])
        return
    with pytest.raises(InputError, match=r"chunk a/c/1/0.*run `brainarch test` again") as caught:
        store.read("a", part)
    assert str(caught.value).startswith(f"{path}: a cannot be read (")
    assert "\n" not in str(caught.value)
    assert [fault.partition(":")[0] for fault in store.faults(2)] == ["a/c/1/0"]


def test_what_the_fill_value_fills_is_stored(tmp_path: Path) -> None:
    store = ArrayStore.create(tmp_path / "z.zarr", LAYOUT, {})
    store.put("a", np.zeros((4, 4)))
    store.finish()
    assert (tmp_path / "z.zarr" / "a" / "c" / "0" / "0").is_file()


def test_a_sparse_array_may_lack_only_what_was_left_out(tmp_path: Path) -> None:
    layout = Layout("t", "t", "t", {"s": ("y", "unit", "x")}, sparse="s")
    store = ArrayStore.create(tmp_path / "s.zarr", layout, {})
    array = store.add("s", (8, 2, 8), "float32", (4, 2, 4))
    array[:4, :, :4] = 1
    array[4:, :, 4:] = 2
    store.finish()
    filled = np.zeros((8, 8), dtype=bool)
    filled[3, 0] = filled[5, 5] = True
    store = ArrayStore.open(tmp_path / "s.zarr", layout)
    store.leave_out("s", filled)
    assert store.faults() == []
    filled[0, 7] = True  # a value is wanted where no chunk is
    store = ArrayStore.open(tmp_path / "s.zarr", layout)
    store.leave_out("s", filled)
    assert store.faults() == ["s/c/0/0/1: chunk s/c/0/0/1 is missing"]


def test_a_group_that_says_it_is_guarded_is(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "g.zarr", zarr_format=3)
    assert not metadata.is_guarded(tmp_path / "g.zarr")
    group.create_array("0", shape=(2,), dtype="uint8", attributes={metadata.GUARDED: True})
    assert metadata.is_guarded(tmp_path / "g.zarr")
    with pytest.raises(ValueError, match="no digest"):
        metadata.check_metadata(metadata.read_metadata(tmp_path / "g.zarr"))


def test_files_are_for_reading_only(path: Path) -> None:
    with pytest.raises(ValueError, match="opened for reading"):
        files.CheckedFiles(path).with_read_only(read_only=False)


def test_nothing_is_said_behind_the_line(tmp_path: Path) -> None:
    """Reads beside the failed one are over when the process ends."""
    store = ArrayStore.create(tmp_path / "m.zarr", LAYOUT, {})
    store.put("a", np.random.default_rng(0).random((4000, 40)), chunk=40)
    store.finish()
    for number in range(0, 100, 3):
        (tmp_path / "m.zarr" / "a" / "c" / str(number) / "0").write_bytes(b"no")
    code = (
        "import sys; from pathlib import Path; from brainarch.errors import InputError\n"
        "from brainarch.stores.arrays import ArrayStore, Layout\n"
        "try: ArrayStore.open(Path(sys.argv[1]),"
        " Layout('test-1', 't', 'm', {'a': ('y', 'x')})).read('a')\n"
        "except InputError: sys.exit(2)\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "m.zarr")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
