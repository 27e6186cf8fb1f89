"""Pieces of panels that several figures share; all of them take numbers and draw on given axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import matplotlib.patheffects as effects
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from seaborn.utils import relative_luminance

from brainarch.figures import plotted, rasters, style
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, text_width

#: A matrix with more rows or columns than this shows no numbers in its cells.
MAX_NUMBERED = 12
#: A matrix with more rows or columns than this shows shares but no counts.
MAX_COUNTED = 8
#: Letters of a title and of a name in a legend of at most so many areas.
LEGEND = ((12, 48, 24), (24, 32, 11), (10_000, 12, 11))
#: Names that stand closer to each other than this, in millimetres, leave some out.
LINE_MM = 2.0
#: Largest share of a picture's width that its scale bar may take.
BAR_SHARE = 0.22


@dataclass(frozen=True)
class Areas:
    """What a figure needs to know of the areas (or layers).

    Parameters
    ----------
    names : tuple of str
        In code order; code c is ``names[c - 1]``.
    titles : mapping of str to str
        Display name of each.
    colours : mapping of str to str
        Colour of each, hexadecimal.
    """

    names: tuple[str, ...]
    titles: Mapping[str, str]
    colours: Mapping[str, str]

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> Self:
        """Return the areas of a list of ``{"name": ..., "title": ..., "colour": ... or None}``."""
        return cls(
            names=tuple(entry["name"] for entry in entries),
            titles={entry["name"]: entry["title"] for entry in entries},
            colours=style.complete_colours({entry["name"]: entry["colour"] for entry in entries}),
        )

    @property
    def palette(self) -> list[str]:
        """Colours in code order."""
        return [self.colours[name] for name in self.names]

    def swatches(self, extra: Sequence[tuple[str, str]] = ()) -> list[tuple[str, str]]:
        """Return labels and colours for a legend: ``Title (Name)`` where the two differ."""
        most, own = next(lengths for count, *lengths in LEGEND if len(self.names) <= count)
        entries = []
        for name, short in zip(self.names, style.shorten_all(self.names, own), strict=True):
            title = style.shorten(self.titles[name], most)
            label = title if self.titles[name] == name else f"{title} ({short})"
            entries.append((label, self.colours[name]))
        return [*entries, *extra]

    def ticks(self) -> list[str]:
        """Return short names for tick labels."""
        return style.shorten_all(self.names, 9)


def show_grey(axes: Axes, raster: Raster, limits: tuple[float, float] | None = None) -> None:
    """Show a slice or patch in grey, its axes in micrometres."""
    low, high = limits or rasters.grey_limits(raster.values)
    _show(axes, raster, cmap="gray", vmin=low, vmax=high, interpolation="antialiased")


def show_codes(
    axes: Axes,
    raster: Raster,
    colours: Sequence[str],
    background: str | None = style.UNLABELLED,
    alpha: float = 1.0,
) -> None:
    """Show a label picture; code c takes ``colours[c - 1]``."""
    painted = rasters.paint(raster.values, colours, background, alpha)
    _show(axes, raster, painted)


def show_painted(axes: Axes, raster: Raster) -> None:
    """Show a picture whose values are colours already, shape (rows, columns, 4)."""
    _show(axes, raster, raster.values)


def show_values(axes: Axes, raster: Raster, cmap: Colormap, low: float, high: float) -> None:
    """Show numbers in colours, grey where there is none."""
    shown = cmap.with_extremes(bad=style.ABSENT)
    _show(axes, raster, cmap=shown, vmin=low, vmax=high)


def outline(
    axes: Axes,
    raster: Raster,
    colours: Sequence[str],
    linewidth: float = 0.7,
    **options: Any,
) -> None:
    """Draw the border of every code of a label picture in its colour; options are of `contour`."""
    left, right, bottom, top = raster.extent
    rows, columns = raster.values.shape
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = top + (np.arange(rows) + 0.5) * (bottom - top) / rows
    for code, colour in enumerate(colours, start=1):
        mask = raster.values == code
        if mask.any() and not mask.all():
            line = {"colors": [colour], "linewidths": linewidth, **options}
            axes.contour(x, y, mask, levels=[0.5], **line)


def outline_splits(axes: Axes, splits: Raster) -> None:
    """Draw where the patches of each split are centred, codes 1 ..., on a picture of the slice."""
    for code, dashes in enumerate(style.SPLIT_LINES.values(), start=1):
        own = replace(splits, values=(splits.values == code).astype(np.uint8))
        outline(axes, own, ["#FFFFFF"], 1.6)
        outline(axes, own, [style.INK], 0.8, linestyles=[dashes])


def split_swatches(splits: Raster | None) -> list[tuple[str, str]]:
    """Return the entries of a legend for what `outline_splits` draws; none without splits."""
    lines = {} if splits is None else style.SPLIT_LINES
    return [(f"centres of {split} patches", dashes) for split, dashes in lines.items()]


def split_entries(splits: Raster | None) -> list[dict[str, Any]]:
    """Return rows of a plotted table for what `outline_splits` draws in panel a."""
    counts = {} if splits is None else rasters.count_codes(splits.values, list(style.SPLIT_LINES))
    return [
        plotted.entry("a", "pixels of the picture", count, series="patch centres", item=split)
        for split, count in counts.items()
    ]


def name_codes(axes: Axes, raster: Raster, names: Sequence[str]) -> None:
    """Write the name of every code of a label picture where most of it is, upon the picture."""
    left, right, bottom, top = raster.extent
    rows, columns = raster.values.shape
    for code, name in enumerate(names, start=1):
        iy, ix = np.nonzero(raster.values == code)
        if len(iy) < 0.005 * raster.values.size:
            continue
        axes.text(
            left + (np.median(ix) + 0.5) * (right - left) / columns,
            top + (np.median(iy) + 0.5) * (bottom - top) / rows,
            style.shorten(name, 9),
            color="#FFFFFF",
            fontsize=style.SMALL_FONT,
            ha="center",
            va="center",
            path_effects=[effects.withStroke(linewidth=1.6, foreground="#000000B0")],
            zorder=6,
        )


def bare_frame(axes: Axes, colour: str | None = None, linewidth: float = 0.5) -> None:
    """Take ticks away, and the frame too unless it gets a colour."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(colour is not None)
        if colour is not None:
            spine.set(edgecolor=colour, linewidth=linewidth)


