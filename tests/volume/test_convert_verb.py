from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from brainarch.cli.volume import convert
from brainarch.errors import InputError
from brainarch.volume.store import open_volume


def run(source: str | Path, output: Path, *more: str):
    app = typer.Typer()
    app.command()(convert)
    arguments = [f"--input={source}", f"--output={output}", "--voxel-um=1.17", *more]
    return CliRunner().invoke(app, arguments)


def test_it_says_what_it_will_need(stack_folder, grey, tmp_path):
    output = tmp_path / "it's “r” ü" / "volume" / "v.ome.zarr"
    result = run(f"{stack_folder}/z*.tif", output, "--shape=20,300,530", "--threads=2")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "convert: 1 slabs of 24 slices, 3 levels, predicted memory " in result.output
    assert " of 2000 MB" in result.output
    np.testing.assert_array_equal(open_volume(output).read_slice(19), grey[19])
    assert (output.parent / "slices.csv").exists()
    assert [path.name for path in output.parent.parent.iterdir()] == ["volume"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--shape=21,300,530",),
            "{folder}: the data are 20 x 300 x 530 uint8, but 21 x 300 x 530 uint8 was declared; "
            "correct the declaration or the data",
        ),
        (
            ("--shape=20,300,530", "--dtype=uint16"),
            "{folder}: the data are 20 x 300 x 530 uint8, but 20 x 300 x 530 uint16 was declared; "
            "correct the declaration or the data",
        ),
        (
            ("--shape=20,300",),
            "--shape 20,300: wanted slices,rows,columns, e.g. 720,1420,5805",
        ),
        (
            ("--shape=20,300,530", "--first-slice=3"),
            "{folder}/z0000.tif: the file numbers begin at 0, but slice 3 was declared the first; "
            "give --first-slice 0 or add the missing files",
        ),
    ],
)
def test_mistakes_are_found_before_anything_is_written(stack_folder, tmp_path, options, message):
    result = run(stack_folder, tmp_path / "v.ome.zarr", *options)
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == message.format(folder=stack_folder)
    assert not any(tmp_path.iterdir())
