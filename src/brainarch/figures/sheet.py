"""A page on which panels are placed in millimetres from its top left corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from brainarch.figures import style

#: Height of a line of a legend of squares, and how its texts are labelled.
LINE_MM, SWATCH = 3.4, "swatch"
#: Share of the largest size that is large enough, where a grid leaves less of the sheet empty.
NEARLY = 0.9
MM_PER_POINT = style.MM_PER_INCH / 72


class Box(NamedTuple):
    """A rectangle in millimetres from the page's top left corner."""

    left: float
    top: float
    width: float
    height: float


class Sheet:
    """A figure and the placing of its panels.

    Parameters
    ----------
    height : float
        Height of what is placed, in millimetres.
    width : float
        Its width; the page has `style.MARGIN_MM` more on every side.
    """

    def __init__(self, height: float, width: float = style.CONTENT_MM) -> None:
        self.width = width
        self.height = height
        page = (width + 2 * style.MARGIN_MM, height + 2 * style.MARGIN_MM)
        self._page = page
        self.figure = Figure(figsize=(page[0] / style.MM_PER_INCH, page[1] / style.MM_PER_INCH))
        #: The panel that is being drawn; everything placed belongs to it.
        self._letter = ""

    def place(self, left: float, top: float) -> tuple[float, float]:
        """Return a place in millimetres as shares of the page, from its lower left corner."""
        width, height = self._page
        return (left + style.MARGIN_MM) / width, 1 - (top + style.MARGIN_MM) / height

    def axes(self, box: Box, **options: Any) -> Axes:
        """Add axes whose frame fills a box."""
        corner = self.place(box.left, box.top + box.height)
        size = (box.width / self._page[0], box.height / self._page[1])
        axes: Axes = self.figure.add_axes((*corner, *size), gid=self._letter, **options)
        return axes

    def bare(self, box: Box) -> Axes:
        """Add axes without frame, ticks and background, in millimetres, y downwards."""
        axes = self.axes(box)
        axes.set(xlim=(0, box.width), ylim=(box.height, 0))
        axes.axis("off")
        return axes

    def text(self, left: float, top: float, text: str, **options: Any) -> Text:
        """Write text whose upper left corner (by default) is at a place."""
        settings: dict[str, Any] = {
            "ha": "left", "va": "top", "fontsize": style.FONT, "gid": self._letter,
        } | options  # fmt: skip
        return self.figure.text(*self.place(left, top), text, **settings)

    def panel(self, letter: str, left: float, top: float, title: str = "") -> None:
        """Begin a panel: write its letter (none goes on with the last) and what it shows."""
        self._letter = letter or self._letter
        self.text(left, top, letter, fontsize=style.LETTER_FONT, fontweight="bold", gid="")
        if title:
            offset = 2.0 + text_width(letter, style.LETTER_FONT, bold=True)
            self.text(left + offset, top + 0.45, title, fontsize=style.FONT + 0.5)

    def swatches(
        self,
        left: float,
        top: float,
        width: float,
        entries: Sequence[tuple[str, str]],
    ) -> None:
        """Draw a legend of coloured squares that wraps at a width; see `swatches_height`.

        Parameters
        ----------
        left, top, width : float
            Place and greatest width in millimetres.
        entries : sequence of (str, str)
            Label and colour of each, or the style of the line that outlines it.
        """
        for label, colour, x, y in _flow(entries, width):
            is_line = colour in style.SPLIT_LINES.values()
            faint = style.FAINT if colour == style.NOT_EXTRACTED else "none"
            square = Rectangle(
                self.place(left + x, top + y + 2.1),
                2.0 / self._page[0],
                2.0 / self._page[1],
                transform=self.figure.transFigure,
                facecolor="none" if is_line else colour,
                edgecolor=style.INK if is_line else faint,
                linestyle=colour if is_line else "-",
                linewidth=0.8 if is_line else 0.4,
                gid=self._letter,
            )
            self.figure.add_artist(square)
            self.text(
                left + x + 2.8, top + y + 1.15, label,
                fontsize=style.SMALL_FONT, va="center", label=SWATCH,
            )  # fmt: skip


def text_width(text: str, fontsize: float, bold: bool = False) -> float:
    """Return the width of a line of text in millimetres."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    path = TextPath((0, 0), text, size=fontsize, prop=font, usetex=False)
    return float(path.get_extents().width) * MM_PER_POINT


def fit_text(text: str, width: float, fontsize: float) -> str:
    """Cut a text with an ellipsis so that it is at most a width in millimetres wide."""
    length = len(text)
    while length > 1 and text_width(style.shorten(text, length), fontsize) > width:
        length -= 1
    return style.shorten(text, length)


def fitting_font(text: str, width: float, fontsize: float, least: float = 5.0) -> float:
    """Return the largest font size, at most the given one, at which a text has a width in mm."""
    wide = text_width(text, fontsize)
    return fontsize if wide <= width else max(least, fontsize * width / wide)


def swatches_height(entries: Sequence[tuple[str, str]], width: float) -> float:
    """Return the height in millimetres that `Sheet.swatches` takes."""
    flow = _flow(entries, width)
    return (flow[-1][3] + LINE_MM) if flow else 0.0


def fit(aspect: float, width: float, height: float) -> tuple[float, float]:
    """Return the largest (width, height) of a picture inside a rectangle.

    Parameters
    ----------
    aspect : float
        Height of the picture over its width.
    width, height : float
        Of the rectangle.
    """
    if aspect * width <= height:
        return width, aspect * width
    return height / aspect, height


def best_grid(
    count: int, aspect: float, width: float, height: float, gap: tuple[float, float]
) -> tuple[int, int, float, float]:
    """Return the grid in which equal pictures become large, and little of the sheet stays empty.

    Parameters
    ----------
    count : int
        Number of pictures.
    aspect : float
        Height of a picture over its width.
    width, height : float
        Of the space for all of them.
    gap : tuple of float
        Space beside and above each picture.

    Returns
    -------
    tuple of int, int, float, float
        Rows, columns, and a picture's width and height. Among sizes that are nearly the largest,
        the lowest grid, which leaves least of the sheet empty.
    """
    grids = []
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        cell_width = (width - gap[0] * (columns - 1)) / columns
        cell_height = height / rows - gap[1]
        if cell_width > 0 and cell_height > 0:
            grids.append((rows, columns, *fit(aspect, cell_width, cell_height)))
    if not grids:
        raise ValueError(f"no room for {count} pictures in {width} x {height} mm")
    largest = max(grid[2] for grid in grids)
    good = [grid for grid in grids if grid[2] >= NEARLY * largest]
    return min(good, key=lambda grid: (grid[0] * (grid[3] + gap[1]), -grid[2]))


def _flow(entries: Sequence[tuple[str, str]], width: float) -> list[tuple[str, str, float, float]]:
    placed = []
    x, y = 0.0, 0.0
    for label, colour in entries:
        needed = 2.8 + text_width(label, style.SMALL_FONT)
        if x > 0 and x + needed > width:
            x, y = 0.0, y + LINE_MM
        placed.append((label, colour, x, y))
        x += needed + 3.5
    return placed
