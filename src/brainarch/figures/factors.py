"""M2: factors that predict areas and layers, and components of one area (M, Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from brainarch.figures import panels, plotted, rasters, style
from brainarch.figures.clusters import agreement_entries, draw_nulls, draw_subdivisions
from brainarch.figures.panels import Areas
from brainarch.figures.rasters import Raster
from brainarch.figures.sheet import Box, Sheet, fit, swatches_height, text_width

#: AUROC shown white and darkest.
AUROC_LIMITS = (0.5, 1.0)
#: Tallest matrix of areas (or layers) and factors, in millimetres.
TALLEST_ROWS_MM = 110.0
_GAP = 4.0
#: Greatest heights of the maps, relative to what they may be on a page of their own.
_SIZES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
#: Lines of the reference slice and of the other one.
_DASHES: tuple[Any, ...] = ("-", (0, (2, 1.2)))


@dataclass(frozen=True)
class Overlay:
    """Selected factors painted over a slice.

    Parameters
    ----------
    grey : Raster
        The slice.
    painted : Raster
        Colours and opacity of the factors, shape (rows, columns, 4).
    tops : dict of int to float
        Coefficient that is opaque, by factor.
    codes : Raster
        The annotated areas or layers, for their outlines.
    title : str
    """

    grey: Raster
    painted: Raster
    tops: dict[int, float]
    codes: Raster
    title: str


@dataclass(frozen=True)
class Target:
    """How factors relate to areas, or to layers.

    Parameters
    ----------
    word : str
        Area or layer.
    legend : Areas
        The areas or layers.
    selection : pandas.DataFrame
        Columns rank, factor, name, covered_share, leaked_share, and those of `judged`.
    overlay : Overlay
        The selected factors over the fitted slice.
    alignment : pandas.DataFrame or None
        Columns factor, name, auroc, null_99 of one slice.
    slice_title : str
        Which slice the alignment is of.
    """

    word: str
    legend: Areas
    selection: pd.DataFrame
    overlay: Overlay
    alignment: pd.DataFrame | None = None
    slice_title: str = ""

    @property
    def auroc(self) -> str:
        """What the plotted table calls the alignment."""
        return f"AUROC for the {self.word} (high: what 1 % of fields like the factor exceed)"


@dataclass(frozen=True)
class ComponentMap:
    """Components of an area on one slice.

    Parameters
    ----------
    grey, codes : Raster
        The slice and the components; on a slice that was matched, the codes of their matches.
    layers : Raster or None
        Layer codes, for their outlines.
    z : int
        The slice.
    title : str
    """

    grey: Raster
    codes: Raster
    layers: Raster | None
    z: int
    title: str


@dataclass(frozen=True)
class Discovery:
    """Components of one area.

    Parameters
    ----------
    maps : list of ComponentMap
        Of one slice or two, the reference slice first.
    profiles : pandas.DataFrame
        Columns slice, subdivision, by, name, low, high, share; components already renamed to their
        matches on the reference slice.
    matches : pandas.DataFrame or None
        Columns component, distance.
    agreement : pandas.DataFrame or None
        Columns slice, statistic, null, value, median, null_99.
    """

    maps: list[ComponentMap]
    profiles: pd.DataFrame
    matches: pd.DataFrame | None
    agreement: pd.DataFrame | None


def judged(selection: pd.DataFrame, chosen: pd.DataFrame | None) -> pd.DataFrame:
    """Say of selected pairs what a slice tells that was not fitted.

    Parameters
    ----------
    selection : pandas.DataFrame
        Columns factor, name.
    chosen : pandas.DataFrame or None
        Columns factor, name, auroc, contradicted of that slice, if there is one.

    Returns
    -------
    pandas.DataFrame
        The selection with held_out (AUROC, NaN if not looked at) and contradicted.
    """
    if chosen is None:
        return selection.assign(held_out=np.nan, contradicted=False)
    told = chosen[["factor", "name", "auroc", "contradicted"]].rename(columns={"auroc": "held_out"})
    found = selection.merge(told, on=["factor", "name"], how="left")
    return found.assign(contradicted=found["contradicted"].eq(True))


def pair_colour(row: Any, legend: Areas) -> str:
    """Return the colour of a selected pair: its area's, or grey if it is contradicted."""
    return style.FAINT if row.contradicted else legend.colours[str(row.name)]


