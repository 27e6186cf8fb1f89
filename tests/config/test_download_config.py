"""The published volume by name: its codes, and what a `download` section may say."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainarch.config.read import check_config
from brainarch.errors import InputError

ROOT = Path(__file__).parents[2]
#: Codes of the published label images, as the data paper's notebooks state them.
AUTHORS = {
    "clear": 0, "cortex": 1, "striatum": 2, "TRN": 3, "VP": 4, "zona incerta": 5,
    "internal capsule": 6, "hypothalamus": 7, "corpus callosum": 8,
}  # fmt: skip


@pytest.fixture
def content() -> dict[str, Any]:
    return deepcopy(yaml.safe_load((ROOT / "config/prasad2020.yaml").read_text()))


def test_the_eight_published_codes_become_six_areas(content: dict[str, Any]) -> None:
    codes = {area["name"]: area["codes"] for area in content["areas"]}
    assert codes == {
        "Ctx": [AUTHORS["cortex"]],
        "Str": [AUTHORS["striatum"]],
        "VP": [AUTHORS["VP"]],
        "ZI": [AUTHORS["zona incerta"]],
        "HypoTh": [AUTHORS["hypothalamus"]],
        "WM": [AUTHORS["internal capsule"], AUTHORS["corpus callosum"]],
    }
    assert content["annotations"]["ignore"] == [AUTHORS["clear"], AUTHORS["TRN"]]
    used = sorted(sum(codes.values(), content["annotations"]["ignore"]))
    assert used == sorted(AUTHORS.values())
    assert content["layers"] is None


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("download", "image", "image", "download.image: "),
        ("download", "host", "api.bossdb.io", "download.host: "),
        ("download", "channel", "a/b/c", "download.channel: unknown key"),
        ("volume", "path", "stack/z*.tif", "volume.path: stack/z*.tif must be a folder"),
        ("volume", "path", "all.tif", "volume.path: all.tif must be a folder"),
        ("volume", "path", "v.ome.zarr", "volume.path: v.ome.zarr must be a folder"),
        ("volume", "window", [0, 9], "volume.window: fetched slices are not narrowed"),
        ("annotations", "path", "z{z}.png", "annotations.path: z{z}.png must have {z} where"),
        ("annotations", "path", "all.tif", "annotations.path: all.tif must have {z} where"),
    ],
)
def test_wrong_values(
    content: dict[str, Any], section: str, key: str, value: object, expected: str
) -> None:
    content[section][key] = value
    with pytest.raises(InputError) as caught:
        check_config(content, "mine.yaml")
    assert expected in str(caught.value)


def test_a_section_without_a_channel_is_refused(content: dict[str, Any]) -> None:
    content["download"] = {}
    with pytest.raises(InputError, match="download: it names no channel"):
        check_config(content, "mine.yaml")


def test_files_of_ones_own_need_no_folder(content: dict[str, Any]) -> None:
    content["download"] = {"areas": "prasad/prasad2020/region_of_interest"}
    content["volume"]["path"] = "figshare/stack.tif"
    assert check_config(content, "mine.yaml").download is not None


def test_nothing_is_fetched_for_the_phantom() -> None:
    content = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    content["download"] = {"image": "a/b/c"}
    with pytest.raises(InputError, match="nothing is fetched for it"):
        check_config(content, "mine.yaml")
