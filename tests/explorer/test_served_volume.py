"""What neuroglancer is given: every array in its place, colours as in figures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from explorer_inputs import SHAPE, SLICES, entries, truth, write_dataset

from brainarch.errors import InputError
from brainarch.explorer import served
from brainarch.volume.store import open_volume


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, served.Shown]:
    folder = tmp_path_factory.mktemp("served")
    files = write_dataset(folder)
    volume = open_volume(folder / "volume.zarr")
    return {each.title: each for each in served.layers_of(volume, files, SLICES, entries(), [])}


def test_the_volume_is_read_block_by_block(shown: dict[str, served.Shown]) -> None:
    grey, corner, step = shown["Volume"].parts[0]
    volume = open_volume(grey._volume.path)
    assert (grey.shape, corner, step) == ((2, *SHAPE), (5, 0, 0), 1)
    np.testing.assert_array_equal(grey[1:2, 3:70, 5:9][0], volume.read_slice(6)[3:70, 5:9])


def test_an_element_of_a_map_covers_its_square(shown: dict[str, served.Shown]) -> None:
    values, (z, y, x), step = shown["Predicted areas"].parts[1]
    assert (z, step) == (6, 4)
    middles = np.arange(values.shape[1]) * step + y + step / 2
    np.testing.assert_array_equal(values[0], truth()[np.ix_(middles.astype(int), x_of(x, values))])


def x_of(x: float, values: np.ndarray) -> np.ndarray:
    return (np.arange(values.shape[2]) * 4 + x + 2).astype(int)


def test_colours_and_names_are_those_of_the_legend(shown: dict[str, served.Shown]) -> None:
    shader = shown["Annotated areas"].shader
    switches = re.findall(r"#uicontrol bool (\w+) checkbox", shader)
    assert switches == ["show_1_Ctx", "show_2_Str", "show_3_WM"]
    assert "code == 1u && show_1_Ctx) { emitRGB(vec3(0.0000, 0.4471, 0.6980))" in shader  # 0072B2
    assert {"Confidence", "Novelty", "Clusters", "Components", "Factor 4"} <= set(shown)


def test_without_neuroglancer_one_line_says_what_to_install(
    shown: dict[str, served.Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "neuroglancer", None)
    volume = shown["Volume"].parts[0][0]._volume
    with pytest.raises(InputError, match=r"pip install 'brainarch\[volume\]'"):
        served.open_viewer(volume, list(shown.values()), 5)


def test_it_listens_on_this_machine_alone(shown: dict[str, served.Shown]) -> None:
    pytest.importorskip("neuroglancer", reason="neuroglancer is not installed")
    volume = shown["Volume"].parts[0][0]._volume
    viewer = served.open_viewer(volume, list(shown.values()), 5)
    assert str(viewer).startswith("http://127.0.0.1:")
    layers = viewer.state.to_json()["layers"]
    assert [layer["name"] for layer in layers] == list(shown)
