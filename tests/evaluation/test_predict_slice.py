from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.annotations.store import create_labels
from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.evaluation.area_map import BORDER_COLUMNS
from brainarch.evaluation.novelty import Usual, write_usual
from brainarch.evaluation.stages import predict_slice
from brainarch.evaluation.tables import CONFUSION_COLUMNS, METRIC_COLUMNS
from brainarch.grids.grid import Place
from brainarch.grids.maps import SliceMaps
from brainarch.network.architecture import AreaNetwork
from brainarch.network.trained import load_network, save_network
from brainarch.tables import read_columns, read_table
from small_inputs import AREAS, small_network, write_volume

SHAPE = (3, 70, 90)
STRIDE = 4
TABLES = ("confusion", "metrics", "border", "rim")


def areas_image():
    """Return labels: three areas side by side, unlabelled round them."""
    labels = np.zeros(SHAPE[1:], dtype=np.uint8)
    for code in (1, 2, 3):
        labels[8:60, 30 * code - 25 : 30 * code] = code
    return labels


def write_cube(path, z, digest):
    """Write made-up representations of all labelled pixels of the grid."""
    done = areas_image()[::STRIDE, ::STRIDE] > 0
    place = Place(z, STRIDE, 1.17, np.arange(0, 70, STRIDE), np.arange(0, 90, STRIDE))
    attrs = {"plan": {"shape": list(SHAPE[1:])}, "identity": {"network": digest}}
    cube = Cube.create(path, place, units=64, attrs=attrs)
    units = np.random.default_rng(z).gamma(1.0, size=(*done.shape, 64)).astype(np.float32)
    cube.write(0, 0, units, done)


@pytest.fixture
def files(tmp_path):
    """Cubes of slices 1 and 2; slice 1 has labels, and rows 20 to 49 of it are for testing."""
    trained = small_network()
    save_network(trained, tmp_path / "network.safetensors")
    for z in (1, 2):
        write_cube(tmp_path / f"cube{z}.zarr", z, trained.digest)
    labels = areas_image()
    create_labels(tmp_path / "areas.zarr", SHAPE, 1.17, [1]).write_slice(1, labels)
    grey = np.full(SHAPE[1:], 200, dtype=np.uint8)
    grey[:, :30] = 10
    write_volume(tmp_path / "volume.zarr", np.stack([grey] * SHAPE[0]))
    splits = np.where(labels > 0, 1, 0).astype(np.uint8)
    create_labels(tmp_path / "untested.zarr", SHAPE, 1.17, [1]).write_slice(1, splits)
    splits[20:50][labels[20:50] > 0] = 3
    create_labels(tmp_path / "splits.zarr", SHAPE, 1.17, [1]).write_slice(1, splits)
    write_legend(make_legend(AREAS), tmp_path / "legend.csv")
    usual = Usual(np.ones((3, 64)), np.eye(64), 0.99, 1.2, trained.digest)
    write_usual(usual, tmp_path / "novelty.json")
    return tmp_path


def predict(files, z=1, block_px=512, **changes):
    given = {
        "cube": files / f"cube{z}.zarr",
        "network": files / "network.safetensors",
        "volume": files / "volume.zarr",
        "novelty": files / "novelty.json",
        "labels": files / "areas.zarr",
        "legend": files / "legend.csv",
        "splits": files / "splits.zarr",
        "predictions": files / "none.csv",
        "areas": files / "out" / "areas.zarr",
        **{kind: files / "out" / f"{kind}.csv" for kind in TABLES},
    }
    settings = {"average_px": 12, "copied": [], "resamples": 200, "seed": 2020}
    predict_slice(**{**given, **settings, **changes}, block_px=block_px)
    return {kind: read_table(files / "out" / f"{kind}.csv") for kind in TABLES}


def test_the_map_covers_the_extracted_pixels(files):
    predict(files)
    found = SliceMaps.open(files / "out" / "areas.zarr")
    extracted = Cube.open(files / "cube1.zarr").extracted
    np.testing.assert_array_equal(found.read("area") > 0, extracted)
    np.testing.assert_array_equal(np.isfinite(found.read("confidence")), extracted)
    assert found.attrs["areas"] == list(AREAS)
    novelty = found.read("novelty")
    np.testing.assert_array_equal(np.isfinite(novelty), extracted)
    X = np.concatenate([X for _, _, X in Cube.open(files / "cube1.zarr").batches()])
    np.testing.assert_allclose(
        novelty[extracted], np.sqrt(((X - 1.0) ** 2).mean(axis=1)), rtol=1e-5
    )
    assert found.attrs["novelty_threshold"] == 1.2


