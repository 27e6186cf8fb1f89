"""The picture of what a network says of one slice: its numbers, its words, its maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from brainarch.errors import InputError
from brainarch.figures import plotted, slice_maps
from brainarch.figures.map_stages import draw_maps
from brainarch.figures.rasters import pixel_box
from brainarch.figures.sources import code_picture, grey_picture, value_picture
from brainarch.grids.grid import Place
from brainarch.grids.maps import SliceMaps, write_maps
from brainarch.volume.store import open_volume
from small_inputs import AREAS, write_volume

ENTRIES = [{"name": name, "title": f"Area {name}", "colour": None} for name in AREAS]
ROWS, COLUMNS, STRIDE = 120, 200, 4


@pytest.fixture
def files(tmp_path):
    """A volume of slice 9 and its map: a third each unextracted, area 1 and area 3."""
    rng = np.random.default_rng(0)
    grey = rng.integers(1, 256, (1, ROWS, COLUMNS), dtype=np.uint8)
    write_volume(tmp_path / "volume.zarr", grey, first_slice=9)
    y, x = np.arange(0, ROWS, STRIDE), np.arange(0, COLUMNS, STRIDE)
    codes = np.zeros((len(y), len(x)), np.uint8)
    codes[10:20], codes[20:] = 1, 3
    confidence = np.where(codes > 0, 0.5 + codes / 10, np.nan).astype(np.float32)
    novelty = confidence + (codes == 3)
    maps = {"area": codes, "confidence": confidence, "averaged": codes, "novelty": novelty}
    place = Place(9, STRIDE, 1.17, y, x)
    attrs = {"areas": list(AREAS), "average_px": 8, "novelty_threshold": 1.25}
    write_maps(tmp_path / "areas.zarr", maps, place, attrs)
    return tmp_path


def draw(files, **changes):
    given = {
        "volume": files / "volume.zarr",
        "prediction": files / "areas.zarr",
        "z": 9,
        "areas": ENTRIES,
        "annotated": False,
        **{name: files / f"out.{name}" for name in ("png", "pdf")},
        "table": files / "out.csv",
    }
    draw_maps(**{**given, **changes})
    return pd.read_csv(files / "out.csv", keep_default_na=False, na_values=[""])


def test_numbers_are_those_of_the_map(files):
    table = draw(files)
    shares = plotted.pick(table, quantity="share of extracted pixels").set_index("item")["y"]
    assert shares.to_dict() == {"all": 1, "Ctx": 0.5, "Str": 0, "WM": 0.5}
    sure = plotted.pick(table, quantity="mean confidence").set_index("item")["y"]
    assert sure["all"] == pytest.approx(0.7)
    assert sure["WM"] == pytest.approx(0.8)
    assert np.isnan(sure["Str"])
    strange = plotted.pick(table, quantity=slice_maps.UNUSUAL).set_index("item")["y"]
    assert (strange["all"], strange["Ctx"], strange["WM"]) == (0.5, 0, 1)
    for name in ("png", "pdf"):
        assert (files / f"out.{name}").stat().st_size > 1000


def test_what_is_no_tissue_is_no_area(files):
    maps = SliceMaps.open(files / "areas.zarr")
    names = ("area", "confidence", "averaged", "novelty")
    none = np.where(maps.read("area") == 3, np.float32(0.9), np.float32(0.1))
    write_maps(
        files / "areas.zarr",
        {**{name: maps.read(name) for name in names}, "outside": none},
        maps.place,
        {**maps.attrs, "outside": True},
    )
    shares = plotted.pick(draw(files), quantity="share of extracted pixels")
    found = shares.set_index("item")["y"].to_dict()
    assert found == {"all": 1, "Ctx": 0.5, "Str": 0, "WM": 0, "outside": 0.5}


def test_not_tissue_and_not_extracted_are_told_apart(files, monkeypatch, drawn_texts):
    """In words, and by a colour of their own that is no area's."""
    figures = []
    monkeypatch.setattr(
        "brainarch.figures.map_stages.save_figure", lambda figure, *_: figures.append(figure)
    )
    maps = SliceMaps.open(files / "areas.zarr")
    found = {name: maps.read(name) for name in ("area", "confidence", "averaged", "novelty")}
    found["outside"] = np.where(found["area"] == 3, np.float32(0.9), np.float32(0.1))
    found["area"][15, 7] = 0  # a place within the others
    with pytest.raises(FileNotFoundError):
        draw(files)
    write_maps(files / "areas.zarr", found, maps.place, {**maps.attrs, "outside": True})
    with pytest.raises(FileNotFoundError):
        draw(files)
    plain, both = ({text for text, *_ in drawn_texts(figure)} for figure in figures)
    assert not [text for text in plain if text.startswith("not ")]
    assert {text.split(" (")[0].split(",")[0] for text in both if text.startswith("not ")} == {
        "not tissue",
        "not extracted",
    }
    colours = [to_hex(artist.get_facecolor()) for artist in figures[1].artists]
    assert len(set(colours)) == len(colours) == len(AREAS) + 2


def test_the_picture_says_what_the_slice_is(files, monkeypatch, drawn_texts, assert_readable):
    figures = []
    monkeypatch.setattr(
        "brainarch.figures.map_stages.save_figure", lambda figure, *_: figures.append(figure)
    )
    for annotated in (False, True):
        with pytest.raises(FileNotFoundError):  # no table: nothing was saved
            draw(files, annotated=annotated)
    words = [[text for text, *_ in drawn_texts(figure)] for figure in figures]
    assert "Slice z = 9, not annotated: nothing to judge it by" in words[0]
    assert "Slice z = 9" in words[1]
    assert {
        "Area Ctx (Ctx): 50.0 %",
        "predicted area",
        "confidence",
        "novelty: 50.0 % above 1.25",
    } <= set(words[0])
    assert_readable(figures[0])


def test_the_tissue_lies_under_its_own_map(files):
    """The grey picture covers the extracted rows, 40 and below, and no others."""
    maps = SliceMaps.open(files / "areas.zarr")
    predicted, sure = code_picture(maps, "area"), value_picture(maps, "confidence")
    grey = grey_picture(open_volume(files / "volume.zarr"), 9, pixel_box(predicted))
    assert predicted.extent == sure.extent == grey.extent
    assert predicted.extent[3] == pytest.approx(40 * 1.17)


def test_another_slice_or_other_areas_are_one_line(files):
    for changes in ({"z": 8}, {"areas": ENTRIES[:2]}):
        with pytest.raises(InputError, match=r"of other areas or another slice") as caught:
            draw(files, **changes)
        assert "\n" not in str(caught.value)
