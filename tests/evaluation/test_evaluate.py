from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
import typer
from typer.testing import CliRunner

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.cli import embedding as embedding_cli
from brainarch.cli import evaluation as evaluation_cli
from brainarch.embedding.store import load_noisy, load_representations
from brainarch.errors import InputError
from brainarch.geometry import cut_windows
from brainarch.network.checkpoint import file_digest, load_checkpoint, save_checkpoint
from brainarch.patches.table import read_patches, write_patches
from brainarch.tables import read_columns, read_table
from brainarch.volume.store import open_volume


def command():
    app = typer.Typer()
    evaluation_cli.register(app)
    embedding_cli.register(app)
    return app


def run(files, verb, **options):
    given = {
        "checkpoint": files / "network.safetensors",
        "volume": files / "volume.ome.zarr",
        "patches": files / "test.csv",
        "legend": files / "legend.csv",
        **options,
    }
    words = [verb]
    for name, value in given.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                words += [f"--{name.replace('_', '-')}", str(item)]
    return CliRunner().invoke(command(), words)


def evaluate(files, **options):
    result = run(files, "evaluate", output_prefix=files / "out" / "test", **options)
    if result.exception is not None:
        raise result.exception
    return result


def test_probabilities_are_the_networks(files):
    evaluate(files)
    found = read_table(files / "out" / "test_predictions.csv")
    volume, network = open_volume(files / "volume.ome.zarr"), None
    checkpoint = load_checkpoint(files / "network.safetensors")
    network = checkpoint.network.double()
    for row in found.itertuples():
        window = cut_windows(volume.read_slice(row.z), np.array([row.y]), np.array([row.x])) / 255
        window = (window - checkpoint.normalisation.mean) / checkpoint.normalisation.std
        with torch.no_grad():
            expected = torch.softmax(network(torch.from_numpy(window)[:, None]), 1)[0].numpy()
        np.testing.assert_allclose([row.p_Ctx, row.p_Str, row.p_WM], expected, atol=1e-5)
        assert row.predicted == checkpoint.areas[int(expected.argmax())]


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


@pytest.mark.parametrize(
    ("without", "message"),
    [("XY", "area 'XY': not in the legend"), ("WM,Str", "fewer than two areas remain")],
)
def test_subsets_that_make_no_sense_are_refused(files, without, message):
    with pytest.raises(InputError, match=message):
        evaluate(files, without=without)


def test_another_voxel_size_is_warned_of(files, caplog):
    evaluate(files)
    assert not caplog.records
    trained = load_checkpoint(files / "network.safetensors")
    object.__setattr__(trained, "voxel_um", 2.0)
    object.__setattr__(trained, "dtype", "uint16")
    save_checkpoint(trained, files / "network.safetensors")
    evaluate(files)
    assert "voxels are 1.17 um, but the network was trained at 2 um" in caplog.text
    assert "uint8, but the network was trained on uint16" in caplog.text


def embed(files, **options):
    result = run(files, "embed", output=files / "out.zarr", **options)
    if result.exception is not None:
        raise result.exception
    return files / "out.zarr"


def test_embedded_patches_keep_their_places(files):
    found = load_representations(embed(files, network="cnn"))
    table = read_patches(files / "test.csv")
    for name in ("z", "y", "x", "block"):
        assert getattr(found, name).tolist() == table[name].tolist()
    assert [found.areas[index] for index in found.area] == table["area"].tolist()
    assert found.network == "cnn"
    assert found.checkpoint == file_digest(files / "network.safetensors")


def test_head_on_the_representation_is_the_evaluation(files):
    evaluate(files)
    units = load_representations(embed(files, network="cnn")).values
    head = load_checkpoint(files / "network.safetensors").network.head
    with torch.no_grad():
        expected = head(torch.from_numpy(units)).argmax(dim=1).numpy()
    found = read_table(files / "out" / "test_predictions.csv")["predicted"]
    assert [("Ctx", "Str", "WM")[index] for index in expected] == found.tolist()


def test_noise_starts_from_the_clean_representation(files):
    clean = load_representations(embed(files, network="untrained"))
    noisy = load_noisy(embed(files, network="untrained", variances="0,0.01,0.1"))
    assert noisy.variance.tolist() == [0, 0.01, 0.1]
    np.testing.assert_array_equal(noisy.levels[0].values, clean.values)
    distances = [np.linalg.norm(level.values - clean.values) for level in noisy.levels]
    assert 0 == distances[0] < distances[1] < distances[2]


def test_texture_needs_no_network_and_a_draw_limits_it(files):
    path = embed(files, network="texture", checkpoint=None, max_patches_per_area=2)
    found = load_representations(path)
    assert np.bincount(found.area).tolist() == [2, 2, 2]
    assert found.checkpoint == ""
    assert not found.commensurate


@pytest.mark.parametrize(
    ("variances", "message"),
    [
        ("0,x", "wanted numbers with commas"),
        ("0,-1", "a number from 0 up"),
        ("0,nan", "a number from 0 up"),
        ("0.1,0.1", "stands there twice"),
    ],
)
def test_variances_that_make_no_sense_are_refused(files, variances, message):
    with pytest.raises(InputError, match=message):
        embed(files, network="texture", variances=variances)


def test_failure_leaves_old_results(files):
    before = load_representations(embed(files, network="texture"))
    with pytest.raises(InputError):
        embed(files, network="nonsense")
    np.testing.assert_array_equal(load_representations(files / "out.zarr").values, before.values)


def test_predictions_are_the_same_on_every_run(files):
    evaluate(files)
    first = pd.read_csv(files / "out" / "test_metrics.csv")
    evaluate(files)
    pd.testing.assert_frame_equal(first, pd.read_csv(files / "out" / "test_metrics.csv"))
