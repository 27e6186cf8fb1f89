from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels, open_labels
from brainarch.errors import InputError
from brainarch.patches import blocks
from brainarch.patches.stages import sample_blocks, sample_slices
from brainarch.patches.table import read_patches, write_patches
from brainarch.tables import read_columns, read_table
from small_inputs import write_plain

SPLITS = {"train": 104, "val": 154, "test": 205}
TABLES = ("train", "val", "test", "counts", "independent")


def files(folder, output):
    """Return what sampling reads and writes."""
    return {
        "labels": folder / "areas.ome.zarr",
        "legend": folder / "legend.csv",
        "splits": output / "splits.ome.zarr",
        **{name: output / f"{name}.csv" for name in TABLES},
    }


def sample(folder, output, *, slices=(104, 154, 205), **settings):
    given = {
        "train_patches": 60,
        "eval_patches": 40,
        "area_shares": {"WM": 0.75},
        "min_gap_um": 50.0,
        "seed": 2020,
    }
    by_split = {
        split: list(z) if isinstance(z, tuple) else [z]
        for split, z in zip(SPLITS, slices, strict=True)
    }
    sample_slices(**files(folder, output), slices=by_split, **{**given, **settings})


def refusal(*arguments, **named) -> str:
    with pytest.raises(InputError) as caught:
        sample(*arguments, **named)
    return str(caught.value)


