from __future__ import annotations

import numpy as np
import pytest
import torch

from brainarch.embedding.representations import load_noisy, load_representations
from brainarch.embedding.stages import embed_noisy_patches, embed_patches
from brainarch.errors import InputError
from brainarch.evaluation.stages import evaluate_patches
from brainarch.network.trained import load_network
from brainarch.patches.table import read_patches
from brainarch.tables import read_table
from small_inputs import AREAS, write_inputs


@pytest.fixture
def files(tmp_path):
    write_inputs(tmp_path)
    return tmp_path


def inputs(files):
    return {
        "network": files / "network.safetensors",
        "volume": files / "volume.ome.zarr",
        "legend": files / "legend.csv",
        "patches": files / "test.csv",
    }


def embed(files, name):
    path = files / "out.zarr"
    embed_patches(**inputs(files), representations=path, name=name, seed=2020)
    return load_representations(path)


def embed_noisy(files, name, variances, patches_per_area=4):
    path = files / "noisy.zarr"
    settings = {"variances": variances, "patches_per_area": patches_per_area, "seed": 2020}
    embed_noisy_patches(**inputs(files), representations=path, name=name, **settings)
    return load_noisy(path)


def test_embedded_patches_keep_their_places(files):
    found = embed(files, "cnn")
    table = read_patches(files / "test.csv")
    for name in ("z", "y", "x"):
        assert getattr(found, name).tolist() == table[name].tolist()
    assert [found.areas[index] for index in found.area] == table["area"].tolist()
    assert found.network == "cnn"
    assert found.network_digest == load_network(files / "network.safetensors").digest


def test_head_on_the_representation_is_the_evaluation(files):
    tables = {kind: files / f"{kind}.csv" for kind in ("predictions", "metrics", "confusion")}
    settings = {"without": [], "copied": [], "resamples": 100, "block_px": 512, "seed": 2020}
    labels = files / "areas.zarr"
    evaluate_patches(**inputs(files), **tables, **settings, labels=labels)
    units = embed(files, "cnn").values
    head = load_network(files / "network.safetensors").network.head
    with torch.no_grad():
        expected = head(torch.from_numpy(units)).argmax(dim=1).numpy()
    found = read_table(files / "predictions.csv")["predicted"]
    assert [AREAS[index] for index in expected] == found.tolist()


def test_noise_starts_from_the_clean_representation(files):
    clean = embed(files, "untrained")
    noisy = embed_noisy(files, "untrained", [0, 0.01, 0.1])
    assert noisy.variance.tolist() == [0, 0.01, 0.1]
    np.testing.assert_array_equal(noisy.levels[0].values, clean.values)
    distances = [np.linalg.norm(level.values - clean.values) for level in noisy.levels]
    assert 0 == distances[0] < distances[1] < distances[2]


def test_a_draw_limits_the_noisy_patches(files):
    found = embed_noisy(files, "texture", [0.0], patches_per_area=2).levels[0]
    assert np.bincount(found.area).tolist() == [2, 2, 2]
    assert not found.commensurate


@pytest.mark.parametrize(
    ("variances", "message"),
    [
        ([0, -1], "a number from 0 up"),
        ([0, float("nan")], "a number from 0 up"),
        ([0, float("inf")], "a number from 0 up"),
        ([0.1, 0.1], "stands there twice"),
    ],
)
def test_variances_that_make_no_sense_are_refused(files, variances, message):
    with pytest.raises(InputError, match=message):
        embed_noisy(files, "texture", variances)


def test_failure_leaves_old_results(files):
    before = embed(files, "texture")
    with pytest.raises(InputError, match="network nonsense: not known"):
        embed(files, "nonsense")
    np.testing.assert_array_equal(load_representations(files / "out.zarr").values, before.values)
