"""The one style of all figures: sizes, fonts, colours.

Sizes are in millimetres, for a page that prints them one to one. All choices here are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from itertools import count
from typing import Any, TypeVar

import matplotlib as mpl
import seaborn
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from brainarch.palette import colour_of

F = TypeVar("F", bound=Callable[..., Any])

#: Widths of a printed figure in millimetres.
SINGLE_COLUMN_MM = 89.0
DOUBLE_COLUMN_MM = 183.0
#: White border of a page, and the width that it leaves in a double-column figure.
MARGIN_MM = 1.5
CONTENT_MM = DOUBLE_COLUMN_MM - 2 * MARGIN_MM
#: Tallest page in millimetres that leaves room for a caption.
PAGE_MM = 234.0
MM_PER_INCH = 25.4
#: Font sizes in points.
FONT = 6.5
SMALL_FONT = 5.5
LETTER_FONT = 9.0

#: Pixels and points that belong to no area.
UNLABELLED = "#D5D8DC"
#: Pixels of a map of areas that were not extracted.
NOT_EXTRACTED = "#FFFFFF"
#: Where a map holds no value; white is the value 0.
ABSENT = "#D9DDE1"
#: Outlines of the splits, where one slice holds them all.
SPLIT_LINES = {"train": "-", "val": ":", "test": "--"}
#: What a network takes for no tissue.
NOT_TISSUE = "#565C64"
#: Text, axes and everything that carries no meaning by colour; seaborn's.
INK = "#262626"
FAINT = "#8A929C"
#: Chance levels and nulls.
CHANCE = "#8A929C"

#: Clusters and components, unlike the areas' colours: Tol's muted scheme, dark and light in turn.
COMPONENT_COLOURS = (
    "#332288",
    "#DDCC77",
    "#44AA99",
    "#CC6677",
    "#88CCEE",
    "#882255",
    "#117733",
    "#AA4499",
    "#999933",
)
#: Networks that are compared; another network takes the next of their colours.
NETWORK_COLOURS = {
    "cnn": "#1F3A5F",
    "unlabelled": "#3E8E7E",
    "authors": "#8C5A86",
    "untrained": "#8FA3B8",
    "texture": "#C98B4B",
}
NETWORK_TITLES = {
    "cnn": "Trained CNN",
    "unlabelled": "CNN without labels",
    "authors": "Authors' CNN",
    "untrained": "Untrained CNN",
    "texture": "Texture features",
}
CLASSIFIER_TITLES = {
    "cnn": "CNN itself",
    "logistic": "Logistic\nregression",
    "linear_svm": "Linear SVM",
    "rbf_svm": "RBF SVM",
}

#: White to dark blue, for shares and probabilities.
SHARES = LinearSegmentedColormap.from_list(
    "shares", ["#FFFFFF", "#D6E4F0", "#8FB8D8", "#3F7FB5", "#1F4E82", "#12294A"]
)
#: Blue over white to red, for correlations.
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#1F4E82", "#8FB8D8", "#FFFFFF", "#F4A85C", "#A63A2B"]
)
#: White to dark through orange, for coefficients of factors.
COEFFICIENTS = LinearSegmentedColormap.from_list(
    "coefficients", ["#FFFFFF", "#FBE3C0", "#F4A85C", "#CF5F3B", "#842A4A", "#2D1138"]
)

_SETTINGS: dict[Any, Any] = {
    **dict[Any, Any](mpl.rcParamsDefault),
    **seaborn.axes_style("ticks"),
    "backend": "agg",
    # The font that matplotlib ships, so that figures look the same on every machine.
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "axes.titlesize": FONT,
    "axes.labelsize": FONT,
    "xtick.labelsize": SMALL_FONT,
    "ytick.labelsize": SMALL_FONT,
    "legend.fontsize": SMALL_FONT,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.0,
    "grid.color": "#E6E9EC",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.2,
    "ytick.major.size": 2.2,
    "xtick.minor.size": 1.2,
    "ytick.minor.size": 1.2,
    "xtick.major.pad": 1.8,
    "ytick.major.pad": 1.8,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.0,
    "patch.linewidth": 0.5,
    "patch.force_edgecolor": False,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.handletextpad": 0.5,
    "legend.borderaxespad": 0.0,
    "image.interpolation": "nearest",
    "figure.dpi": 100,
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    # Names come from users and may hold dollar signs.
    "text.parse_math": False,
}


def styled(draw: F) -> F:
    """Run a drawing function under the style, whatever the caller's matplotlib settings are."""

    @wraps(draw)
    def inner(*args: Any, **kwargs: Any) -> Any:
        with mpl.rc_context(_SETTINGS):
            return draw(*args, **kwargs)

    return inner  # type: ignore[return-value]  # wraps keeps the signature


def subdivision_palette(count: int) -> list[str]:
    """Return colours for the subdivisions of an area, cycling after the ninth."""
    return [COMPONENT_COLOURS[index % len(COMPONENT_COLOURS)] for index in range(count)]


def complete_colours(given: Mapping[str, str | None]) -> dict[str, str]:
    """Return a colour for every area, none twice.

    Parameters
    ----------
    given : mapping of str to str or None
        The colour chosen for each area. One without, or with a colour that an area before it has,
        takes the first colour of the palette that no area has.
    """
    taken = {colour.upper() for colour in given.values() if colour}
    free = (colour for code in count(1) if (colour := colour_of(code)) not in taken)
    colours: dict[str, str] = {}
    for name, own in given.items():
        repeated = own is not None and own.upper() in {c.upper() for c in colours.values()}
        colours[name] = next(free) if own is None or repeated else own
    return colours


def network_colours(networks: Sequence[str]) -> dict[str, str]:
    """Return a colour for every network name."""
    others = [network for network in networks if network not in NETWORK_COLOURS]
    spare = dict(zip(others, subdivision_palette(len(others)), strict=True))
    return {network: NETWORK_COLOURS.get(network) or spare[network] for network in networks}


def network_title(network: str) -> str:
    """Return the name of a network for people."""
    return NETWORK_TITLES.get(network, network)


def test_patches(slices: Sequence[int]) -> str:
    """Return whose test patches are shown: ``test patches, slice z = 104``."""
    if not slices:
        return "test patches"
    word = "slice" if len(slices) == 1 else "slices"
    return f"test patches, {word} z = {', '.join(map(str, slices))}"


def shorten(text: str, length: int = 11) -> str:
    """Cut a name that is too long for a tick label, with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def shorten_all(texts: Sequence[str], length: int) -> list[str]:
    """Cut names so that names that differ do so still: in their middle where ends are needed."""
    cut = [shorten(text, length) for text in texts]
    ends = (length - 1) // 2
    return [
        short if cut.count(short) == 1 else f"{text[: length - 1 - ends]}…{text[-ends:]}"
        for text, short in zip(texts, cut, strict=True)
    ]


def lighten(colour: str, share: float) -> str:
    """Mix a colour with white; share 0 leaves it, 1 is white."""
    red, green, blue = ((1 - share) * part + share for part in to_rgb(colour))
    return to_hex((red, green, blue))
