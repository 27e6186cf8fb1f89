"""The control that can fail: nonsense areas are at chance, unless something leaks."""

from __future__ import annotations

import numpy as np
import pytest

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.stages import cut_nonsense
from brainarch.annotations.store import create_labels
from brainarch.evaluation.stages import evaluate_patches
from brainarch.patches.stages import sample_slices
from brainarch.pipeline.facts import PARTS
from brainarch.reporting.verdicts import nonsense_verdict
from brainarch.tables import read_table
from brainarch.training.stages import train_patches
from small_inputs import write_volume

SHAPE = (3, 400, 900)
SLICES = {"train": [0], "val": [1], "test": [2]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three slices of smooth noise, one area, cut into nonsense areas and sampled."""
    folder = tmp_path_factory.mktemp("nonsense")
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (3, 50, 113)).astype(np.uint8)
    grey = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :400, :900]
    write_volume(folder / "volume.zarr", grey)
    write_legend(make_legend(["Str", "Ctx"]), folder / "legend.csv")
    store = create_labels(folder / "areas.zarr", SHAPE, 1.17, [0, 1, 2], slice_um=60.0)
    for z in range(3):
        store.write_slice(z, np.ones(SHAPE[1:], dtype=np.uint8))
    cut_nonsense(
        labels=folder / "areas.zarr",
        legend=folder / "legend.csv",
        area="Str",
        parts=PARTS,
        slices=[0, 1, 2],
        nonsense=folder / "nonsense.zarr",
        nonsense_legend=folder / "nonsense.csv",
    )
    sample_slices(
        labels=folder / "nonsense.zarr",
        legend=folder / "nonsense.csv",
        splits=folder / "splits.zarr",
        **{name: folder / f"{name}.csv" for name in (*SLICES, "counts", "independent")},
        slices=SLICES,
        train_patches=24,
        eval_patches=24,
        min_gap_um=50.0,
        area_shares=dict.fromkeys(PARTS, 1e-6),
        seed=1,
    )
    return folder


def run(files, output, train, val, epochs):
    """Train on a patch table and return the verdict on the test patches, and the accuracy."""
    given = {
        "volume": files / "volume.zarr",
        "legend": files / "nonsense.csv",
        "labels": files / "nonsense.zarr",
    }
    train_patches(
        **given,
        splits=files / "splits.zarr",
        train=files / f"{train}.csv",
        val=files / f"{val}.csv",
        network=output / "network.safetensors",
        curves=output / "curves.csv",
        summary=output / "summary.json",
        partial=output / ".partial",
        epochs=epochs,
        batch_size=16,
        learning_rate=5e-4,
        dropout=0.0,
        permute_labels=False,
        as_authors=False,
        seed=2,
        device="cpu",
    )
    evaluate_patches(
        **given,
        network=output / "network.safetensors",
        patches=files / "test.csv",
        predictions=output / "predictions.csv",
        metrics=output / "metrics.csv",
        confusion=output / "confusion.csv",
        without=[],
        copied=[0],
        resamples=500,
        block_px=134,
        seed=1,
    )
    metrics = read_table(output / "metrics.csv")
    values = metrics[metrics["area"] == "all"].set_index("metric")["value"]
    return nonsense_verdict(metrics, "Str", "").answer, values


@pytest.mark.slow
def test_the_control_is_at_chance_and_shows_a_planted_leak(files, tmp_path):
    honest, value = run(files, tmp_path / "honest", "train", "val", epochs=12)
    assert honest in ("yes", "undecided")
    assert abs(value["accuracy"] - 0.25) < 0.15
    assert value["position_accuracy"] > 0.95  # the parts are where they were
    # Test patches planted into training.
    leaking, value = run(files, tmp_path / "leaking", "test", "test", epochs=25)
    assert leaking == "no"
    assert value["accuracy"] > 0.5
