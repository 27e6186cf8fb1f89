from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from brainarch.figures import panels, sheet, style
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet


def in_pixels(page: Sheet, dpi: float):
    page.figure.set_dpi(dpi)
    FigureCanvasAgg(page.figure).draw()


def test_axes_stand_where_millimetres_say():
    page = Sheet(80)
    axes = page.axes(Box(10, 20, 50, 30))
    width, height = page.figure.get_size_inches() * style.MM_PER_INCH
    assert width == pytest.approx(style.DOUBLE_COLUMN_MM)
    place = axes.get_position()
    assert place.width * width == pytest.approx(50)
    assert place.height * height == pytest.approx(30)
    assert place.x0 * width == pytest.approx(10 + style.MARGIN_MM)
    assert (1 - place.y1) * height == pytest.approx(20 + style.MARGIN_MM)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("step", "pixel_um"), [(1, 1.17), (4, 0.65)])
def test_scale_bar_is_as_long_as_it_says(inside, step, pixel_um):
    page = Sheet(60)
    axes = page.axes(Box(0, 5, 120, 40))
    raster = Raster(np.zeros((400, 1200)), 30, 70, step, pixel_um)
    panels.show_grey(axes, raster)
    bar = panels.scale_bar(axes, inside=inside)
    in_pixels(page, 150)
    image = axes.images[0].get_window_extent()
    pixels_a_micrometre = image.width / (1200 * step * pixel_um)
    drawn = bar.get_window_extent().width
    labels = [text.get_text() for text in axes.texts]
    amount, unit = labels[0].split(" ")
    said = float(amount) * {"µm": 1, "mm": 1000}[unit]
    assert drawn == pytest.approx(said * pixels_a_micrometre, rel=1e-6)


@pytest.mark.parametrize(
    ("width", "length"), [(1000, 200), (2400, 500), (150, 20), (99.9, 20), (7000, 1000), (23, 5)]
)
def test_bar_length_is_round_and_at_most_a_share_of_the_width(width, length):
    assert panels.bar_length(width) == pytest.approx(length)
    assert panels.bar_length(width) <= panels.BAR_SHARE * width + 1e-9


def test_swatches_wrap_within_the_width():
    page = Sheet(60)
    entries = [(f"area number {index}", "#0072B2") for index in range(14)]
    page.swatches(0, 0, 90, entries)
    in_pixels(page, 100)
    right = max(text.get_window_extent().x1 for text in page.figure.texts)
    assert right / 100 * style.MM_PER_INCH <= 90 + style.MARGIN_MM + 0.5
    bottom = min(text.get_window_extent().y0 for text in page.figure.texts)
    taken = page.figure.get_figheight() - bottom / 100
    height = sheet.swatches_height(entries, 90)
    assert height - 3 <= taken * style.MM_PER_INCH - style.MARGIN_MM <= height


def test_the_best_grid_leaves_no_much_larger_one():
    rows, columns, width, height = sheet.best_grid(15, 0.25, 180, 150, (3, 6))
    assert rows * columns >= 15
    assert height == pytest.approx(0.25 * width)
    for other in range(1, 16):
        lines = -(-15 // other)
        cell = min((180 - 3 * (other - 1)) / other, (150 / lines - 6) / 0.25)
        assert sheet.NEARLY * cell <= width + 1e-9
    # three in a column would be a little larger and leave half of the sheet empty
    assert sheet.best_grid(3, 0.6, 180, 200, (5, 14))[:2] == (2, 2)
    with pytest.raises(ValueError, match="no room"):
        sheet.best_grid(15, 0.25, 180, 4, (3, 6))


def test_text_that_is_too_wide_is_cut():
    cut = sheet.fit_text("ventral posterior nucleus of the thalamus", 20, style.FONT)
    assert cut.endswith("…")
    assert sheet.text_width(cut, style.FONT) <= 20
    assert sheet.fit_text("short", 20, style.FONT) == "short"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (950, "950"),
        (1234, "1.2k"),
        (34_499, "34k"),
        (999_900, "1.0M"),
        (5_500_000, "5.5M"),
    ],
)
def test_counts_are_short(count, text):
    assert panels.short_count(count) == text
