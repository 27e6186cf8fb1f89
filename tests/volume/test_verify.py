"""A finished volume against its checksums and its stack: each side answers for its own changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import typer
import zarr
from typer.testing import CliRunner, Result

from brainarch.cli import verify as verbs
from brainarch.errors import InputError
from brainarch.tables import read_table
from brainarch.volume.convert import convert, plan_conversion
from brainarch.volume.stack import open_stack
from brainarch.volume.store import open_volume
from brainarch.volume.verify import choose_slices, read_checksums
from small_inputs import write_plain

FIRST = 100


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path]:
    """Return a stack of 20 slices, 100 to 119, and the volume made from it."""
    source = tmp_path / "stack"
    source.mkdir()
    rng = np.random.default_rng(3)
    for z in range(20):
        image = rng.integers(0, 256, (40, 50), dtype=np.uint8)
        tifffile.imwrite(source / f"z{FIRST + z}.tif", image)
    volume = tmp_path / "volume" / "v.ome.zarr"
    stack = open_stack(source, FIRST)
    plan = plan_conversion(stack.shape, "uint8", 1.17, first_slice=FIRST, slab=8)
    convert(stack, plan, volume, volume.parent / "slices.csv", tmp_path / ".partial")
    return source, volume


def run(volume: Path, *options: str) -> Result:
    app = typer.Typer()
    app.command()(verbs.verify)
    return CliRunner().invoke(app, [f"--volume={volume}", *options])


def overwrite(volume: Path, z: int) -> None:
    """Change one voxel of the volume, as another program might."""
    array = zarr.open_array(volume / "0", mode="r+")
    array[z - FIRST, 3, 4] = 255 - int(array[z - FIRST, 3, 4])


def test_nothing_has_changed(case: tuple[Path, Path]) -> None:
    source, volume = case
    result = run(volume, "--all", f"--input={source}", "--threads=2")
    assert result.exit_code == 0, result.output
    assert "verify: 20 of 20 slices read (volume and stack), 0 differences" in result.output


def test_each_side_is_blamed_for_its_own_changes(case: tuple[Path, Path]) -> None:
    source, volume = case
    overwrite(volume, 103)
    overwrite(volume, 117)
    tifffile.imwrite(source / "z117.tif", np.zeros((40, 50), dtype=np.uint8))
    (source / "z118.tif").write_bytes((source / "z118.tif").read_bytes()[:-30] + bytes(30))
    result = run(volume, "--all", f"--input={source}")
    assert result.exit_code == 1
    assert result.output.splitlines()[-5:] == [
        "verify: slice 103: the volume has changed since it was converted",
        "verify: slice 117: the source (z117.tif) has changed since it was converted",
        "verify: slice 117: the volume has changed since it was converted",
        "verify: slice 118: the source (z118.tif) has changed since it was converted",
        "verify: 20 of 20 slices read (volume and stack), 4 differences",
    ]


def test_without_the_stack_the_volume_alone_is_read(case: tuple[Path, Path]) -> None:
    source, volume = case
    shutil.rmtree(source)
    assert run(volume, "--all").exit_code == 0
    overwrite(volume, 100)
    result = run(volume, "--all")
    assert result.exit_code == 1
    assert "20 of 20 slices read (volume alone), 1 differences" in result.output


def test_a_damaged_shard_is_told_and_the_rest_is_read(case: tuple[Path, Path]) -> None:
    _, volume = case
    shard = next(path for path in (volume / "0" / "c" / "1").rglob("*") if path.is_file())
    content = bytearray(shard.read_bytes())
    content[200] ^= 255
    shard.write_bytes(content)
    result = run(volume, "--all")
    assert result.exit_code == 1
    told = [line for line in result.output.splitlines() if "slice 1" in line]
    assert [line.partition(" (")[0] for line in told] == [
        f"verify: slice {z}: the volume cannot be read" for z in range(FIRST + 8, FIRST + 16)
    ]


def test_many_differences_are_counted(case: tuple[Path, Path]) -> None:
    _, volume = case
    for z in range(FIRST, FIRST + 12):
        overwrite(volume, z)
    lines = run(volume, "--all").output.splitlines()
    assert [line for line in lines if "more" in line] == ["verify: and 2 more"]


def test_a_sample_is_drawn_from_all_slices_by_seed(case: tuple[Path, Path]) -> None:
    slices = range(FIRST, FIRST + 20)
    drawn = choose_slices(slices, 5, 1)
    assert drawn == choose_slices(slices, 5, 1)
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 5
    assert set(drawn) < set(slices)
    assert any(choose_slices(slices, 5, seed) != drawn for seed in range(2, 6))
    assert choose_slices(slices, 50, 1) == list(slices)
    assert "5 of 20 slices read" in run(case[1], "--sample=5", "--seed=1").output


def test_a_sample_misses_what_is_outside_it(case: tuple[Path, Path]) -> None:
    """Control: a sample is no proof of the rest."""
    _, volume = case
    inside = choose_slices(range(FIRST, FIRST + 20), 5, 1)
    outside = next(z for z in range(FIRST, FIRST + 20) if z not in inside)
    overwrite(volume, outside)
    assert run(volume, "--sample=5", "--seed=1").exit_code == 0
    overwrite(volume, inside[0])
    assert run(volume, "--sample=5", "--seed=1").exit_code == 1


def test_narrowed_slices_are_compared_as_they_were_stored(tmp_path: Path) -> None:
    source = tmp_path / "stack"
    source.mkdir()
    rng = np.random.default_rng(4)
    for z in range(3):
        image = rng.normal(100, 40, (20, 30)).astype(np.float32)
        tifffile.imwrite(source / f"z{z}.tif", image)
    stack = open_stack(source, 0, window=(50.0, 150.0), dtype="uint8")
    plan = plan_conversion(stack.shape, "uint8", 1.17, slab=8)
    volume = tmp_path / "out" / "v.ome.zarr"
    convert(stack, plan, volume, volume.parent / "slices.csv", tmp_path / ".partial")
    assert run(volume, "--all", f"--input={source}").exit_code == 0
    tifffile.imwrite(source / "z1.tif", np.full((20, 30), 60, dtype=np.float32))
    assert run(volume, "--all", f"--input={source}").exit_code == 1


def test_mistakes_are_one_line(case: tuple[Path, Path], tmp_path: Path) -> None:
    _, volume = case
    table = volume.parent / "slices.csv"
    result = run(volume, "--all", "--sample=3")
    assert str(result.exception) == "--all and --sample: give one of them"
    tifffile.imwrite(tmp_path / "other.tif", np.zeros((20, 40, 51), dtype=np.uint8))
    result = run(volume, f"--input={tmp_path / 'other.tif'}")
    assert isinstance(result.exception, InputError)
    assert "give the stack that the volume was made from" in str(result.exception)
    content = read_table(table)
    write_plain(content[:-1], table)
    with pytest.raises(InputError, match="its slices are not those of"):
        read_checksums(table, open_volume(volume))
    write_plain(content[["slice"]], table)
    with pytest.raises(InputError, match="no column file"):
        read_checksums(table, open_volume(volume))