def paint_factors(
    maps: Mapping[int, Raster], selection: pd.DataFrame, legend: Areas
) -> tuple[Raster, dict[int, float]]:
    """Lay the selected factors' maps over each other in the colours of what they predict.

    Parameters
    ----------
    maps : mapping of int to Raster
        Coefficient maps of the selected factors at least, of one grid.
    selection : pandas.DataFrame
        Columns factor, name, contradicted.
    legend : Areas

    Returns
    -------
    Raster
        Of shape (rows, columns, 4).
    dict of int to float
        Coefficient that is opaque, by factor.
    """
    chosen = [int(factor) for factor in selection["factor"]]
    tops = {factor: rasters.robust_top(maps[factor].values) for factor in chosen}
    colours = [pair_colour(row, legend) for row in plotted.rows_of(selection)]
    painted = rasters.blend(
        [maps[factor].values for factor in chosen], colours, [tops[factor] for factor in chosen]
    )
    return replace(maps[chosen[0]], values=painted), tops


def rename_matched(codes: Raster, matches: pd.DataFrame) -> Raster:
    """Give a slice's components the codes of their matches on the reference slice.

    Parameters
    ----------
    codes : Raster
        Components of the other slice.
    matches : pandas.DataFrame
        Columns component (reference) and matched (other); a component without a match gets a code
        above those of the reference.
    """
    return replace(codes, values=_lookup(codes.values.max(), matches)[codes.values])