@pytest.fixture(scope="module")
def sampled(label_folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("o") / "it's “main” ü"
    sample(label_folder, output)
    return output


def test_tables_of_a_run(sampled, label_folder):
    labels = open_labels(label_folder / "areas.ome.zarr")
    splits = open_labels(sampled / "splits.ome.zarr")
    assert splits.annotated_slices == (104, 154, 205)
    assert (splits.shape, splits.first_slice) == (labels.shape, 100)
    for code, (split, z) in enumerate(SPLITS.items(), start=1):
        table = read_patches(sampled / f"{split}.csv")
        size = 60 if split == "train" else 40
        assert table["area"].value_counts().to_dict() == {"Ctx": size, "WM": size}
        assert set(table["z"]) == {z}
        codes = np.where(table["area"] == "Ctx", 1, 2)
        image = labels.read_slice(z)
        np.testing.assert_array_equal(image[table["y"], table["x"]], codes)
        centres = splits.read_slice(z)
        assert set(np.unique(centres)) == {0, code}
        assert (centres[table["y"], table["x"]] == code).all()
        assert not (centres[image == 0] > 0).any()


def test_labels_of_a_shuffled_table_do_not_agree(sampled, label_folder):
    """Control: the agreement above is not a matter of course."""
    image = open_labels(label_folder / "areas.ome.zarr").read_slice(104)
    table = read_patches(sampled / "train.csv")
    shuffled = np.random.default_rng(0).permutation(np.where(table["area"] == "Ctx", 1, 2))
    agree = (image[table["y"], table["x"]] == shuffled).mean()
    assert 0.3 < agree < 0.7


def test_counts_are_conserved(sampled, label_folder):
    labels = open_labels(label_folder / "areas.ome.zarr")
    counts = read_table(sampled / "counts.csv")
    for (split, area), rows in counts.groupby(["split", "area"]):
        pixels = (labels.read_slice(SPLITS[split]) == (1 if area == "Ctx" else 2)).sum()
        assert rows["pixels"].sum() == pixels
        assert rows["pixels"].min() >= 0
        assert rows.loc[rows["reason"] == "kept", "pixels"].item() == (
            60 if split == "train" else 40
        )
    independent = read_table(sampled / "independent.csv")
    assert (independent["independent_at_share"] <= independent["independent_patches"]).all()
    assert (independent["independent_patches"] > 0).all()
    assert len(independent) == 6


def test_every_table_says_what_its_columns_mean(sampled):
    for name in TABLES:
        path = sampled / f"{name}.csv"
        assert set(read_columns(path)) == set(read_table(path).columns)


def test_a_run_repeats_and_keeps_other_files(sampled, label_folder, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(2):
        sample(label_folder, tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (sampled / f"{name}.csv").read_bytes()
    sample(label_folder, tmp_path / "b", seed=1)
    assert (tmp_path / "b/train.csv").read_bytes() != (sampled / "train.csv").read_bytes()


def test_several_slices_per_split(label_folder, tmp_path):
    sample(label_folder, tmp_path, slices=(104, (154, 155), 205))
    assert set(read_patches(tmp_path / "val.csv")["z"]) == {154, 155}


def test_mistakes(label_folder, tmp_path):
    output = tmp_path / "out"
    path = label_folder / "areas.ome.zarr"
    assert refusal(label_folder, output, slices=(104, 150, 205)) == (
        "slices 104 (train) and 150 (val): 46.0 um apart; splits must be at least 50 um apart, "
        "choose slices 50 or more apart"
    )
    assert refusal(label_folder, output, slices=(104, 160, 219)) == (
        f"{path}: slice 160 is not annotated; annotated slices: 104, 154, 155, 205"
    )
    assert refusal(label_folder, output, area_shares={"VP": 0.5}) == (
        "area 'VP': not in the legend, which has Ctx, WM"
    )
    assert refusal(label_folder, output, train_patches=100000).startswith(
        "train (slice 104): 100000 patches of every area were asked, but area Ctx has "
    )
    assert not output.exists()


def test_a_legend_that_is_not_the_labels(label_folder, tmp_path):
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "areas.ome.zarr").symlink_to(label_folder / "areas.ome.zarr")
    write_legend(make_legend(["Ctx"]), folder / "legend.csv")
    assert refusal(folder, tmp_path / "o", area_shares={}) == (
        f"{folder / 'areas.ome.zarr'}: slice 104 has code 2, but the legend has 1 areas; give the "
        "legend that was imported with it"
    )


def test_blocks_of_one_slice(divisible, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(blocks, "SEARCHES", 2)
    monkeypatch.setattr(blocks, "STEPS", 60)
    store = create_labels(tmp_path / "areas.ome.zarr", (1, *divisible.shape), 1.17, [159],
                          first_slice=159)  # fmt: skip
    store.write_slice(159, divisible)
    write_legend(make_legend(["left", "right", "band"]), tmp_path / "legend.csv")
    settings = {
        "z": 159,
        "min_independent": 2,
        "area_shares": {"band": 0.75},
        "min_gap_um": 50.0,
        "seed": 1,
        "train_patches": 80,
        "eval_patches": 50,
    }
    sample_blocks(**files(tmp_path, tmp_path / "b1"), **settings, assignment=1)
    assert "differ from those of any earlier assignment" in caplog.text
    tables = {split: read_patches(tmp_path / "b1" / f"{split}.csv") for split in SPLITS}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        a, b = (tables[name][["y", "x"]].to_numpy() for name in (one, other))
        # Windows 134 px wide that far apart have 43 px between them.
        assert cdist(a, b, "chebyshev").min() >= 134 + 43
    counts = read_table(tmp_path / "b1" / "counts.csv")
    for area, rows in counts.groupby("area"):
        code = ["left", "right", "band"].index(str(area)) + 1
        assert rows["pixels"].sum() == (divisible == code).sum()
    assert (counts.query("reason == 'too close to another split'")["pixels"] > 0).all()
    independent = read_table(tmp_path / "b1" / "independent.csv")
    assert independent["independent_at_share"].min() >= 2
    image = open_labels(tmp_path / "b1" / "splits.ome.zarr").read_slice(159)
    for code, table in enumerate(tables.values(), start=1):
        assert (image[table["y"], table["x"]] == code).all()
    impossible = {**settings, "min_independent": 50}
    with pytest.raises(InputError, match="area left: the slice has room for "):
        sample_blocks(**files(tmp_path, tmp_path / "b2"), **impossible, assignment=0)
    assert not (tmp_path / "b2").exists()


def test_patch_tables_round_trip_and_refuse_others(tmp_path):
    frame = pd.DataFrame({"z": [1], "y": [2], "x": [3], "area": ["NA"], "share": [0.5]})
    write_patches(frame, tmp_path / "p.csv")
    again = read_patches(tmp_path / "p.csv")
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)
    assert again.dtypes[["z", "y", "x"]].eq("int64").all()
    write_patches(frame.iloc[:0], tmp_path / "p.csv")
    with pytest.raises(InputError, match="it holds no patch"):
        read_patches(tmp_path / "p.csv")
    write_plain(frame[["z", "y"]], tmp_path / "q.csv")
    with pytest.raises(InputError, match="has no column x"):
        read_patches(tmp_path / "q.csv")
    for row in ("1,a,2,b,1", "1,inf,2,b,1", "1,2.5,2,b,1", "1,2,2,b,1.5"):
        (tmp_path / "q.csv").write_text(f"z,y,x,area,share\n{row}\n")
        with pytest.raises(InputError, match="changed since it was written"):
            read_patches(tmp_path / "q.csv")
