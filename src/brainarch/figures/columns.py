"""Panels of a figure as PDFs of their own, as wide as one column of a printed page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from brainarch.atomic import replacing
from brainarch.figures import style
from brainarch.figures.sheet import LINE_MM, SWATCH

#: Space round a panel, and what a width may be off, in millimetres.
MARGIN_MM, TOLERANCE_MM = 1.0, 0.3
#: Least share of its width that a panel is narrowed to.
LEAST = 0.4
#: What nothing in a PDF may say, so that the same panel gives the same bytes.
UNSAID = {"CreationDate": None, "Producer": None, "Creator": None}


@dataclass
class Wanted:
    """Where panels go instead of the figure, and what was written.

    Parameters
    ----------
    folder : Path
    width_mm : float
        Greatest width of a panel.
    """

    folder: Path
    width_mm: float
    written: list[Path] = field(default_factory=list)


#: Where figures that are drawn now leave their panels; None for the figures themselves.
WANTED: ContextVar[Wanted | None] = ContextVar("panels", default=None)


@contextmanager
def apart(folder: Path, width_mm: float = style.SINGLE_COLUMN_MM) -> Iterator[Wanted]:
    """Let figures that are drawn meanwhile leave their panels in a folder, and nothing else."""
    wanted = Wanted(folder, width_mm)
    token = WANTED.set(wanted)
    try:
        yield wanted
    finally:
        WANTED.reset(token)


@style.styled
def save_panels(figure: Figure, name: str, wanted: Wanted, dpi: float) -> None:
    """Write every panel of a figure as a PDF: ``name_a.pdf`` and so on, without its letter.

    A panel that is wider than a column is made narrower; its text keeps its size.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Placed by a `brainarch.figures.sheet.Sheet`, which says what belongs to which panel.
    name : str
        Of the figure.
    wanted : Wanted
    dpi : float
        Resolution of pictures inside the PDFs.
    """
    parts: list[Artist] = [*figure.axes, *figure.texts, *figure.artists, *figure.patches]
    letters = sorted({str(part.get_gid()) for part in parts if part.get_gid()})
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for letter in letters:
        own = [part for part in parts if part.get_gid() == letter]
        for part in (*parts, *figure.lines):
            part.set_visible(part in own)
        path = wanted.folder / f"{name}_{letter}.pdf"
        box = _narrowed(figure, own, wanted.width_mm - 2 * MARGIN_MM)
        with replacing(path) as temporary:
            figure.savefig(
                temporary,
                format="pdf",
                dpi=dpi,
                bbox_inches=box.padded(MARGIN_MM / style.MM_PER_INCH),
                metadata=UNSAID,
            )
        wanted.written.append(path)


def _narrowed(figure: Figure, parts: list[Artist], width_mm: float) -> Bbox:
    """Make a panel narrower until it fits; return the place that it takes, in inches.

    Axes with pictures keep their shape, others their height. Nothing becomes smaller than
    `LEAST` of its width: where text alone is wider than a column, the panel stays wider.
    """
    wanted, whole = width_mm / style.MM_PER_INCH, 1.0
    box = figure.get_tightbbox()
    axes = [part for part in parts if isinstance(part, Axes)]
    pictures = any(part.images for part in axes)
    for _ in range(8):  # text keeps its size, so one step falls short
        share = wanted / box.width
        if share >= 1 - TOLERANCE_MM / width_mm or whole * share < LEAST:
            break
        whole *= share
        left, top = box.x0 / figure.get_figwidth(), box.y1 / figure.get_figheight()
        rows = _covered(axes) if pictures else []
        for part in parts:
            _move(part, (left, top), share, rows)
        _flow(figure, parts, left + wanted / figure.get_figwidth())
        box = figure.get_tightbbox()
    return box


def _covered(axes: Sequence[Axes]) -> list[tuple[float, float]]:
    """Return the heights that axes cover, from the top down, in shares of the figure."""
    spans: list[tuple[float, float]] = []
    for own in sorted((each.get_position(original=True) for each in axes), key=lambda b: -b.y1):
        if spans and own.y1 > spans[-1][0]:
            spans[-1] = (min(spans[-1][0], own.y0), spans[-1][1])
        else:
            spans.append((own.y0, own.y1))
    return spans


def _move(
    part: Artist, corner: tuple[float, float], share: float, rows: list[tuple[float, float]]
) -> None:
    """Draw a part towards a corner; heights shrink where there are axes, gaps stay."""

    def towards(x: float, y: float) -> tuple[float, float]:
        gone = sum((1 - share) * (high - max(low, y)) for low, high in rows if high > y)
        return corner[0] + share * (x - corner[0]), y + gone

    if isinstance(part, Axes):
        own = part.get_position(original=True)
        part.set_position(Bbox([towards(own.x0, own.y0), towards(own.x1, own.y1)]))
    elif isinstance(part, Text):
        part.set_position(towards(*part.get_position()))
    elif isinstance(part, Rectangle):
        part.set_xy(towards(*part.get_xy()))


def _flow(figure: Figure, parts: list[Artist], right: float) -> None:
    """Let a legend of squares and their texts go on in a new line before it is too wide."""
    squares = [part for part in parts if isinstance(part, Rectangle)]
    texts = [part for part in parts if isinstance(part, Text) and part.get_label() == SWATCH]
    if not squares:
        return
    step = LINE_MM / style.MM_PER_INCH / figure.get_figheight()
    gaps = [gap / style.MM_PER_INCH / figure.get_figwidth() for gap in (2.8, 3.5)]
    left, y = squares[0].get_xy()
    x, middle = left, texts[0].get_position()[1] - y
    for square, text in zip(squares, texts, strict=True):
        width = gaps[0] + text.get_window_extent().width / figure.bbox.width
        if x > left and x + width > right:
            x, y = left, y - step
        square.set_xy((x, y))
        text.set_position((x + gaps[0], y + middle))
        x += width + gaps[1]
