"""The page: everything that is there is on it, what is not is named, and nothing leads out."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from explorer_inputs import (
    HOSTILE,
    SHAPE,
    SLICES,
    block_of,
    content_of,
    entries,
    truth,
    write_dataset,
    write_page,
)
from PIL import Image

from brainarch.dense.cube import Cube
from brainarch.errors import InputError
from brainarch.explorer.stages import write_index
from brainarch.explorer.thin import principal_components, step_within, thin_cube
from brainarch.stores.metadata import write_attributes
from brainarch.volume.store import open_volume


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    folder = tmp_path_factory.mktemp("page")
    files = write_dataset(folder)
    return write_page(folder, files), files


def layer(content: dict[str, Any], key: str, z: int = 5) -> dict[str, Any]:
    own = next(entry for entry in content["slices"] if entry["z"] == z)
    return next(entry for entry in own["layers"] if entry["key"] == key)


def test_the_slice_is_on_the_page_pixel_by_pixel(made: tuple[Path, dict[str, Path]]) -> None:
    page, _ = made
    found = re.search(r'id="block-5-picture">([^<]*)<', page.read_text())
    assert found
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))
    np.testing.assert_array_equal(picture, open_volume(page.parent / "volume.zarr").read_slice(5))


def test_codes_are_those_of_the_labels_at_every_step(made: tuple[Path, dict[str, Path]]) -> None:
    page, _ = made
    content = content_of(page)
    areas = layer(content, "areas")
    grid = areas["grid"]
    assert (grid["y0"], grid["x0"], grid["step"]) == (0, 0, 1)
    codes = block_of(page, areas["block"]).reshape(grid["rows"], grid["columns"])
    np.testing.assert_array_equal(codes, truth())
    predicted = layer(content, "predicted")["grid"]
    assert (predicted["y0"], predicted["x0"], predicted["step"]) == (2, 1, 4)


def test_values_are_within_half_a_step(made: tuple[Path, dict[str, Path]]) -> None:
    from brainarch.factors.coefficients import CoefficientMaps

    page, files = made
    shown = layer(content_of(page), "factor2")
    numbers = block_of(page, shown["block"]).astype(float)
    true = CoefficientMaps.open(files["coefficients/5"]).factor_map(2).ravel()
    there = np.isfinite(true)
    np.testing.assert_array_equal(numbers == 0, ~there)
    step = shown["high"] / 254
    assert np.abs((numbers - 1)[there] * step - true[there]).max() <= step / 2 + 1e-6


def test_units_are_within_half_a_step_and_zero_stays_zero(
    made: tuple[Path, dict[str, Path]],
) -> None:
    _, files = made
    cube = Cube.open(files["cube/5/cnn"])
    thin = thin_cube(cube, 2)
    block = cube.block(slice(None), slice(None))[::2, ::2]
    X = block[cube.extracted[::2, ::2]]
    np.testing.assert_array_equal(thin.extracted, cube.extracted[::2, ::2])
    assert (np.abs(thin.values() - X) <= thin.scale / 2 + 1e-6).all()
    assert (thin.values()[:, :5] == 0).all()
    assert (thin.units.max(axis=1)[5:] == 255).all()


def test_components_are_those_of_scikit_learn(made: tuple[Path, dict[str, Path]]) -> None:
    from sklearn.decomposition import PCA

    _, files = made
    cubes = [thin_cube(Cube.open(files[f"cube/{z}/cnn"]), 1) for z in SLICES]
    found = principal_components(cubes)
    X = np.concatenate([cube.values() for cube in cubes])
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    fitted = PCA(3).fit(X)
    np.testing.assert_allclose(found.shares, fitted.explained_variance_ratio_, rtol=1e-9)
    scores = fitted.transform(X)
    for ours, theirs in zip(np.concatenate(found.scores).T, scores.T, strict=True):
        assert abs(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(1, abs=1e-9)


def test_nothing_on_the_page_leads_out(made: tuple[Path, dict[str, Path]]) -> None:
    text = made[0].read_text()
    assert "default-src 'none'" in text
    own = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://|(src|href)=", own)


def test_names_cannot_end_the_script_that_holds_them(made: tuple[Path, dict[str, Path]]) -> None:
    page, _ = made
    assert HOSTILE not in page.read_text()
    assert content_of(page)["areas"][0]["title"] == HOSTILE


def test_the_same_results_give_the_same_page(
    made: tuple[Path, dict[str, Path]], tmp_path: Path
) -> None:
    again = tmp_path / "again.html"
    write_page(made[0].parent, made[1], page=again)
    assert again.read_bytes() == made[0].read_bytes()


def test_half_finished_results_show_what_is_there(tmp_path: Path) -> None:
    files = write_dataset(tmp_path)
    gone = files | {"cube/6/cnn": tmp_path / "not.zarr", "clusters/5": tmp_path / "neither.zarr"}
    del gone["components/6"]
    content = content_of(
        write_page(tmp_path, gone, lacks={"components": "slice 6 is not annotated"})
    )
    missing = {(entry["slice"], entry["what"]): entry["why"] for entry in content["missing"]}
    assert missing[5, "clusters"] == "not made yet: run brainarch cluster-area"
    assert missing[6, "components"] == "slice 6 is not annotated"
    assert "run brainarch extract" in next(
        why for (z, what), why in missing.items() if z == 6 and what.startswith("representation")
    )
    assert list(content["slices"][0]["cubes"]) == ["cnn", "untrained"]
    assert list(content["slices"][1]["cubes"]) == ["untrained"]
    only_picture = content_of(write_page(tmp_path, {}, lacks={}))
    assert only_picture["networks"] == []
    assert [entry["layers"] for entry in only_picture["slices"]] == [[], []]


def test_a_slice_without_labels_says_so(tmp_path: Path) -> None:
    files = write_dataset(tmp_path)
    own = dict(zarr.open_group(tmp_path / "areas.zarr").attrs["brainarch"])
    write_attributes(tmp_path / "areas.zarr", {"brainarch": {**own, "annotated_slices": [5]}})
    content = content_of(write_page(tmp_path, files))
    why = {e["what"]: e["why"] for e in content["missing"] if e["slice"] == 6}
    assert why["annotated areas"] == "slice 6 is not annotated"
    assert "errors" in why


@pytest.mark.parametrize(("count", "stride"), [(1, 16), (60, 4)])
def test_one_area_and_sixty(tmp_path: Path, count: int, stride: int) -> None:
    files = write_dataset(tmp_path, stride=stride, count=count)
    content = content_of(write_page(tmp_path, files, areas=entries(count)))
    colours = [entry["colour"] for entry in layer(content, "predicted")["legend"]]
    assert len(set(colours)) == count


def test_many_slices_have_a_page_each_and_an_index(
    made: tuple[Path, dict[str, Path]], tmp_path: Path
) -> None:
    pages = {z: tmp_path / f"explore_z000{z}.html" for z in SLICES}
    for z, page in pages.items():
        write_page(made[0].parent, made[1], page=page, slices=[z])
    write_index(pages=pages, page=tmp_path / "explore.html", title="Test")
    index = (tmp_path / "explore.html").read_text()
    assert re.findall(r'href="([^"]+)"', index) == [page.name for page in pages.values()]
    assert [len(content_of(path)["slices"]) for path in pages.values()] == [1, 1]


def test_a_damaged_chunk_is_one_line(tmp_path: Path) -> None:
    files = write_dataset(tmp_path)
    chunk = next(path for path in (files["prediction/5"] / "area").rglob("c/0/0"))
    chunk.write_bytes(chunk.read_bytes()[:-3] + b"abc")
    before = tmp_path / "explore.html"
    before.write_text("as it was")
    with pytest.raises(InputError, match=r"areas5.zarr: area cannot be read"):
        write_page(tmp_path, files)
    assert before.read_text() == "as it was"


def test_a_step_keeps_within_its_limit() -> None:
    assert step_within((1420, 5805), 140_000) == 8
    assert step_within(SHAPE, 10**6) == 1
    for shape in ((1, 1), (7, 9), (1088, 3296)):
        step = step_within(shape, 20)
        assert -(-shape[0] // step) * -(-shape[1] // step) <= 20