def test_the_test_pixels_are_judged(files):
    tables = predict(files)
    inside = areas_image()[::STRIDE, ::STRIDE] > 0
    inside[: 20 // STRIDE] = inside[-(-50 // STRIDE) :] = False
    assert tables["confusion"]["count"].sum() == inside.sum()
    assert tables["border"]["pixels"].sum() == inside.sum()
    assert set(tables["metrics"]["subset"]) == {"test", "test, averaged over 12 px"}
    for kind, columns in (
        ("confusion", CONFUSION_COLUMNS),
        ("metrics", METRIC_COLUMNS),
        ("border", BORDER_COLUMNS),
    ):
        assert read_columns(files / "out" / f"{kind}.csv") == columns


def test_all_labelled_pixels_are_judged_where_none_is_for_testing(files):
    tables = predict(files, splits=files / "untested.zarr")
    assert tables["confusion"]["count"].sum() == Cube.open(files / "cube1.zarr").count
    assert set(tables["metrics"]["subset"]) == {"all", "all, averaged over 12 px"}


def test_accuracy_is_that_of_map_and_labels(files):
    accuracy = predict(files, splits=files / "untested.zarr")["metrics"]["value"][0]
    grid = areas_image()[::STRIDE, ::STRIDE]
    found = SliceMaps.open(files / "out" / "areas.zarr").read("area")
    assert accuracy == pytest.approx((found == grid)[grid > 0].mean())


def test_the_rim_is_judged_apart(files):
    """The volume is dark left of column 30: patches there hold little tissue."""
    table = predict(files, splits=files / "untested.zarr")["rim"].set_index("part")
    assert table["outside"].isna().all()
    assert table.loc["all", "pixels"] == Cube.open(files / "cube1.zarr").count
    rim, whole = table.filter(like="rim", axis=0), table.filter(like="at least", axis=0)
    assert rim["pixels"].sum() + whole["pixels"].sum() == table.loc["all", "pixels"]
    assert table.filter(like="beyond", axis=0)["pixels"].sum() == 0  # areas 25 pixels wide
    tissue = SliceMaps.open(files / "out" / "areas.zarr").read("tissue")
    extracted = Cube.open(files / "cube1.zarr").extracted
    assert (tissue[extracted] < 0.9).sum() == rim["pixels"].sum() > 0


def test_a_network_that_knows_what_is_no_tissue(files):
    """Its areas and accuracies are those of the same network without that output."""
    trained = small_network()
    head = torch.nn.Linear(64, len(AREAS) + 1)
    with torch.no_grad():
        head.weight[:-1], head.bias[:-1] = trained.network.head.weight, trained.network.head.bias
        head.weight[-1], head.bias[-1] = trained.network.head.weight[0], 0.5
    network = AreaNetwork(len(AREAS) + 1)
    network.trunk.load_state_dict(trained.network.trunk.state_dict())
    network.head = head
    more = replace(trained, network=network.eval(), outside=True)
    without = predict(files, splits=files / "untested.zarr")
    area = SliceMaps.open(files / "out" / "areas.zarr").read("area")
    save_network(more, files / "more.safetensors")
    assert load_network(files / "more.safetensors").outside
    write_cube(files / "cube3.zarr", 1, more.digest)
    write_usual(
        Usual(np.ones((3, 64)), np.eye(64), 0.99, 1.2, more.digest), files / "novelty3.json"
    )
    found = predict(
        files,
        cube=files / "cube3.zarr",
        network=files / "more.safetensors",
        novelty=files / "novelty3.json",
        splits=files / "untested.zarr",
    )
    maps = SliceMaps.open(files / "out" / "areas.zarr")
    np.testing.assert_array_equal(maps.read("area"), area)
    assert found["metrics"].equals(without["metrics"])
    none = maps.read("outside")
    assert found["rim"]["outside"][0] == (none[area > 0] > 0.5).mean() > 0


def test_blocks_have_the_side_that_is_asked_for(files):
    one, many = (predict(files, block_px=side)["metrics"] for side in (512, 20))
    assert set(one["blocks"]) == {1}
    assert one["low"].isna().all()
    row = many[many["area"] == "all"].iloc[0]
    assert row["blocks"] == 2 * 5  # rows 20 to 49, columns 5 to 89
    assert row["low"] < row["value"] < row["high"]


def test_a_slice_without_annotation_still_has_a_map(files):
    tables = predict(files, z=2)
    assert (SliceMaps.open(files / "out" / "areas.zarr").read("area") > 0).any()
    assert tables["confusion"]["count"].sum() == 0
    assert tables["metrics"]["value"].isna().all()


def test_wrong_files_are_refused_in_one_line(files):
    save_network(small_network(seed=1), files / "other.safetensors")
    write_legend(make_legend(["Ctx", "Str"]), files / "two.csv")
    labels = np.where(areas_image() == 3, 4, areas_image())
    create_labels(files / "four.zarr", SHAPE, 1.17, [1]).write_slice(1, labels)
    wide = create_labels(files / "wide.zarr", (3, 70, 99), 1.17, [1])
    wide.write_slice(1, np.zeros((70, 99), dtype=np.uint8))
    write_usual(Usual(np.ones((3, 64)), np.eye(64), 0.99, 1.2, "?"), files / "stranger.json")
    cases = [
        ({"novelty": files / "stranger.json"}, "stranger.json: of another network than"),
        ({"novelty": files / "gone.json"}, "gone.json: not there; run `brainarch fit-novelty`"),
        ({"network": files / "other.safetensors"}, "was extracted from another network"),
        ({"legend": files / "two.csv"}, "trained on 3 areas"),
        ({"labels": files / "four.zarr"}, "holds code 4, the legend has 3 areas"),
        ({"labels": files / "wide.zarr"}, "slices of 70 x 99 pixels, the cube's slice has 70 x 90"),
    ]
    for changes, reason in cases:
        with pytest.raises(InputError, match=reason) as caught:
            predict(files, **changes)
        assert "\n" not in str(caught.value)


def test_a_network_that_learnt_the_same_is_the_same(files):
    """What a network computes is what counts, not what its file says about the training."""
    trained = load_network(files / "network.safetensors")
    save_network(replace(trained, training={"epochs": 9}), files / "network.safetensors")
    predict(files)


def test_the_averaged_map_is_judged_by_itself(files):
    """Brute force: every pixel's probabilities, averaged over the judged pixels of a square."""
    metrics = predict(files)["metrics"]
    cube = Cube.open(files / "cube1.zarr")
    head = load_network(files / "network.safetensors").network.head.double()
    rows, columns = np.nonzero(cube.extracted)
    units = np.concatenate([X for _, _, X in cube.batches()])
    with torch.no_grad():
        p = torch.softmax(head(torch.from_numpy(units).double()), dim=1).numpy()
    y, grid = rows * STRIDE, areas_image()[::STRIDE, ::STRIDE]
    judged = (y >= 20) & (y < 50)
    right = []
    for row, column in zip(rows[judged], columns[judged], strict=True):
        near = judged & (abs(rows - row) <= 1) & (abs(columns - column) <= 1)  # 3 x 3: 12 px
        right.append(p[near].mean(axis=0).argmax() + 1 == grid[row, column])
    accuracy = metrics[metrics["metric"] == "accuracy"].set_index("subset")["value"]
    assert accuracy["test, averaged over 12 px"] == pytest.approx(np.mean(right))
    raw = p[judged].argmax(axis=1) + 1 == grid[rows[judged], columns[judged]]
    assert accuracy["test"] == pytest.approx(raw.mean())
    assert accuracy["test"] != accuracy["test, averaged over 12 px"]
    found = SliceMaps.open(files / "out" / "areas.zarr")
    assert found.attrs["average_px"] == 12
    np.testing.assert_array_equal(found.read("averaged") > 0, cube.extracted)


def test_copying_the_training_annotation_is_the_baseline(files):
    labels = create_labels(files / "two.zarr", SHAPE, 1.17, [0, 1])
    labels.write_slice(1, areas_image())
    shifted = np.roll(areas_image(), 8, axis=1)
    labels.write_slice(0, shifted)
    metrics = predict(files, labels=files / "two.zarr", copied=[0])["metrics"]
    value = metrics.set_index(["subset", "metric"])["value"]
    inside = np.zeros_like(shifted, dtype=bool)
    inside[20:50:STRIDE, ::STRIDE] = areas_image()[20:50:STRIDE, ::STRIDE] > 0
    expected = (shifted == areas_image())[inside].mean()
    assert 0.3 < expected < 1
    assert value["test", "position_accuracy"] == pytest.approx(expected)
    assert value["test", "above_position"] == pytest.approx(value["test", "accuracy"] - expected)
