"""Stages: their arguments are those of their functions, their settings the keys that they use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainarch.config.model import LEARNING
from brainarch.config.read import check_config, read_config
from brainarch.errors import InputError
from brainarch.pipeline.jobs import stage_names
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import Stage, flat

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
#: What of the machine a stage's function may take beside its stage's arguments.
MACHINE = {"threads", "device", "scheduler", "memory_mb"}

Content = dict[str, Any]
Edit = Callable[[Content], None]


def jobs(pipeline: Pipeline) -> Iterator[tuple[str, Stage]]:
    """Yield every stage of a run by its verb, once for each slice, run, network or figure."""
    values: dict[str, list[Any]] = {
        "z": pipeline.config.extraction.slices,
        "run": pipeline.runs,
        "split": ["train", "val", "test"],
        "network": list(dict.fromkeys([*pipeline.networks, *pipeline.extracted])),
        "name": pipeline.figures,
        "kind": ["clusters", "components"],
    }
    for name in stage_names():
        kinds = list(pipeline.previewed) if name == "preview" else values["kind"]
        parts = list(inspect.signature(getattr(Pipeline, name)).parameters)[1:]
        chosen: list[dict[str, Any]] = [{}]
        for part in parts:
            found = kinds if part == "kind" else values[part]
            chosen = [{**one, part: value} for one in chosen for value in found]
        for one in chosen:
            try:
                stage = getattr(pipeline, name)(**one)
            except InputError:  # this dataset does not have it
                continue
            yield name, stage


def pipelines() -> dict[str, Pipeline]:
    return {path.stem: Pipeline.read(path) for path in CONFIGS}


def borrowing(weights: Path) -> Pipeline:
    """Return the tiny run with one more network, whose weights are in a file."""
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["readout"]["networks"].append("lent")
    content["readout"]["borrowed"] = [
        {"name": "lent", "model": "my.module:build", "layer": "last", "weights": str(weights)}
    ]
    return Pipeline.of(check_config(content, "borrowing"))


def many_slices() -> Pipeline:
    """Return the tiny run with more slices than one page shows."""
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["extraction"] |= {"slices": [104, 154, 5, 6, 7], "where": "tissue"}
    return Pipeline.of(check_config(content, "many"))


def trained(**factorization: Any) -> Pipeline:
    """Return the tiny volume with a trained network and no annotations."""
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content = {key: value for key, value in content.items() if key not in LEARNING}
    content |= {"network": "lent.safetensors", "factorization": factorization}
    content["extraction"]["where"] = "tissue"
    return Pipeline.of(check_config(content, "trained"))


def by_function() -> dict[str, list[Stage]]:
    found: dict[str, list[Stage]] = {}
    more = borrowing(ROOT / "README.md"), many_slices(), trained(), trained(basis="basis.csv")
    for pipeline in (*pipelines().values(), *more):
        for _, stage in jobs(pipeline):
            found.setdefault(stage.function, []).append(stage)
    return found


@pytest.mark.parametrize("function", by_function())
def test_a_stages_arguments_are_its_functions(function: str) -> None:
    stages = by_function()[function]
    parameters = inspect.signature(stages[0].load()).parameters
    needed = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty} - MACHINE
    for stage in stages:
        assert needed <= set(stage.arguments) <= set(parameters)
    given = set().union(*(stage.arguments for stage in stages))
    assert set(parameters) - (MACHINE - given) == given
    for name in set().union(*(stage.settings for stage in stages)):
        default = parameters[name].default
        nothing = (inspect.Parameter.empty, None, ())
        assert default in nothing, f"{name}: its default is the config's"


@pytest.mark.parametrize("name", [path.stem for path in CONFIGS])
def test_every_input_is_made_by_a_stage(name: str) -> None:
    pipeline = pipelines()[name]
    stages = [stage for _, stage in jobs(pipeline)]
    made = {path for stage in stages for path in flat(stage.outputs)}
    made.add(pipeline.results.preflight)
    for stage in stages:
        assert set(flat(stage.inputs)) <= made


@pytest.mark.parametrize("name", [path.stem for path in CONFIGS])
def test_no_two_stages_make_the_same_file(name: str) -> None:
    pipeline = pipelines()[name]
    fitted = pipeline.results.coefficients(pipeline.fit_slice)  # `factorize` has it, not `project`
    made = [
        path
        for verb, stage in jobs(pipeline)
        if not (verb == "project" and fitted in flat(stage.outputs))
        and not (verb == "sample" and "permuted" in stage.outputs["train"])
        for path in flat(stage.outputs)
    ]
    assert len(made) == len(set(made))


def put(key: str, value: Any) -> Edit:
    """Return an edit that gives a key another value."""

    def edit(content: Content) -> None:
        section: Any = content
        *sections, last = key.split(".")
        for name in sections:
            section = section[int(name) if name.isdigit() else name]
        assert section.get(last) != value
        section[last] = value

    return edit


def swap(section: str, one: str, other: str) -> Edit:
    """Return an edit that swaps the values of two keys."""

    def edit(content: Content) -> None:
        keys = content[section]
        assert keys[one] != keys[other]
        keys[one], keys[other] = keys[other], keys[one]

    return edit


def changed(edit: Edit) -> set[str]:
    """Return the verbs of which a job is given something else after an edit of the tiny config."""
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    before = [(verb, stage) for verb, stage in jobs(Pipeline.of(check_config(content, "before")))]
    edit(content)
    after = [(verb, stage) for verb, stage in jobs(Pipeline.of(check_config(content, "after")))]
    return {
        verb
        for (verb, one), (_, other) in zip(before, after, strict=True)
        if repr(one.settings) != repr(other.settings)
    } - {"report"}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (put("title", "Another"), {"explore", "explore_slice"}),
        (put("seed", 1), {
            "phantom", "sample", "train", "train_unlabelled", "write_untrained", "evaluate",
            "embed", "embed_noise", "prove", "predict",
            "classify", "cluster_score", "gram", "pca", "relations", "factorize", "align",
            "measure_selection", "explain_factors", "baselines", "find_planted", "sweep_ranks",
            "probe_labels", "embed_degraded", "score_degraded", "find_lesions",
            "cluster_area", "find_components", "sweep_components", "compare_layers",
            "match_components", "compare_assignments", "figure",
        }),
        (swap("splits", "val", "test"), {"sample", "figure"}),
        (swap("sampling", "train_patches", "eval_patches"), {"sample"}),
        (put("sampling.min_gap_um", 50.5), {"sample", "train", "find_lesions"}),
        (put("training.orientation", "mirrored"), {"train"}),
        (put("training.orientation", "fixed"), set()),
        (put("training.start", "scratch"), set()),
        (put("training.permuted_share", 0.5), {"train"}),
        (put("training.nonsense_area", "VP"), {"nonsense"}),
        (put("unlabelled.places", 5), {"train_unlabelled"}),
        (put("unlabelled.slices", [4, 54]), {"train_unlabelled"}),
        (put("extraction.stride", 4), {"plan"}),
        (put("extraction.memory_mb", 1600), {"plan"}),
        (put("extraction.rows", [0, 300]), {"plan", "extract"}),
        (put("extraction.where", "tissue"), {"extract"}),
        (put("extraction.storage", "float16"), {"extract"}),
        (put("extraction.proof_windows", 200), {"prove"}),
        (put("readout.noise_patches", 19), {"embed_noise"}),
        (put("readout.noise_variances", [0, 0.1]), {"embed_noise"}),
        (put("readout.gram_patches", 30), {"gram", "pca"}),
        (put("factorization.tolerance", 0.001), {"factorize", "baselines", "sweep_ranks"}),
        (put("factorization.starts", 1), {"factorize", "baselines", "sweep_ranks"}),
        (put("factorization.sweep", [3]), {"sweep_ranks"}),
        (put("discovery.sweep", [3]), {"sweep_components"}),
        (put("selection.rule", "papers"), {"select_areas", "select_layers"}),
        (put("selection.threshold", 0.1), {"select_areas", "select_layers"}),
        (put("selection.area_leakage", 0.4), {"select_areas"}),
        (swap("selection", "area_leakage", "layer_leakage"), {"select_areas", "select_layers"}),
        (put("discovery.inside_px", 8), {"cluster_area", "find_components", "sweep_components"}),
        (put("discovery.average_um", 50), {"find_components", "sweep_components"}),
        (put("discovery.clusters", 5), {"cluster_area"}),
        (put("discovery.lower", "Str"), {"depth"}),
        (swap("discovery", "upper", "lower"), {"depth"}),
        (put("statistics.nulls", 150), {
            "align", "compare_layers", "match_components", "find_planted", "explain_factors",
            "find_lesions",
        }),
        (put("statistics.resamples", 300), {
            "evaluate", "predict", "classify", "cluster_score", "gram", "relations",
            "explain_factors", "align", "score_degraded", "compare_assignments",
        }),
        (put("annotations.hole_um2", 500), {"import_areas", "import_layers"}),
        (put("statistics.block_px", 300), {
            "evaluate", "predict", "classify", "cluster_score", "gram", "relations", "align",
            "probe_labels", "score_degraded", "compare_assignments",
        }),
        (put("readout.label_draws", 3), {"probe_labels"}),
        (put("evaluation.average_px", 64), {"predict"}),
        (put("evaluation.novelty_quantile", 0.9), {"fit_novelty"}),
        (put("areas.0.title", "Another"), {
            "figure", "preview", "draw_maps", "explore", "explore_slice", "export",
        }),
        (put("areas.0.colour", "#123456"), {
            "figure", "preview", "draw_maps", "explore", "explore_slice", "export",
        }),
        (put("areas.0.share", 0.9), {"import_areas", "sample", "evaluate"}),
        (put("layers.names.0.title", "Another"), {
            "figure", "preview", "explore", "explore_slice",
        }),
        (put("volume.compression", "none"), {"convert"}),
    ],
)  # fmt: skip
def test_an_edit_changes_what_the_stages_that_use_it_are_given(
    edit: Edit, expected: set[str]
) -> None:
    assert changed(edit) == expected


def test_of_many_slices_each_has_a_page_and_no_page_waits_for_another() -> None:
    few, many = Pipeline.read(ROOT / "config/test.yaml"), many_slices()
    assert many.explore().inputs["pages"] == {
        z: f"results/test/report/explore_z{z:04d}.html" for z in (104, 154, 5, 6, 7)
    }
    assert not any("z0104" in path for path in many.explore_slice(154).after)
    assert few.explore().settings["slices"] == [104, 154]
    assert few.explore().outputs == many.explore().outputs


def test_of_two_areas_none_is_left_out() -> None:
    """A thin area is left out once more of several; of two nothing would remain to tell apart."""
    config = read_config(ROOT / "config/test.yaml")
    thin = config.areas[0].model_copy(update={"share": 0.5})
    for others, left_out in ((1, []), (2, [thin.name])):
        areas = [thin, *config.areas[1 : 1 + others]]
        few = Pipeline.of(config.model_copy(update={"areas": areas}))
        assert few.evaluate("main", "test").settings["without"] == left_out


def test_every_key_is_given_to_some_stage() -> None:
    """Each leaf of the config is read by a stage, apart from the page, or names what there is."""
    used = Path(ROOT / "src/brainarch/pipeline").glob("*.py")
    text = (
        "".join(path.read_text() for path in used)
        + (ROOT / "src/brainarch/config/model.py").read_text().partition("class Config(")[2]
    )
    config = read_config(ROOT / "config/config.yaml")
    for section in ("sampling", "training", "extraction", "readout", "factorization", "selection"):
        for key in type(getattr(config, section)).model_fields:
            assert f'"{key}"' in text or f".{key}" in text, f"{section}.{key}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.extract(7), "--slice 7: this config has 104, 154"),
        (lambda p: p.train("blocks1"), "--run blocks1: this config has main, permuted"),
        (lambda p: p.embed("vgg", "test"), "--network vgg: this config has cnn, unlabelled"),
        (lambda p: p.evaluate("main", "all"), "--split all: this config has train, val, test"),
        (lambda p: p.figure("V9"), "--figure V9: this config has V1_overview"),
        (lambda p: p.profile("areas", 104), "--kind areas: this config has clusters, components"),
        (lambda p: p.preview("areas", 5), "--slice 5: this config has 4, 54, 104, 154"),
        (lambda p: p.depth(5), "--slice 5: this config has 4, 54, 104, 154"),
        (lambda p: p.project(104), "--slice 104: this config has 154"),
        (lambda p: p.sample("nonsense"), "--run nonsense: this config has main"),
        (lambda p: p.factorize("unlabelled"), "--network unlabelled: this config has cnn"),
        (lambda p: p.compare_layers("clusters", 104, "x"), "--network x: this config has cnn"),
        (lambda p: p.predict(104, "untrained"), "--network untrained: this config has cnn"),
    ],
)
def test_what_the_config_does_not_know_is_one_line(
    call: Callable[[Pipeline], Stage], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        call(Pipeline.read(ROOT / "config/test.yaml"))
    assert str(caught.value).startswith(message)


def test_training_starts_from_the_network_without_labels_where_the_config_says_so() -> None:
    content = yaml.safe_load((ROOT / "config/z159.yaml").read_text())
    given = Pipeline.of(check_config(content, "unlabelled")).train("main").inputs
    content["training"] = {"start": "scratch"}
    assert "start" not in Pipeline.of(check_config(content, "scratch")).train("main").inputs
    assert given["start"] == "results/z159/networks/unlabelled/network.safetensors"
    assert given["train"] == "results/z159/patches/main/train.csv"


def test_a_borrowed_network_is_left_out_where_its_weights_are_not_there(tmp_path: Path) -> None:
    gone, there = borrowing(tmp_path / "none"), borrowing(ROOT / "README.md")
    assert "lent" not in gone.networks
    assert "weights are not there" in gone.absent["lent"]
    assert set(gone.goals) == set(Pipeline.read(ROOT / "config/test.yaml").goals)
    with pytest.raises(InputError, match="--network lent: its weights are not there"):
        gone.embed("lent", "test")
    assert there.networks[-1] == "lent"
    assert there.classify().inputs["train"].keys() >= {"cnn", "lent"}  # type: ignore[union-attr]
    assert there.embed("lent", "test").inputs["weights"] == str(ROOT / "README.md")


def test_another_seed_is_all_that_a_repeat_differs_by() -> None:
    pipeline = Pipeline.read(ROOT / "config/full.yaml")
    main, repeat = (pipeline.train(run) for run in ("main", "repeat1"))
    assert repeat.inputs == main.inputs
    seeds = [stage.settings.pop("seed") for stage in (main, repeat)]
    assert seeds[0] != seeds[1]
    assert repeat.settings == main.settings


def test_what_follows_from_each_network_is_made_of_that_network() -> None:
    """A stage of one network reads no other's dense representation, and main alone is drawn."""
    pipeline = Pipeline.read(ROOT / "config/full.yaml")
    folders = ("dense", "prediction", "factors", "discovery")
    for network in pipeline.extracted:
        stages = pipeline.followed(network)
        assert len(stages) > 15
        for stage in stages:
            of = {
                part.parts[-2]
                for part in map(Path, (*flat(stage.inputs), *flat(stage.outputs)))
                if part.parts[2] in folders and "depth" not in part.name
            }
            assert of == {network}, stage.function
    assert {"unlabelled", "untrained"}.isdisjoint(pipeline.mapped)
    assert pipeline.mapped == {"main": "cnn", "repeat1": "repeat1"}


