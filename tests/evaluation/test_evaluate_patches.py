from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.errors import InputError
from brainarch.evaluation.stages import evaluate_patches
from brainarch.geometry import cut_windows
from brainarch.network.architecture import AreaNetwork
from brainarch.network.trained import load_network, save_network
from brainarch.patches.table import read_patches, write_patches
from brainarch.tables import read_columns, read_table
from brainarch.volume.store import open_volume
from small_inputs import AREAS


def evaluate(files, without=(), copied=(), block_px=512):
    evaluate_patches(
        network=files / "network.safetensors",
        volume=files / "volume.ome.zarr",
        legend=files / "legend.csv",
        labels=files / "areas.zarr",
        patches=files / "test.csv",
        **{
            kind: files / "out" / f"test_{kind}.csv"
            for kind in ("predictions", "metrics", "confusion")
        },
        without=without,
        copied=copied,
        resamples=1000,
        block_px=block_px,
        seed=2020,
    )


def test_probabilities_are_the_networks(files):
    evaluate(files)
    found = read_table(files / "out" / "test_predictions.csv")
    volume = open_volume(files / "volume.ome.zarr")
    trained = load_network(files / "network.safetensors")
    network = trained.network.double()
    for row in found.itertuples():
        window = cut_windows(volume.read_slice(row.z), np.array([row.y]), np.array([row.x])) / 255
        window = (window - trained.normalisation.mean) / trained.normalisation.std
        with torch.no_grad():
            expected = torch.softmax(network(torch.from_numpy(window)[:, None]), 1)[0].numpy()
        np.testing.assert_allclose([row.p_Ctx, row.p_Str, row.p_WM], expected, atol=1e-5)
        assert row.predicted == trained.areas[int(expected.argmax())]


def test_tables_agree_with_each_other(files):
    evaluate(files, without=["WM"])
    predictions, metrics, confusion = (
        read_table(files / "out" / f"test_{name}.csv")
        for name in ("predictions", "metrics", "confusion")
    )
    assert len(predictions) == 12
    assert predictions[["z", "y", "x"]].equals(read_patches(files / "test.csv")[["z", "y", "x"]])
    right = (predictions["area"] == predictions["predicted"]).mean()
    whole = metrics[(metrics["subset"] == "all") & (metrics["metric"] == "accuracy")]
    assert whole["value"].item() == pytest.approx(right)
    same = confusion["area"] == confusion["predicted"]
    assert confusion.loc[same, "count"].sum() == pytest.approx(right * 12)
    assert confusion["count"].sum() == 12
    rest = metrics[(metrics["subset"] == "without WM") & (metrics["area"] == "all")]
    assert rest["patches"].unique().tolist() == [8]
    assert "95 %" in read_columns(files / "out" / "test_metrics.csv")["low"]


def test_copying_the_training_annotation_stands_beside_the_accuracy(files):
    table = read_patches(files / "test.csv").drop_duplicates(["y", "x"])
    write_patches(table, files / "test.csv")
    labels = np.zeros((170, 180), np.uint8)
    codes = table["area"].map({name: code for code, name in enumerate(AREAS, start=1)})
    labels[table["y"], table["x"]] = codes
    first = table.iloc[0]
    labels[first["y"], first["x"]] = 0  # not labelled there: no answer, not a right one
    create_labels(files / "areas.zarr", (9, 170, 180), 1.17, [1, 8]).write_slice(8, labels)
    evaluate(files, copied=[1, 8])  # patches lie on slices 5 and 6; 8 is the nearer
    metrics = read_table(files / "out" / "test_metrics.csv").set_index(["subset", "metric"])[
        "value"
    ]
    expected = 1 - 1 / len(table)
    assert metrics["all", "position_accuracy"] == pytest.approx(expected)
    accuracy = metrics["all", "accuracy"]
    assert metrics["all", "above_position"] == pytest.approx(accuracy - expected)
    evaluate(files, copied=[5])  # a slice that is judged itself is no baseline
    assert "position_accuracy" not in set(read_table(files / "out" / "test_metrics.csv")["metric"])


def test_blocks_follow_from_the_errors_or_are_given(files):
    for side, expected in (("auto", 160), (64, 64)):
        evaluate(files, block_px=side)
        metrics = read_table(files / "out" / "test_metrics.csv")
        assert set(metrics["block_px"]) == {expected}


def test_a_legend_of_other_areas_is_refused(files):
    write_legend(make_legend(["Ctx", "Str", "ZI"]), files / "legend.csv")
    with pytest.raises(InputError, match=r"network\.safetensors: trained on 3 areas"):
        evaluate(files)
    assert not (files / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": "Ponto"}, "area 'Ponto' is not in the legend"),
        ({"z": 7}, "slice 7 is outside the volume"),
        ({"x": 180}, r"patch \(.*, 180\) of slice . lies outside the 170 x 180 slices"),
    ],
)
def test_patches_that_do_not_belong_are_refused(files, change, message):
    table = read_patches(files / "test.csv")
    write_patches(table.assign(**change), files / "test.csv")
    with pytest.raises(InputError, match=message):
        evaluate(files)


def test_subsets_that_make_no_sense_are_refused(files):
    with pytest.raises(InputError, match="area 'XY': not in the legend"):
        evaluate(files, without=["XY"])
    trained = load_network(files / "network.safetensors")
    two = replace(trained, network=AreaNetwork(2), areas=("Ctx", "Str"))
    save_network(two, files / "network.safetensors")
    write_legend(make_legend(["Ctx", "Str"]), files / "legend.csv")
    table = read_patches(files / "test.csv")
    write_patches(table[table["area"] != "WM"], files / "test.csv")
    evaluate(files)
    with pytest.raises(InputError, match="without Str fewer than two areas remain"):
        evaluate(files, without=["Str"])


def test_another_voxel_size_is_warned_of(files, caplog):
    evaluate(files)
    assert not caplog.records
    trained = load_network(files / "network.safetensors")
    other = replace(trained, pixel_um=2.0, dtype="uint16")
    save_network(other, files / "network.safetensors")
    evaluate(files)
    assert "differs from the training: voxel of 1.17 um, training 2 um" in caplog.text
    assert "differs from the training: grey values of uint8, training uint16" in caplog.text


def test_predictions_are_the_same_on_every_run(files):
    evaluate(files)
    first = pd.read_csv(files / "out" / "test_metrics.csv")
    evaluate(files)
    pd.testing.assert_frame_equal(first, pd.read_csv(files / "out" / "test_metrics.csv"))
