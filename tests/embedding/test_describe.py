from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from brainarch.embedding import describe, names
from brainarch.embedding.networks import build_network
from brainarch.embedding.trunk import BATCH, TrunkDescriber
from brainarch.errors import InputError
from brainarch.geometry import cut_windows
from brainarch.patches.table import Places


class PixelDescriber:
    """Reports the centre pixel and the mean of each window."""

    unit_names = ("centre", "mean")
    commensurate = True

    def describe(self, windows):
        return np.stack([windows[:, 67, 67], windows.mean(axis=(1, 2))], axis=1)


@pytest.fixture
def places():
    rng = np.random.default_rng(3)
    return Places(rng.choice([9, 4], 30), rng.integers(0, 170, 30), rng.integers(0, 180, 30))


def test_rows_belong_to_their_patches(volume, places):
    found = describe.describe_patches(PixelDescriber(), volume, places)
    centres = [volume.slices[z][y, x] / 255 for z, y, x in zip(*places, strict=True)]
    np.testing.assert_allclose(found[:, 0], centres, rtol=1e-6)


def test_noise_is_the_same_for_every_network_and_chunk_size(volume, places, monkeypatch):
    variances = [0, 0.01, 0.1]
    whole = describe.describe_noisy(PixelDescriber(), volume, places, variances, seed=5)

    chunks = describe.window_chunks
    monkeypatch.setattr(describe, "window_chunks", lambda reader, at: chunks(reader, at, 3))
    pieces = describe.describe_noisy(PixelDescriber(), volume, places, variances, seed=5)
    np.testing.assert_array_equal(whole, pieces)

    other_list = describe.describe_noisy(PixelDescriber(), volume, places, [0.1], seed=5)
    np.testing.assert_array_equal(other_list[0], whole[2])
    other_seed = describe.describe_noisy(PixelDescriber(), volume, places, variances, seed=6)
    assert not np.array_equal(other_seed[1], whole[1])
    np.testing.assert_array_equal(other_seed[0], whole[0])


def test_trunk_is_the_network_run_window_by_window(volume, trained):
    y, x = np.arange(10, 10 + BATCH + 3), np.arange(30, 30 + BATCH + 3)
    places = Places(np.full(len(y), 4), y, x)
    describer = build_network("cnn", trained, seed=0)
    found = describe.describe_patches(describer, volume, places)

    windows = cut_windows(volume.slices[4], y, x) / 255.0
    norm = trained.normalisation
    exact = torch.from_numpy((windows - norm.mean) / norm.std).double()
    with torch.no_grad():
        trunk = trained.network.trunk.double()
        expected = np.concatenate([trunk(window[None, None]).numpy() for window in exact])
    trained.network.float()
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())
    assert (found >= 0).all()


def test_describing_leaves_the_trained_alone(trained):
    trained.network.train()
    before = trained.network.trunk.conv2.weight.stride()
    TrunkDescriber(trained.network.trunk, trained.normalisation)
    assert trained.network.training
    assert trained.network.trunk.conv2.weight.stride() == before


def test_untrained_network_comes_from_its_seed_alone(trained):
    windows = np.random.default_rng(0).random((2, 134, 134), dtype=np.float32)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_network("untrained", trained, seed=4).describe(windows)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = (build_network("untrained", trained, seed).describe(windows) for seed in (4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_untrained_is_not_the_trained_network(volume, places, trained):
    few = Places(*(part[:4] for part in places))
    found = [
        describe.describe_patches(build_network(name, trained, seed=0), volume, few)
        for name in ("cnn", "untrained")
    ]
    assert found[0].shape == found[1].shape == (4, 64)
    assert not np.allclose(*found)


def test_every_named_network_can_be_built(trained, volume, places):
    few = Places(*(part[:2] for part in places))
    assert names.NETWORKS == ("cnn", "unlabelled", "authors", "untrained", "texture")
    for name in names.NETWORKS:
        describer = build_network(name, trained, seed=0)
        found = describe.describe_patches(describer, volume, few)
        assert found.shape == (2, len(describer.unit_names))


def test_unknown_network_is_refused_with_the_known_ones(trained):
    with pytest.raises(
        InputError,
        match="resnet9: not known; there are cnn, unlabelled, authors, untrained, texture",
    ):
        build_network("resnet9", trained, seed=0)


def build_pixels(_trained, _seed):
    return PixelDescriber()


def test_a_network_is_added_by_one_line(monkeypatch, volume, places, trained):
    monkeypatch.setitem(names.BUILDERS, "pixels", f"{__name__}:build_pixels")
    describer = build_network("pixels", trained, seed=0)
    assert describe.describe_patches(describer, volume, places).shape == (30, 2)


def test_names_of_networks_are_known_without_loading_torch():
    code = "import sys, brainarch.embedding.names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_subsample_is_seeded_keeps_order_and_small_areas():
    patches = pd.DataFrame({"area": ["a", "b", "a", "a", "b", "c", "a"], "y": range(7)})
    found = describe.subsample_patches(patches, 2, seed=1)
    assert found["area"].value_counts().to_dict() == {"a": 2, "b": 2, "c": 1}
    assert found["y"].is_monotonic_increasing
    pd.testing.assert_frame_equal(found, describe.subsample_patches(patches, 2, seed=1))
    draws = {tuple(describe.subsample_patches(patches, 2, seed=s)["y"]) for s in range(20)}
    assert len(draws) > 3
