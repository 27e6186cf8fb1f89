from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from brainarch.embedding.representations import (
    NoisyRepresentations,
    load_representations,
    save_noisy,
    save_representations,
)
from brainarch.errors import InputError
from brainarch.readout import stages
from brainarch.readout.gram_excerpt import load_excerpt
from brainarch.tables import read_columns, read_table
from small_inputs import write_plain

BOOTSTRAP = {"resamples": 100, "block_px": 1000, "seed": 2020}


@pytest.fixture
def files(tmp_path, make, planted):
    """Train, test and noisy representations of two networks, one of them worthless."""
    for split, seed in (("train", 0), ("test", 1)):
        values, area = planted(seed)
        cnn = make(values, area)
        noise = np.random.default_rng(seed).normal(size=values.shape)
        texture = make(noise, area, network="texture", commensurate=False)
        for name, content in (("cnn", cnn), ("texture", texture)):
            save_representations(content, tmp_path / f"{name}_{split}.zarr")
            noisy = NoisyRepresentations(np.array([0, 0.1]), (content, content))
            save_noisy(noisy, tmp_path / f"{name}_noise.zarr")
    return tmp_path


def given(files, *splits):
    """Return representations of both networks by split."""
    return {
        split: {name: files / f"{name}_{split}.zarr" for name in ("cnn", "texture")}
        for split in splits
    }


def classify(files, heads=None):
    stages.classify_patches(
        **given(files, "train", "test", "noise"),
        heads=heads or {},
        classifiers=files / "classifiers.csv",
        noise_curve=files / "noise.csv",
        differences=files / "differences.csv",
        **BOOTSTRAP,
        predictions=files / "predictions.csv",
    )
    return read_table(files / "classifiers.csv"), read_table(files / "noise.csv")


def score_clusters(files, **changes):
    inputs = {**given(files, "train", "test"), **changes}
    inputs["predictions"] = files / "predictions.csv"
    stages.score_clusters(**inputs, scores=files / "scores.csv", **BOOTSTRAP)
    return read_table(files / "scores.csv").set_index("network")


def test_classify_compares_networks(files):
    accuracies, noise = classify(files)
    test = accuracies[accuracies["split"] == "test"]
    by_network = test.groupby("network")["accuracy"].mean()
    assert by_network["cnn"] > 0.95
    assert by_network["texture"] < 0.5
    assert set(accuracies["split"]) == {"train", "test"}
    assert len(noise) == 2 * 3 * 2
    assert "95 %" in read_columns(files / "classifiers.csv")["low"]


def test_classify_shows_the_networks_own_head(files, make, planted):
    values, area = planted(1)
    content = make(values, area)
    predictions = pd.DataFrame(
        {
            "z": content.z,
            "y": content.y,
            "x": content.x,
            "area": [content.areas[index] for index in content.area],
            "predicted": ["Ctx"] * len(content),
            "share": 1.0,
        }
    )
    write_plain(predictions, files / "predictions.csv")
    accuracies, _ = classify(files, {"cnn": files / "predictions.csv"})
    row = accuracies[accuracies["classifier"] == "cnn"].iloc[0]
    assert row["accuracy"] == pytest.approx(1 / 3)
    assert row["split"] == "test"
    assert pd.isna(row["converged"])
    assert accuracies[accuracies["classifier"] != "cnn"]["converged"].all()

    write_plain(predictions.assign(predicted="ZI"), files / "predictions.csv")
    with pytest.raises(InputError, match="predicts 'ZI', which is no area"):
        classify(files, {"cnn": files / "predictions.csv"})
    write_plain(predictions.assign(y=0), files / "predictions.csv")
    with pytest.raises(InputError, match="predictions of other patches"):
        classify(files, {"cnn": files / "predictions.csv"})


def test_differences_are_of_the_accuracies_that_stand_side_by_side(files, make, planted):
    values, area = planted(1)
    content = make(values, area)
    names = np.array(content.areas, dtype=object)
    said = names[np.where(np.arange(len(area)) < 12, 2, area)]  # twelve of Ctx taken for WM
    places = {"z": content.z, "y": content.y, "x": content.x}
    frame = pd.DataFrame({**places, "area": names[area], "predicted": said, "share": 1.0})
    write_plain(frame, files / "predictions.csv")
    accuracies, _ = classify(files, {"cnn": files / "predictions.csv"})
    value = accuracies[accuracies["split"] == "test"].set_index(["network", "classifier"])[
        "accuracy"
    ]
    found = read_table(files / "differences.csv")
    keys = ["network", "classifier", "other_network", "other_classifier"]
    assert len(found) == 2 * 3
    for row in found.to_dict("records"):
        first, other = value[row[keys[0]], row[keys[1]]], value[row[keys[2]], row[keys[3]]]
        assert row["difference"] == pytest.approx(first - other)
        assert row["low"] <= row["difference"] <= row["high"]
    head = found[found["other_classifier"] == "cnn"]
    assert set(head["network"]) == {"cnn"}
    assert head["difference"].tolist() == pytest.approx([0.1] * 3, abs=0.02)


