"""Writing a figure: PNG, PDF and the table that it plots, each whole or absent."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from brainarch.atomic import replacing
from brainarch.figures import columns, plotted, style
from brainarch.tables import write_table

# It reports every glyph that it embeds in a PDF.
logging.getLogger("fontTools").setLevel(logging.WARNING)

#: Resolution of the PNG and of pictures inside the PDF, in pixels per inch.
DPI = 300
#: Most pixels of a PNG; a larger figure gets a lower resolution.
MAX_PIXELS = 24_000_000


def bounded_dpi(width_inch: float, height_inch: float, dpi: float = DPI) -> float:
    """Return the resolution at which a figure has at most `MAX_PIXELS` pixels."""
    return min(dpi, math.sqrt(MAX_PIXELS / (width_inch * height_inch)))


@style.styled
def save_figure(
    figure: Figure, shown: pd.DataFrame, png: Path, pdf: Path, table: Path, dpi: float = DPI
) -> None:
    """Write a figure and its plotted table (with its sidecar).

    The files hold no date and no version, so the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    shown : pandas.DataFrame
        The plotted table; see `brainarch.figures.plotted`.
    png, pdf, table : Path
        Files to write.
    dpi : float
        Resolution of the PNG and of pictures inside the PDF.
    """
    resolution = bounded_dpi(figure.get_figwidth(), figure.get_figheight(), dpi)
    wanted = columns.WANTED.get()
    if wanted is not None:
        columns.save_panels(figure, pdf.stem, wanted, resolution)
        return
    with replacing(png) as temporary:
        figure.savefig(temporary, format="png", dpi=resolution, metadata={"Software": None})
    with replacing(pdf) as temporary:
        figure.savefig(
            temporary,
            format="pdf",
            dpi=resolution,
            metadata=columns.UNSAID,
        )
    write_table(shown, table, plotted.COLUMNS)