def bar_length(width_um: float) -> float:
    """Return the longest of 1, 2, 5, 10, 20 ... micrometres within `BAR_SHARE` of a width."""
    limit = width_um * BAR_SHARE
    power = 10.0 ** np.floor(np.log10(limit))
    return float(max(step * power for step in (1, 2, 5) if step * power <= limit * (1 + 1e-9)))


def length_label(length_um: float) -> str:
    """Return a length with its unit, in millimetres from 1 mm up."""
    return f"{length_um:g} µm" if length_um < 1000 else f"{length_um / 1000:g} mm"


def scale_bar(axes: Axes, inside: bool = False, length_um: float | None = None) -> Rectangle:
    """Draw a scale bar on axes whose unit is the micrometre.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Holding a picture shown by a function of this module.
    inside : bool
        White on the picture's lower right corner, or dark below it.
    length_um : float, optional
        Length; by default a round one, at most `BAR_SHARE` of the width.

    Returns
    -------
    matplotlib.patches.Rectangle
        The bar, whose width in data units is its length in micrometres.
    """
    left, right = sorted(axes.get_xlim())
    length = length_um or bar_length(right - left)
    _, height_mm = _size_mm(axes)
    colour = "#FFFFFF" if inside else style.INK
    stroke = [effects.withStroke(linewidth=1.6, foreground="#000000B0")] if inside else []
    margin = 0.04 * (right - left) if inside else 0.0
    # Lengths across the bar are millimetres on paper, turned into shares of the axes' height.
    base, thick = (1.8, 0.6) if inside else (-1.8, 0.5)
    bar = Rectangle(
        (right - margin - length, base / height_mm),
        length,
        thick / height_mm,
        transform=axes.get_xaxis_transform(),
        facecolor=colour,
        edgecolor="none",
        clip_on=False,
        path_effects=stroke,
        zorder=6,
    )
    bar.set_gid("scale-bar")
    axes.add_patch(bar)
    if inside:
        axes.text(
            right - margin - length / 2,
            (base + thick + 0.7) / height_mm,
            length_label(length),
            transform=axes.get_xaxis_transform(),
            color=colour,
            fontsize=style.SMALL_FONT,
            ha="center",
            va="bottom",
            path_effects=stroke,
            zorder=6,
        )
    else:
        axes.annotate(
            length_label(length),
            (right - length, (base + thick / 2) / height_mm),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-3, 0),
            textcoords="offset points",
            fontsize=style.SMALL_FONT,
            ha="right",
            va="center",
            annotation_clip=False,
        )
    return bar