def rename_profiles(profiles: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    """Rename the components of the other slice's profiles as `rename_matched` does."""
    lookup = _lookup(profiles["subdivision"].max(), matches)
    return profiles.assign(subdivision=lookup[profiles["subdivision"].to_numpy(dtype=int)])


def _lookup(largest: int, matches: pd.DataFrame) -> np.ndarray[Any, Any]:
    pairs = {int(row.matched): int(row.component) for row in plotted.rows_of(matches)}
    spare = max([int(matches["component"].max()), *pairs.values()]) + 1
    lookup = np.zeros(int(largest) + 1, dtype=np.uint8)
    for code in range(1, int(largest) + 1):
        if code in pairs:
            lookup[code] = pairs[code]
        else:
            lookup[code], spare = spare, spare + 1
    return lookup


def prepare(
    areas: Target, *, discovery: Discovery | None = None, layers: Target | None = None
) -> pd.DataFrame:
    """Return the plotted table; its panels are lettered in the order of what there is.

    Parameters
    ----------
    areas : Target
    discovery : Discovery, optional
        Components inside one area.
    layers : Target, optional
    """
    letters = iter("abcdefghijkl")
    entries = list(_target_entries(letters, areas))
    if discovery is not None:
        entries += _discovery_entries(letters, discovery)
    if layers is not None:
        entries += _target_entries(letters, layers)
    return plotted.table(entries)


@style.styled
def draw(
    table: pd.DataFrame,
    areas: Target,
    *,
    discovery: Discovery | None = None,
    layers: Target | None = None,
) -> Figure:
    """Draw the figure from its plotted table and the pictures of `prepare`'s arguments."""
    blocks: list[_Block] = []
    for size in _SIZES:  # the largest maps with which all panels stand on one page
        blocks = [_AreaBlock(table, areas, size)]
        if discovery is not None:
            names = layers.legend if layers else None
            blocks.append(_ComponentBlock(table, discovery.maps, names, size))
        if layers is not None:
            blocks.append(_LayerBlock(table, layers, size))
        if sum(block.height for block in blocks) - _GAP <= style.PAGE_MM:
            break
    sheet = Sheet(sum(block.height for block in blocks) - _GAP)
    top = 0.0
    for block in blocks:
        block.draw(sheet, top)
        top += block.height
    return sheet.figure


class _Block(Protocol):
    """A group of panels across the page that knows its height."""

    height: float

    def draw(self, sheet: Sheet, top: float) -> None:
        """Draw the group with its upper edge at ``top``, in millimetres."""


class _AreaBlock:
    """Factors over the slice, their AUROC for every area, coverage and leakage."""

    def __init__(self, table: pd.DataFrame, target: Target, size: float) -> None:
        self.table, self.target, self.overlay = table, target, target.overlay
        self.legend = _factor_swatches(target)
        self.map = fit(self.overlay.painted.aspect, style.CONTENT_MM, 46 * size)
        self.legend_height = swatches_height(self.legend, style.CONTENT_MM)
        self.rows = max(20.0, min(5.0 * len(target.legend.names), TALLEST_ROWS_MM))
        self.height = 5 + self.map[1] + 4 + self.legend_height + 3 + 6 + self.rows + 9 + _GAP

    def draw(self, sheet: Sheet, top: float) -> None:
        table, target = self.table, self.target
        letter = _letter(table, "coefficient shown opaque, area factors")
        sheet.panel(letter, 0, top, self.overlay.title)
        axes = sheet.axes(Box((style.CONTENT_MM - self.map[0]) / 2, top + 5, *self.map))
        _draw_overlay(axes, self.overlay, target.legend.names)
        panels.scale_bar(axes)
        legend_top = top + 5 + self.map[1] + 4
        sheet.swatches(0, legend_top, style.CONTENT_MM, self.legend)
        matrix_top = legend_top + self.legend_height + 3
        has_auroc = _draw_auroc(sheet, table, target, Box(14, matrix_top, 98, self.rows))
        left, width = (142.0, 37.0) if has_auroc else (14.0, style.CONTENT_MM - 16)
        _draw_shares(sheet, table, target, Box(left, matrix_top, width, self.rows))


class _ComponentBlock:
    """Components on one or two slices, their profiles, and their agreement with layers."""

    def __init__(
        self, table: pd.DataFrame, maps: list[ComponentMap], layers: Areas | None, size: float
    ) -> None:
        self.table, self.maps, self.layers = table, maps, layers
        aspect = max(entry.codes.aspect for entry in maps)
        self.map = fit(aspect, (style.CONTENT_MM - 6) / 2, 40 * size)
        self.height = 5 + self.map[1] + 4 + 5 + _GAP
        #: Profiles stand beside the map of a single slice, which leaves room for them.
        self.beside = len(maps) == 1 and not (table["quantity"] == "agreement").any()
        if not self.beside:
            self.height += 6 + 24 + 11

    def draw(self, sheet: Sheet, top: float) -> None:
        table = self.table
        count = max(int(entry.codes.values.max()) for entry in self.maps)
        colours = style.subdivision_palette(count)
        letter = _letter(table, "pixels of the component in the picture")
        # narrow maps stand as far apart as the first one's title is wide
        title = text_width(self.maps[0].title, style.FONT + 0.5) + 10
        step = max(self.map[0] + 6, min(title, style.CONTENT_MM - self.map[0]))
        for index, entry in enumerate(self.maps):
            left = index * step
            sheet.panel(letter if index == 0 else "", left, top, entry.title)
            axes = sheet.axes(Box(left, top + 5, *self.map))
            draw_subdivisions(
                axes,
                entry.grey,
                entry.codes,
                colours,
                layer_codes=entry.layers,
                layers=self.layers,
            )
            panels.scale_bar(axes)
        legend = [(f"component {index + 1}", colour) for index, colour in enumerate(colours)]
        legend_top = top + 5 + self.map[1] + 4
        sheet.swatches(0, legend_top, style.CONTENT_MM, legend)
        if self.beside:
            left = max(self.map[0] + 20, 84.0)
            height = self.map[1] - 11
            self._draw_profiles(sheet, colours, Box(left, top, style.CONTENT_MM - left - 1, height))
            return
        profile_top = legend_top + 5
        nulls = table[table["quantity"] == "agreement"]
        width = 104.0 if len(nulls) else style.CONTENT_MM - 12
        self._draw_profiles(sheet, colours, Box(10, profile_top, width, 24))
        if len(nulls):
            panel = str(nulls["panel"].iloc[0])
            sheet.panel(panel, 120, profile_top, "Agreement with layers")
            draw_nulls(sheet.axes(Box(148, profile_top + 6, 31, 24)), plotted.pick(table, panel))

    def _draw_profiles(self, sheet: Sheet, colours: list[str], box: Box) -> None:
        rows = plotted.pick(self.table, quantity="share of the component's pixels")
        distances = plotted.pick(self.table, quantity="distance of matched profiles")
        slices = [f"{z:.0f}" for z in rows["z"].unique()]
        along_depth = bool(np.isfinite(rows["x"]).all())
        components = sorted(plotted.ordered(rows["series"]), key=int)
        what = "Share along depth" if along_depth else "Share by layer"
        letter = _letter(self.table, "share of the component's pixels")
        sheet.panel(letter, box.left - 10, box.top, what)
        lines = [
            Line2D([], [], color=style.INK, linestyle=_DASHES[index], label=f"z = {z}")
            for index, z in enumerate(slices[:2])
        ]
        gap = 4.0
        width = (box.width - gap * (len(components) - 1)) / len(components)
        top_share = max(0.05, float(np.nanmax(rows["y"]))) * 1.08
        for index, component in enumerate(components):
            left = box.left + index * (width + gap)
            axes = sheet.axes(Box(left, box.top + 9, width, box.height - 3))
            own = plotted.pick(rows, series=component)
            _draw_profile(axes, own, slices, colours[int(component) - 1], along_depth)
            found = plotted.pick(distances, series=component)
            title = component + (f"   JS {found['y'].iloc[0]:.2f}" if len(found) else "")
            axes.set_title(title, loc="left", fontsize=style.SMALL_FONT)
            axes.set_ylim(0, top_share)
            if index == 0:
                axes.set_ylabel("share of component")
            else:
                axes.set_yticklabels([])
        if len(slices) > 1:
            place = sheet.bare(Box(box.left + 30, box.top, box.width - 30, 3))
            place.legend(handles=lines, ncols=2, loc="upper right", handlelength=1.8)


def _draw_profile(
    axes: Axes, rows: pd.DataFrame, slices: list[str], colour: str, along_depth: bool
) -> None:
    """Draw one component's profile: full on the reference slice, dashed on the other."""
    names = plotted.ordered(rows["item"])
    for index, z in enumerate(slices[:2]):
        line = rows[rows["z"] == float(z)]
        axes.plot(
            line["x"] if along_depth else line["item"].map(names.index),
            line["y"],
            color=colour,
            linestyle=_DASHES[index],
            marker="" if along_depth else "os"[index],
            markersize=2.6,
            markerfacecolor=colour if index == 0 else "#FFFFFF",
        )
    axes.grid(axis="y")
    if along_depth:
        axes.set(xlim=(0, 1))
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_xlabel("relative depth", fontsize=style.SMALL_FONT)
    else:
        axes.set_xlim(-0.3, len(names) - 0.7)
        panels.label_columns(axes, [style.shorten(name, 7) for name in names])


class _LayerBlock:
    """Factors selected over layers: over the slice, and their AUROC for every layer."""

    def __init__(self, table: pd.DataFrame, target: Target, size: float) -> None:
        self.table, self.target, self.overlay = table, target, target.overlay
        self.map = fit(self.overlay.painted.aspect, 62, 36 * size)
        self.legend = _factor_swatches(target)
        self.rows = max(20.0, min(4.6 * len(target.legend.names), TALLEST_ROWS_MM))
        left = self.map[1] + 4 + swatches_height(self.legend, 66)
        self.height = 5 + max(left, self.rows + 10) + _GAP

    def draw(self, sheet: Sheet, top: float) -> None:
        letter = _letter(self.table, "coefficient shown opaque, layer factors")
        sheet.panel(letter, 0, top, self.overlay.title)
        axes = sheet.axes(Box(0, top + 5, *self.map))
        _draw_overlay(axes, self.overlay, self.target.legend.names)
        panels.scale_bar(axes)
        sheet.swatches(0, top + 5 + self.map[1] + 4, 66, self.legend)
        _draw_auroc(sheet, self.table, self.target, Box(84, top, 82, self.rows))


def _target_entries(letters: Iterator[str], target: Target) -> Iterator[dict[str, Any]]:
    letter, word = next(letters), target.word
    for row in plotted.rows_of(target.selection):
        place: dict[str, Any] = {"series": f"factor {row.factor}", "item": row.name}
        top = target.overlay.tops[int(row.factor)]
        yield plotted.entry(letter, f"coefficient shown opaque, {word} factors", top, **place)
        if np.isfinite(row.held_out):
            what = "contradicted" if row.contradicted else "not contradicted"
            yield plotted.entry(letter, f"AUROC held out, {what}", row.held_out, **place)
    if target.alignment is not None:
        letter = next(letters)
        for row in plotted.rows_of(target.alignment):
            place = {"series": row.name, "item": f"factor {row.factor}", "high": row.null_99}
            yield plotted.entry(letter, target.auroc, row.auroc, **place)
    if word == "area":
        letter = next(letters)
    for row in plotted.rows_of(target.selection):
        place = {"series": f"factor {row.factor}", "item": row.name, "x": row.rank}
        yield plotted.entry(letter, f"share of the {word} covered", row.covered_share, **place)
        yield plotted.entry(letter, f"share outside the {word} leaked", row.leaked_share, **place)


def _discovery_entries(letters: Iterator[str], discovery: Discovery) -> Iterator[dict[str, Any]]:
    letter = next(letters)
    for entry in discovery.maps:
        names = [str(code) for code in range(1, int(entry.codes.values.max()) + 1)]
        for name, count in rasters.count_codes(entry.codes.values, names).items():
            place: dict[str, Any] = {"series": name, "z": entry.z}
            yield plotted.entry(letter, "pixels of the component in the picture", count, **place)
    letter = next(letters)
    profiles = discovery.profiles
    by = "layer" if (profiles["by"] == "layer").any() else "depth"
    for row in plotted.rows_of(profiles[profiles["by"] == by]):
        yield plotted.entry(
            letter,
            "share of the component's pixels",
            row.share,
            series=int(row.subdivision),
            item=row.name,
            x=(row.low + row.high) / 2,
            z=row.slice,
        )
    if discovery.matches is not None:
        for row in plotted.rows_of(discovery.matches):
            yield plotted.entry(
                letter, "distance of matched profiles", row.distance, series=int(row.component)
            )
    if discovery.agreement is not None:
        letter = next(letters)
        for entry in discovery.maps:
            own = discovery.agreement[discovery.agreement["slice"] == entry.z]
            yield from agreement_entries(letter, own, f"z = {entry.z}")


def _letter(table: pd.DataFrame, quantity: str) -> str:
    rows = plotted.pick(table, quantity=quantity)
    return str(rows["panel"].iloc[0]) if len(rows) else ""


def _factor_swatches(target: Target) -> list[tuple[str, str]]:
    return [
        (
            f"factor {row.factor}: {style.shorten(target.legend.titles[row.name], 28)}"
            + (f" {row.held_out:.2f}" if np.isfinite(row.held_out) else "")
            + (", contradicted" if row.contradicted else ""),
            pair_colour(row, target.legend),
        )
        for row in plotted.rows_of(target.selection)
    ]


def _draw_overlay(axes: Axes, overlay: Overlay, names: Sequence[str]) -> None:
    panels.show_grey(axes, overlay.grey)
    panels.show_painted(axes, overlay.painted)
    panels.outline(axes, overlay.codes, ["#FFFFFF"] * len(names), 0.5)
    panels.name_codes(axes, overlay.codes, names)
    left, right, bottom, top = overlay.painted.extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    panels.bare_frame(axes)


def _draw_auroc(sheet: Sheet, table: pd.DataFrame, target: Target, box: Box) -> bool:
    """Draw AUROC by factor, the selected pairs framed; return whether there is any."""
    rows = plotted.pick(table, quantity=target.auroc)
    if rows.empty:
        return False
    names = list(target.legend.names)
    factors = sorted(plotted.ordered(rows["item"]), key=lambda text: int(text.split()[-1]))
    values = plotted.matrix(rows, names, factors)
    sheet.panel(
        str(rows["panel"].iloc[0]),
        0 if target.word == "area" else box.left - 14,
        box.top,
        f"AUROC of every factor, {target.slice_title}",
    )
    axes = sheet.axes(Box(box.left, box.top + 6, box.width, box.height))
    texts = None
    if len(factors) <= 16 and len(names) <= panels.MAX_NUMBERED:
        texts = [[panels.short_share(value) for value in line] for line in values.to_numpy()]
    panels.heat(
        axes,
        values,
        target.legend.ticks(),
        [name.removeprefix("factor ") for name in factors],
        cmap=style.SHARES,
        limits=AUROC_LIMITS,
        texts=texts,
    )
    axes.set_xlabel("factor")
    for row in plotted.rows_of(target.selection):
        column = factors.index(f"factor {row.factor}")
        line = names.index(str(row.name))
        axes.add_patch(
            Rectangle(
                (column, line),
                1,
                1,
                fill=False,
                edgecolor=pair_colour(row, target.legend),
                linestyle=":" if row.contradicted else "-",
                linewidth=1.6,
                clip_on=False,
                zorder=4,
            )
        )
    bar = Box(box.left + box.width + 1.6, box.top + 6, 1.5, box.height)
    panels.colour_bar(sheet, bar, style.SHARES, AUROC_LIMITS, "AUROC", ticks=[0.5, 0.75, 1])
    return True


def _draw_shares(sheet: Sheet, table: pd.DataFrame, target: Target, box: Box) -> None:
    """Draw coverage and leakage of the selected factors as bars."""
    word = target.word
    covered = plotted.pick(table, quantity=f"share of the {word} covered").sort_values("x")
    leaked = plotted.pick(table, quantity=f"share outside the {word} leaked").sort_values("x")
    sheet.panel(str(covered["panel"].iloc[0]), box.left - 14, box.top, "Selected factors")
    axes = sheet.axes(Box(box.left, box.top + 6, box.width, box.height))
    positions = np.arange(len(covered))
    pairs = target.selection.sort_values("rank")
    colours = [pair_colour(row, target.legend) for row in plotted.rows_of(pairs)]
    axes.barh(positions - 0.19, covered["y"], height=0.36, color=colours)
    axes.barh(
        positions + 0.19, leaked["y"], height=0.36, color=[style.lighten(c, 0.6) for c in colours]
    )
    named = style.shorten_all(list(covered["item"]), 8)
    labels = [
        f"{name} {factor.removeprefix('factor ')}"
        for name, factor in zip(named, covered["series"], strict=True)
    ]
    axes.set_yticks(positions, labels)
    axes.set(xlim=(0, 1), ylim=(len(covered) - 0.5, -0.5), xlabel="share of pixels")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    handles = [
        Patch(facecolor=style.INK, label=f"of the {word}"),
        Patch(facecolor=style.lighten(style.INK, 0.6), label="elsewhere"),
    ]
    axes.legend(
        handles=handles, ncols=2, loc="lower right", bbox_to_anchor=(1.02, 1.0), columnspacing=0.8
    )
