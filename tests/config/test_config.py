"""The config: what is refused, in which words, and that generated documents are in step."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from brainarch.cli.main import app
from brainarch.config.document import commented_yaml, heading_of
from brainarch.config.read import check_config, read_config
from brainarch.errors import InputError

ROOT = Path(__file__).parents[2]
#: A network that others trained.
BORROWED = {"name": "lent", "model": "timm/vit", "layer": "norm", "weights": "vit.safetensors"}
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


@pytest.fixture
def content() -> dict[str, Any]:
    return deepcopy(yaml.safe_load((ROOT / "config/config.yaml").read_text()))


def problem(content: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        check_config(content, "mine.yaml")
    message = str(caught.value)
    assert message.startswith("mine.yaml: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configs_are_valid_and_fit_the_schema(path: Path) -> None:
    read_config(path)
    schema = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_commented_yaml_keeps_every_value(path: Path) -> None:
    config = read_config(path)
    text = commented_yaml(config, heading_of(path.read_text()))
    assert check_config(yaml.safe_load(text), "written") == config


def test_documents_are_in_step_with_the_model() -> None:
    result = CliRunner().invoke(app, ["config-docs", str(ROOT), "--check"])
    assert result.exception is None, result.output


def test_a_stale_document_is_noticed(tmp_path: Path) -> None:
    for folder in ("config", "workflow/schemas"):
        (tmp_path / folder).mkdir(parents=True)
    for path in [*CONFIGS, ROOT / "config/README.md"]:
        (tmp_path / "config" / path.name).write_text(path.read_text())
    stale = (ROOT / "workflow/schemas/config.schema.json").read_text().replace("dataset", "data")
    (tmp_path / "workflow/schemas/config.schema.json").write_text(stale)
    result = CliRunner().invoke(app, ["config-docs", str(tmp_path), "--check"])
    assert isinstance(result.exception, InputError)
    assert "config.schema.json: out of step" in str(result.exception)


def test_unknown_key_suggests_the_right_one(content: dict[str, Any]) -> None:
    content["training"]["epoch"] = 3
    assert problem(content) == "mine.yaml: training.epoch: unknown key; did you mean epochs?"


def test_unknown_key_inside_splits_is_named_without_internals(content: dict[str, Any]) -> None:
    content["splits"]["tests"] = [104]
    assert "splits.tests: unknown key; did you mean test?" in problem(content)


def test_a_preset_fills_what_is_left_out_and_refuses_the_others_keys(
    content: dict[str, Any],
) -> None:
    content["training"] = {"preset": "papers", "epochs": 7}
    training = check_config(content, "mine.yaml").training
    assert (training.learning_rate, training.epochs, training.batch_size) == (1e-4, 7, 32)
    assert training.steps is None
    content["training"] = {}
    training = check_config(content, "mine.yaml").training
    assert (training.preset, training.learning_rate, training.steps) == ("robust", 5e-4, 1200)
    content["training"] = {"start": "unlabelled", "steps": 70}
    training = check_config(content, "config").training
    assert (training.learning_rate, training.steps) == (5e-5, 70), "gently, but as was asked"
    content["training"] = {"epochs": 7}
    assert "epochs belongs to preset papers" in problem(content)
    content["training"] = {"flips": True}
    assert "training.flips: this key is now training.orientation" in problem(content)


def test_missing_key(content: dict[str, Any]) -> None:
    without = content | {"volume": {"shape": content["volume"]["shape"]}}
    assert problem(without) == "mine.yaml: volume.voxel_um: this key is missing"
    del content["volume"]["shape"]
    assert problem(content) == "mine.yaml: volume.shape: this key is missing"


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("extraction", "stride", 3, "extraction.stride: wanted 1, 2, 4, 8 or 16 (found 3)"),
        ("training", "epochs", "many", "training.epochs: wanted a whole number (found 'many')"),
        ("annotations", "slices", [4, 54, 104, 999], "slice 999 is outside the volume (0 to 207)"),
        ("splits", "train", [5], "splits.train: slice 5 is not among annotations.slices"),
        ("splits", "train", [4, 4], "splits.train: a slice is named twice"),
        ("extraction", "rows", [900, 2000], "extraction.rows: [900, 2000] is no range of rows"),
        ("volume", "voxel_um", float("inf"), "volume.voxel_um: wanted a finite number (found inf)"),
        (
            "statistics",
            "block_px",
            4,
            "statistics.block_px: must be at least 134 or wanted 'auto' (found 4)",
        ),
        ("volume", "shape", [800, 1424], "volume.shape: entry 3 is missing"),
        (
            "annotations",
            "slices",
            [4, 54, 104, 900, 999],
            "annotations.slices: slices 900, 999 are outside the volume (0 to 207), which",
        ),
        ("splits", "val", [4], "splits: slice 4 stands there twice; a slice has one split"),
        ("readout", "networks", ["texture"], "readout.networks: cnn is missing"),
        (
            "extraction",
            "networks",
            ["cnn", "texture"],
            "extraction.networks[2]: no network of whole slices; there are cnn, unlabelled",
        ),
        ("readout", "networks", ["cnn", "vgg"], "networks: no such network as vgg; there are cnn"),
        (
            "readout",
            "borrowed",
            [BORROWED | {"name": "cnn"}],
            "the name cnn stands twice or is one",
        ),
        (
            "readout",
            "borrowed",
            [BORROWED | {"model": "keras/vgg"}],
            "borrowed[lent].model: wanted torchvision/NAME",
        ),
        (
            "readout",
            "borrowed",
            [BORROWED | {"sha256": "12"}],
            "borrowed[lent].sha256: wanted the 64 digits",
        ),
        ("extraction", "networks", ["untrained"], "extraction.networks: cnn is missing"),
        (
            "extraction",
            "networks",
            ["cnn", "repeat1"],
            "extraction.networks: repeat1 is not trained; raise training.repeats above 1",
        ),
        ("extraction", "networks", ["cnn", "cnn"], "extraction.networks: a network stands twice"),
        ("discovery", "area", "Cx", "discovery.area: Cx is not among the areas"),
        ("volume", "voxel_um", 0.00117, "in millimetres it would be 1.17 um, say that"),
        ("volume", "voxel_um", 0, "volume.voxel_um: must be more than 0 (found 0)"),
        ("volume", "voxel_um", [5, 1.17], "volume.voxel_um: entry 3 is missing"),
        ("volume", "voxel_um", [5, "a", 1], "volume.voxel_um[2]: wanted a number (found 'a')"),
        ("volume", "voxel_um", [5, 1.17, 1.3], "pixels must be square (y and x alike)"),
        ("volume", "voxel_um", [5, 0.00117, 0.00117], "in millimetres it would be 1.17 um"),
        ("volume", "voxel_um", [5, 1.17, 1.17], "voxel_um: the phantom's voxels are cubes"),
        ("volume", "voxel_um", 1170, "in nanometres it would be 1.17 um, say that"),
        ("splits", "val", [104], "splits: slice 104 stands there twice; a slice has one split"),
        (
            "sampling",
            "min_gap_um",
            60,
            "splits: slices 4 (train) and 54 (val) are 58.5 um apart; sampling.min_gap_um asks for "
            "60 um between splits, choose slices 52 or more apart",
        ),
        ("factorization", "factors", 100, "factorization.factors: must be at most 64 (found 100)"),
        ("discovery", "lower", "outside", "discovery.lower: outside is discovery.upper as well"),
        ("discovery", "lower", "Ctx", "discovery.lower: Ctx cannot border itself"),
        ("discovery", "upper", "sky", "discovery.upper: sky is neither an area nor outside"),
        ("annotations", "ignore", [0, 6], "areas: the code 6 is used twice (WM and the"),
        ("volume", "path", "somewhere", "volume.path: the phantom is generated"),
    ],
)
def test_wrong_values(
    content: dict[str, Any], section: str, key: str, value: object, expected: str
) -> None:
    content[section][key] = value
    assert expected in problem(content)


@pytest.mark.parametrize("name", ["a b", "x/y", "", "über", "$(id)", "../up"])
def test_dataset_and_area_names_obey_the_pattern(content: dict[str, Any], name: str) -> None:
    content["dataset"] = name
    assert "dataset: " in problem(content)
    content["dataset"] = "fine"
    content["areas"][0]["name"] = name
    assert f"areas[{name or 1}].name: " in problem(content)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (
            "areas",
            [{"name": name, "title": name, "codes": [name]} for name in ("Ctx", "WM")],
            "areas[Ctx].codes: 'Ctx'; a class is only for GeoJSON; say the pixels' whole number",
        ),
        ("areas", [{"name": "Ctx", "title": "C", "codes": [1.5]}] * 2, "areas[Ctx].codes[1]: "),
        ("areas", [{"name": "Ctx", "title": 3, "codes": [1]}], "areas[Ctx].title: wanted text"),
        ("areas", [{"title": "C", "codes": [1]}], "areas[1].name: this key is missing"),
        ("areas", [], "areas: wanted at least 2, there are 0"),
        ("dataset", "a b", "dataset: use letters, digits, _ and - only (found 'a b')"),
        ("training", 5, "training: wanted a section: keys of its own, indented below it"),
        ("splits", {"by": "halves"}, "splits: say by: slices or by: blocks"),
        ("title", None, "title: wanted text; put it in quotes (found nothing)"),
        ("seed", -1, "seed: must be at least 0 (found -1)"),
    ],
)
def test_mistakes_are_told_in_the_words_of_a_config(
    content: dict[str, Any], key: str, value: object, expected: str
) -> None:
    content[key] = value
    text = problem(content)
    assert expected in text
    assert not any(word in text for word in ("Input should", "pattern", "valid", "areas.0"))


def test_keys_of_the_other_kind_of_splits_are_no_riddle(content: dict[str, Any]) -> None:
    content["splits"] = {"by": "blocks", "slice": 4, "train": [4]}
    assert "splits.train: is no key with by: blocks; say slice, or change by" in problem(content)
    content["splits"] = {"by": "slices", "train": [4], "val": [54], "test": [104], "slice": 4}
    assert "splits.slice: is no key with by: slices; say train, val and test" in problem(content)


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("dataset: mine\nareas: [1, 2\ntitle: x\n")
    with pytest.raises(InputError, match=r"mine\.yaml: line 3, column \d+: not readable as YAML"):
        read_config(path)


def test_own_volume_needs_files(content: dict[str, Any]) -> None:
    content["source"] = "tiff"
    assert "volume.path: name the files" in problem(content)
    content["volume"]["path"] = "stack"
    content["annotations"]["path"] = "labels.png"
    content["layers"]["path"] = "layers_{z:04d}.tif"
    assert "annotations.path: labels.png needs {z} where the slice stands" in problem(content)


def test_file_that_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such config file"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(InputError, match="a config is a table of keys and values"):
        read_config(tmp_path / "list.yaml")
    (tmp_path / "broken.yaml").write_text("a: [1\n")
    with pytest.raises(InputError, match="not readable as YAML"):
        read_config(tmp_path / "broken.yaml")


def test_full_is_the_default_with_more_on() -> None:
    """What the default says elsewhere holds in both, so that numbers can be compared."""
    default, full = (
        read_config(ROOT / f"config/{n}.yaml").model_dump() for n in ("config", "full")
    )
    assert {key for key in full if full[key] != default[key]} == {
        *("dataset", "title", "training", "unlabelled", "evaluation", "readout", "extraction"),
        *("factorization", "discovery"),
    }
    for section, keys in {
        "training": {"steps", "repeats", "nonsense_control", "nonsense_area"},
        "unlabelled": {"places", "side"},
        "evaluation": {"new_brains", "calibration"},
        "readout": {"networks", "label_draws", "degradation_patches"},
        "extraction": {"networks"},
        "factorization": {"sweep"},
        "discovery": {"sweep"},
    }.items():
        there = full[section]
        assert {key for key in there if there[key] != default[section][key]} == keys


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([104, 204], [104, 204]),
        ("100:130:10", [100, 110, 120]),
        ("100:103", [100, 101, 102]),
        ("all", list(range(12))),
    ],
)
def test_slices_are_a_list_a_range_or_all(
    content: dict[str, Any], slices: Any, expected: list[int]
) -> None:
    content["extraction"] |= {"slices": slices, "where": "tissue", "rows": None}
    if slices == "all":
        content["volume"] |= {"shape": [3, 640, 1700], "first_slice": 5}
        content["annotations"]["slices"] = [5, 6, 7]
        content["layers"] = content["discovery"] = None
        content["splits"] = {"by": "blocks", "slice": 6}
        expected = [5, 6, 7]
    schema = json.loads((ROOT / "workflow/schemas/config.schema.json").read_text())
    jsonschema.validate(content, schema)
    assert check_config(content, "mine.yaml").extraction.slices == expected


@pytest.mark.parametrize("slices", ["4:4", "9:4", "4:9:0", "4-9", "every", ":", "a:b"])
def test_a_range_without_slices_is_refused(content: dict[str, Any], slices: str) -> None:
    content["extraction"]["slices"] = slices
    assert "extraction.slices: wanted a list such as [104, 204], a range" in problem(content)


def test_all_slices_need_a_shape(content: dict[str, Any]) -> None:
    content["extraction"]["slices"] = "all"
    del content["volume"]["shape"]
    assert "volume.shape" in problem(content)


def test_a_message_about_many_slices_stays_short(content: dict[str, Any]) -> None:
    content["extraction"]["slices"] = "all"
    said = problem(content)
    assert "more are not among annotations.slices; say extraction.where: tissue" in said
    assert len(said) < 200