def colour_bar(
    sheet: Sheet,
    box: Box,
    cmap: Colormap,
    limits: tuple[float, float],
    label: str,
    *,
    ticks: Sequence[float] | None = None,
) -> None:
    """Draw a colour bar that fills a box; upright if the box is, with its label."""
    axes = sheet.axes(box)
    upright = box.height > box.width
    bar = sheet.figure.colorbar(
        ScalarMappable(Normalize(*limits), cmap),
        cax=axes,
        orientation="vertical" if upright else "horizontal",
        ticks=ticks,
    )
    bar.outline.set_linewidth(0.4)
    bar.set_label(label, fontsize=style.SMALL_FONT, labelpad=2)
    axes.tick_params(labelsize=style.SMALL_FONT, width=0.4, length=1.6, pad=1.2)


def heat(
    axes: Axes,
    values: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    cmap: Colormap,
    limits: tuple[float, float],
    texts: Sequence[Sequence[str]] | None = None,
) -> None:
    """Draw a matrix with names on its sides and, if given, a text in every cell.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : pandas.DataFrame
        NaN cells are left grey.
    rows, columns : sequence of str
        Names.
    cmap : matplotlib.colors.Colormap
    limits : tuple of float
        Values at the ends of the colour map.
    texts : sequence of sequence of str, optional
        Text of each cell, of the matrix's shape.
    """
    small = texts is not None and (
        len(columns) > 8 or any("\n" in t for line in texts for t in line)
    )
    seaborn.heatmap(
        values,
        ax=axes,
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        cbar=False,
        annot=False if texts is None else np.array(texts),
        fmt="",
        annot_kws={"fontsize": style.SMALL_FONT - 0.7 * small, "linespacing": 1.05},
        xticklabels=False,
        yticklabels=False,
    )
    norm, cells = Normalize(*limits, clip=True), values.to_numpy()
    for text in axes.texts:  # seaborn's own ink is white on middling shades
        column, row = map(int, text.get_position())
        light = relative_luminance(cmap(norm(float(cells[row, column])))) > 0.3
        text.set_color(style.INK if light else "#FFFFFF")
    axes.set(facecolor=style.ABSENT, xlabel="", ylabel="")
    axes.spines[:].set(visible=True, linewidth=0.4)
    named = _some(rows, _size_mm(axes)[1])
    axes.set_yticks(np.arange(len(rows)) + 0.5, named)
    label_columns(axes, columns, first=0.5)
    axes.tick_params(length=0)


def label_columns(axes: Axes, names: Sequence[str], first: float = 0.0) -> None:
    """Name columns that are 1 apart, slanted where straight names would touch.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    names : sequence of str
    first : float
        Where the first column's middle is.
    """
    places = np.arange(len(names)) + first
    widest = max(
        (text_width(line, style.SMALL_FONT) for name in names for line in name.split("\n")),
        default=0.0,
    )
    if widest + 0.8 <= _size_mm(axes)[0] / max(1, len(names)):
        axes.set_xticks(places, names)
    else:
        flat = [name.replace("\n", " ") for name in _some(names, _size_mm(axes)[0])]
        axes.set_xticks(places, flat, rotation=45, ha="right", rotation_mode="anchor")


def _some(names: Sequence[str], size: float) -> list[str]:
    """Return the names that have room along a size in millimetres, every second, third ... one."""
    every = max(1, int(np.ceil(LINE_MM * len(names) / size - 1e-9)))
    return [name if index % every == 0 else "" for index, name in enumerate(names)]