def test_results_do_not_depend_on_the_run(files):
    first = classify(files)
    second = classify(files)
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_cluster_score(files):
    found = score_clusters(files)
    assert found.loc["cnn", "v_measure"] > 0.9
    assert found.loc["texture", "v_measure"] < 0.2
    assert found["components"].tolist() == [3, 3]


def test_gram(files):
    stages.measure_gram(
        **given(files, "test"),
        errors=files / "error.csv",
        blocks=files / "blocks.csv",
        matrices={name: files / f"gram_{name}.zarr" for name in ("cnn", "texture")},
        predictions=files / "predictions.csv",
        patches_per_area=20,
        **BOOTSTRAP,
    )
    errors = read_table(files / "error.csv").set_index("network")
    assert errors["patches_per_area"].tolist() == [20, 20]
    assert errors.loc["cnn", "constant"] == pytest.approx(np.sqrt(2 / 3))
    assert errors.loc["cnn", "orthogonal"] == pytest.approx(np.sqrt(1 / 3 - 1 / 60))
    assert errors.loc["cnn", "block_error"] < errors.loc["texture", "block_error"]
    blocks = read_table(files / "blocks.csv")
    assert len(blocks) == 2 * 9
    excerpt = load_excerpt(files / "gram_cnn.zarr")
    assert excerpt.gram.shape == (60, 60)
    own = excerpt.gram[:20, :20].mean()
    row = blocks[(blocks["network"] == "cnn") & (blocks["area"] == "Ctx")].iloc[0]
    assert row["other"] == "Ctx"
    assert row["mean"] == pytest.approx(own, rel=1e-5)


def test_pca(files):
    stages.project_components(
        **given(files, "test"),
        components=files / "pca.csv",
        variance=files / "variance.csv",
        patches_per_area=10,
        seed=2020,
    )
    table = read_table(files / "pca.csv")
    assert table.groupby(["network", "area"]).size().tolist() == [10] * 6
    shares = read_table(files / "variance.csv")
    assert shares.groupby("network")["share"].sum().tolist() == pytest.approx([1, 1])
    assert shares["component"].tolist() == list(range(1, 7)) * 2


def test_relations(files):
    content = load_representations(files / "cnn_test.zarr")
    names = np.array(content.areas, dtype=object)[content.area]
    places = {"z": content.z, "y": content.y, "x": content.x, "area": names, "predicted": names}
    write_plain(pd.DataFrame(places).assign(share=1.0), files / "predictions.csv")
    stages.relate_areas(
        **given(files, "train", "test"),
        relations=files / "relations.csv",
        hierarchy=files / "hierarchy.csv",
        variability=files / "variability.csv",
        outliers=files / "outliers.csv",
        predictions=files / "predictions.csv",
        **BOOTSTRAP,
    )
    table = read_table(files / "relations.csv")
    assert len(table) == 2 * 6
    assert table.groupby(["network", "area"])["nearest"].sum().tolist() == [1] * 6
    joined = read_table(files / "hierarchy.csv")
    assert joined.groupby(["network", "measure"])["size"].max().tolist() == [3] * 6
    varied = read_table(files / "variability.csv").set_index(["network", "area"])
    assert len(varied) == 2 * 4
    assert varied.loc[("cnn", "Ctx"), "within"] == pytest.approx(
        table.set_index(["network", "area"]).loc[("cnn", "Ctx"), "spread"].iloc[0] ** 2
    )
    outliers = read_table(files / "outliers.csv")
    assert outliers.groupby(["network", "area"]).size().tolist() == [10] * 6


def save_other(files, name, split, **changes):
    path = files / f"{name}_{split}.zarr"
    content = load_representations(path)
    save_representations(replace(content, **changes), path)


def test_networks_must_describe_the_same_patches(files):
    content = load_representations(files / "texture_test.zarr")
    save_other(files, "texture", "test", y=content.y + 1)
    with pytest.raises(InputError, match=r"texture_test\.zarr: describes other patches than"):
        classify(files)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network_digest": "other"}, "test patches by cnn: network digest not as of the train"),
        ({"network": "untrained"}, "test patches by cnn: network not as of the train"),
    ],
)
def test_train_and_test_must_be_of_one_network(files, change, message):
    save_other(files, "cnn", "test", **change)
    with pytest.raises(InputError, match=message):
        classify(files)


def test_train_and_test_must_have_the_same_networks(files):
    train = {"cnn": files / "cnn_train.zarr"}
    with pytest.raises(InputError, match="train and test: representations of both are needed for"):
        score_clusters(files, train=train)