def test_the_authors_network_is_trained_or_taken() -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["readout"]["networks"] = ["cnn", "authors"]
    trained = Pipeline.of(check_config(content, "trained"))
    stage = trained.train("authors")
    assert stage.function.endswith(":train_patches")
    assert stage.settings["as_authors"]
    assert (stage.settings["batch_size"], stage.settings["epochs"]) == (20, 50)
    assert stage.inputs["train"] == trained.results.patches("main", "train")
    assert trained.embed("authors", "test").inputs["network"] == trained.results.network("authors")
    assert "authors" in trained.figure("learning_curves").inputs["curves"]
    with pytest.raises(InputError, match=r"readout\.authors"):
        trained.take_network()
    content["readout"]["authors"] = "weights.safetensors"
    taken = Pipeline.of(check_config(content, "taken"))
    assert taken.take_network().outputs["network"] == taken.results.network("authors")
    assert taken.take_network().inputs == {"weights": "weights.safetensors"}
    assert "authors" not in taken.figure("learning_curves").inputs["curves"]
    content["readout"]["networks"] = ["cnn"]
    with pytest.raises(InputError, match=r"readout\.authors"):
        check_config(content, "wrong")


def test_new_brains_are_phantoms_alone() -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content["evaluation"]["new_brains"] = 3
    pipeline = Pipeline.of(check_config(content, "phantom"))
    assert pipeline.name_new_brains().settings["count"] == 3
    assert "evaluation/new_brains.csv" in pipeline.report().inputs["files"]["new_brains"]
    own = yaml.safe_load((ROOT / "config/z159.yaml").read_text())
    own["evaluation"] = {"new_brains": 3}
    with pytest.raises(InputError, match=r"evaluation\.new_brains: only phantoms"):
        check_config(own, "own")