def dots(axes: Axes, rows: pd.DataFrame, by: str, colours: Mapping[str, str]) -> list[str]:
    """Draw values as dots with their intervals, the series beside each other in each category.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Columns series, y, low, high and the categories; an interval may be missing (NaN).
    by : str
        Column of the categories.
    colours : mapping of str to str
        Colour of every series, in the order from left to right.

    Returns
    -------
    list of str
        The categories, drawn at 0, 1, 2 ...
    """
    seaborn.pointplot(
        _with_ends(rows),
        x=by,
        y="y",
        hue="series",
        hue_order=list(colours),
        palette=dict(colours),
        dodge=min(0.22 * (len(colours) - 1), 0.7),
        linestyle="none",
        markersize=3.4,
        markeredgewidth=0.8,
        err_kws={"linewidth": 0.9},
        legend=False,
        ax=axes,
        **_AS_GIVEN,
    )
    categories = list(dict.fromkeys(rows[by]))
    axes.set(xlim=(-0.5, len(categories) - 0.5), xlabel="")
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")
    return categories


def curves(axes: Axes, rows: pd.DataFrame, colours: Mapping[str, str], marker: str = "o") -> None:
    """Draw y against x, a line for every series, and the intervals as pale bands."""
    seaborn.lineplot(
        _with_ends(rows.sort_values("x")),
        x="x",
        y="y",
        hue="series",
        palette=dict(colours),
        marker=marker,
        markersize=3,
        markeredgewidth=0,
        err_kws={"alpha": 0.16, "linewidth": 0},
        sort=False,
        legend=False,
        ax=axes,
        **_AS_GIVEN,
    )
    axes.grid(axis="y")


def _with_ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ends of every interval as values behind it: what seaborn estimates from."""
    known = rows.dropna(subset=["low", "high"])
    return pd.concat([rows, known.assign(y=known["low"]), known.assign(y=known["high"])])


#: Makes seaborn show a value and the ends behind it as they are: the bootstrap is done already.
_AS_GIVEN: dict[str, Any] = {
    "estimator": lambda values: values.iloc[0],
    "errorbar": lambda values: tuple(values.iloc[1:]),
}


def chance_line(axes: Axes, chance: float, side: str = "right") -> None:
    """Draw the accuracy of guessing as a dashed line with its name at one end."""
    axes.axhline(chance, color=style.CHANCE, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(
        "chance",
        (1.0 if side == "right" else 0.0, chance),
        xycoords=("axes fraction", "data"),
        xytext=(-1 if side == "right" else 2, -1.5),  # below: hardly any value is worse
        textcoords="offset points",
        fontsize=style.SMALL_FONT,
        color=style.CHANCE,
        ha=side,
        va="top",
    )


def every_pixel(stride: int) -> str:
    """Return what a grid covers: every pixel, or every 8th pixel."""
    endings = {1: "every pixel", 2: "every 2nd pixel", 3: "every 3rd pixel"}
    return endings.get(stride, f"every {stride}th pixel")


def short_share(share: float) -> str:
    """Return a share without its leading zero: 0 below half a percent, empty where unknown."""
    if not share >= 0.005:
        return "0" if share >= 0 else ""
    return f"{share:.2f}".removeprefix("0")


def short_count(count: float) -> str:
    """Return a count in at most four characters and a suffix: 950, 1.2k, 34k, 5.5M."""
    for limit, suffix in ((1e6, "M"), (1e3, "k")):
        if count >= limit * 0.9995:
            scaled = count / limit
            return f"{scaled:.1f}{suffix}" if scaled < 9.95 else f"{scaled:.0f}{suffix}"
    return f"{count:.0f}"


def _show(
    axes: Axes, raster: Raster, painted: NDArray[np.float32] | None = None, **options: Any
) -> None:
    picture = raster.values if painted is None else painted
    axes.imshow(picture, extent=raster.extent, aspect="equal", **options)
    left, right, bottom, top = raster.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))


def _size_mm(axes: Axes) -> tuple[float, float]:
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("axes without a figure")
    width, height = figure.get_size_inches() * style.MM_PER_INCH
    place = axes.get_position()
    return float(place.width * width), float(place.height * height)
