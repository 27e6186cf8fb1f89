"""The benchmark runs and says what it should; how fast it is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from brainarch.tables import read_columns, read_table

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "bench/dense.py"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return the folder that a quick run wrote, a tiny slice of ours included."""
    folder = tmp_path_factory.mktemp("bench")
    tifffile.imwrite(folder / "z.tif", np.full((30, 40), 90, dtype=np.uint8))
    tifffile.imwrite(folder / "labels.tif", np.tile(np.arange(40, dtype=np.uint8) // 20, (30, 1)))
    files = ["--slice", folder / "z.tif", "--labels", folder / "labels.tif"]
    command = [sys.executable, SCRIPT, "--quick", "--threads", "1", *files, "--output", folder]
    subprocess.run([str(part) for part in command], check=True, cwd=folder)
    return folder


def test_every_method_stride_and_precision_has_a_row(measured):
    table = read_table(measured / "dense.csv")
    ours = table[table["method"] == "dense"]
    wanted = {(p, s) for p in ("float32", "bfloat16") for s in (1, 2, 4, 8, 16)}
    assert set(zip(ours["precision"], ours["stride"].astype(int), strict=True)) == wanted
    assert {"peak_matmul", "peak_conv", "loop", "fully_convolutional", "compute", "growth",
            "slice"} <= set(table["method"])  # fmt: skip
    assert (ours["peak_mb"] > 100).all()
    assert set(read_columns(measured / "dense.csv")) == set(table.columns)


def test_rows_are_compared_with_the_best_loop_of_their_precision(measured):
    table = read_table(measured / "dense.csv")
    for precision, rows in table.groupby("precision"):
        best = rows.loc[rows["method"] == "loop", "us_per_patch"].min()
        ours = rows[rows["method"] == "dense"]
        np.testing.assert_allclose(ours["ratio_to_loop"], best / ours["us_per_patch"])
        limit = {"float32": 2e-6, "bfloat16": 5e-2}[precision]
        assert (ours["error_norm"] <= limit).all()
    # The papers' network: sharing alone saves 18 times the operations at stride 1.
    first = table[(table["method"] == "dense") & (table["stride"] == 1)]
    np.testing.assert_allclose(first["sharing_bound"], 18, atol=0.3)


def test_the_slice_is_extracted_where_it_is_labelled(measured):
    table = read_table(measured / "dense.csv")
    assert (table.loc[table["method"] == "slice", "patches"] == 30 * 20).all()


def test_machine_and_figure_are_written(measured):
    machine = json.loads((measured / "machine.json").read_text())
    assert {"processor", "cores", "threads", "torch", "load_before", "load_after"} <= set(machine)
    assert (measured / "dense.png").stat().st_size > 10_000