def test_lesions_are_planted_where_nothing_else_is_read() -> None:
    pipeline = Pipeline.read(ROOT / "config/config.yaml")
    stage = pipeline.find_lesions()
    assert stage.settings["z"] >= pipeline.config.volume.shape[0] + 42  # 50 um beyond the last
    assert stage.outputs["lesions"] in pipeline.report().inputs["files"].values()
    own = Pipeline.read(ROOT / "config/z159.yaml")
    assert "lesions" not in own.report().inputs["files"]
    with pytest.raises(InputError, match="source: phantom"):
        own.find_lesions()


def test_the_order_of_networks_changes_nothing() -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    one = Pipeline.of(check_config(content, "one"))
    content["readout"]["networks"].reverse()
    other = Pipeline.of(check_config(content, "other"))
    for stage in ("classify", "cluster_score", "gram", "pca", "relations"):
        assert repr(getattr(one, stage)()) == repr(getattr(other, stage)())


def test_a_figure_that_a_dataset_lacks_says_why() -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    content |= {"discovery": None, "layers": None}
    with pytest.raises(InputError, match="no part of this dataset: the config names no area"):
        Pipeline.of(check_config(content, "bare")).figure("V6_clusters")


def test_a_missing_input_is_one_line_before_anything_is_imported(tmp_path: Path) -> None:
    stage = Pipeline.read(ROOT / "config/test.yaml", str(tmp_path)).train("main")
    with pytest.raises(InputError, match=r"areas\.ome\.zarr: not there yet; run the stage"):
        Stage("nowhere:nothing", stage.inputs, stage.outputs).run()


def test_the_frozen_config_says_the_same(tmp_path: Path) -> None:
    pipeline = Pipeline.read(ROOT / "config/config.yaml", str(tmp_path))
    pipeline.freeze()
    again = Pipeline.read(Path(pipeline.frozen), str(tmp_path))
    assert again == pipeline
    again.freeze()
    assert [Path(again.frozen)] == list(Path(again.frozen).parent.iterdir())


def test_several_slices_are_fitted_and_the_others_held_out() -> None:
    content = yaml.safe_load((ROOT / "config/test.yaml").read_text())
    own = Pipeline.of(check_config(content, "default"))
    assert (own.fit_slices, own.held_out_slices, own.compared_slices) == ([104], [154], [104, 154])
    content["extraction"]["slices"] = [154, 104]  # the test slice is fitted wherever it stands
    assert Pipeline.of(check_config(content, "turned")).fit_slices == [104]
    content["extraction"]["slices"] = [54, 104, 154]
    content["factorization"]["slices"] = [154, 54]
    both = Pipeline.of(check_config(content, "both"))
    assert list(both.factorize().outputs["coefficients"]) == [154, 54]
    assert (both.held_out_slices, both.compared_slices) == ([104], [154, 104])
    assert len(both.align().inputs["fitted"]) == 2
    content["factorization"]["slices"] = [54, 104, 154]
    assert "held out" in Pipeline.of(check_config(content, "all")).lacks["comparison"]
    content["factorization"]["slices"] = [4]
    with pytest.raises(InputError, match=r"slice 4 is not among extraction\.slices"):
        check_config(content, "wrong")


def test_figures_of_the_slice_that_holds_all_splits_show_them() -> None:
    found = pipelines()
    one, several = found["z159"], found["config"]
    assert several.config.splits.by == "slices"
    for figure in ("V2_annotations", "V3_scale", "V6_clusters"):
        assert one.figure(figure).inputs["splits"] == one.results.splits("main"), figure
        assert "splits" not in several.figure(figure).inputs
