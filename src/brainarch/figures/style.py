"""The one style of all figures: sizes, fonts, colours.

Sizes are in millimetres, for a page that prints them one to one. All choices here are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.typing import ColorType
from numpy.typing import NDArray

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
#: Where a map holds no value.
ABSENT = "#F2F3F4"
#: Text, axes and everything that carries no meaning by colour.
INK = "#20242A"
FAINT = "#8A929C"
#: Chance levels and nulls.
CHANCE = "#8A929C"

#: First colours of areas: Okabe and Ito's, which hold up under colour blindness.
AREA_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")
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
#: Networks that are compared; another network takes the next component colour.
NETWORK_COLOURS = {"cnn": "#1F3A5F", "untrained": "#8FA3B8", "texture": "#C98B4B"}
NETWORK_TITLES = {
    "cnn": "Trained CNN",
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
#: White to dark through orange, for coefficients of factors.
COEFFICIENTS = LinearSegmentedColormap.from_list(
    "coefficients", ["#FFFFFF", "#FBE3C0", "#F4A85C", "#CF5F3B", "#842A4A", "#2D1138"]
)

_SETTINGS: dict[str, Any] = {
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
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlepad": 3.0,
    "axes.labelpad": 2.0,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
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
    "axes.unicode_minus": True,
}

# Machado, Oliveira & Fernandes (2009), full severity, on linear RGB.
_DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
_PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)


def styled(draw: F) -> F:
    """Run a drawing function under the style, whatever the caller's matplotlib settings are."""
    settings: dict[Any, Any] = {**mpl.rcParamsDefault, "backend": "agg", **_SETTINGS}

    @wraps(draw)
    def inner(*args: Any, **kwargs: Any) -> Any:
        with mpl.rc_context(settings):
            return draw(*args, **kwargs)

    return inner  # type: ignore[return-value]  # wraps keeps the signature


def area_palette(count: int) -> list[str]:
    """Return distinct colours for any number of areas.

    The first are `AREA_COLOURS`. Every further one is the candidate that lies farthest, by CIE94,
    from those before it and from the grey of unlabelled pixels, for normal sight and for
    deuteranopia and protanopia alike; so a longer palette begins with the shorter one.

    Parameters
    ----------
    count : int
        Number of areas.

    Returns
    -------
    list of str
        Hexadecimal colours.
    """
    if count <= len(AREA_COLOURS):
        return list(AREA_COLOURS[:count])
    return list(AREA_COLOURS) + list(_further_colours(count - len(AREA_COLOURS)))


def component_palette(count: int) -> list[str]:
    """Return colours for clusters or components, cycling after the ninth."""
    return [COMPONENT_COLOURS[index % len(COMPONENT_COLOURS)] for index in range(count)]


def complete_colours(names: Sequence[str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Return a colour for every area name, none twice.

    Parameters
    ----------
    names : sequence of str
        Area names, in legend order.
    given : mapping of str to str or None
        Colours from the legend. An area without one, or with one that an area before it has, takes
        the first colour of the palette that no area has.
    """
    colours: dict[str, str] = {}
    taken = {colour.upper() for colour in given.values() if colour}
    free = [colour for colour in area_palette(2 * len(names)) if colour.upper() not in taken]
    for name in names:
        own = given.get(name)
        repeated = own is not None and own.upper() in {c.upper() for c in colours.values()}
        colours[name] = free.pop(0) if own is None or repeated else own
    return colours


def network_colours(networks: Sequence[str]) -> dict[str, str]:
    """Return a colour for every network name."""
    others = [network for network in networks if network not in NETWORK_COLOURS]
    spare = dict(zip(others, component_palette(len(others)), strict=True))
    return {network: NETWORK_COLOURS.get(network) or spare[network] for network in networks}


def network_title(network: str) -> str:
    """Return the name of a network for people."""
    return NETWORK_TITLES.get(network, network)


def shorten(text: str, length: int = 11) -> str:
    """Cut a name that is too long for a tick label, with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def ink_on(colour: ColorType) -> str:
    """Return black or white, whichever is readable on a colour."""
    luminance = _linear(np.asarray(to_rgb(colour), dtype=np.float64)) @ np.array(
        [0.2126, 0.7152, 0.0722]
    )
    return INK if luminance > 0.3 else "#FFFFFF"


def lighten(colour: str, share: float) -> str:
    """Mix a colour with white; share 0 leaves it, 1 is white."""
    red, green, blue = ((1 - share) * part + share for part in to_rgb(colour))
    return to_hex((red, green, blue))


def cielab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert sRGB values in [0, 1], shape (n, 3), to CIELAB (D65)."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = _linear(rgb) @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack(
        [
            116 * root[:, 1] - 16,
            500 * (root[:, 0] - root[:, 1]),
            200 * (root[:, 1] - root[:, 2]),
        ],
        axis=1,
    )


def as_seen(rgb: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Simulate colour blindness: a matrix on linear RGB, values in [0, 1], shape (n, 3)."""
    seen = np.clip(_linear(rgb) @ matrix.T, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


def _linear(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


@cache
def _further_colours(count: int) -> tuple[str, ...]:
    steps = np.linspace(0, 1, 14)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = cielab(lattice)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    # Neither pale, nor black, nor grey: those are background, ink and unlabelled.
    lattice = lattice[(lab[:, 0] > 28) & (lab[:, 0] < 82) & (chroma > 22) & (chroma < 80)]
    taken = np.array([to_rgb(colour) for colour in (*AREA_COLOURS, UNLABELLED, INK)])
    everything = np.concatenate([taken, lattice])
    sights = [
        cielab(as_seen(everything, matrix)) for matrix in (np.eye(3), _DEUTERANOPIA, _PROTANOPIA)
    ]
    distance = np.full(len(everything), np.inf)
    chosen = list(range(len(taken)))
    for index in range(len(taken) + count):
        if index >= len(chosen):
            chosen.append(int(distance.argmax()))
        for sight in sights:
            np.minimum(distance, _differences(sight, sight[chosen[index]]), out=distance)
    return tuple(to_hex(everything[index]) for index in chosen[len(taken) :])


def _differences(lab: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the CIE94 differences (graphic arts) of CIELAB colours, shape (n, 3), from one."""
    lightness, a, b = (lab - one).T
    chroma, own = np.hypot(lab[:, 1], lab[:, 2]), float(np.hypot(one[1], one[2]))
    step = chroma - own
    hue = np.maximum(a**2 + b**2 - step**2, 0)
    mean = np.sqrt(chroma * own)
    difference: NDArray[np.float64] = np.sqrt(
        lightness**2 + (step / (1 + 0.045 * mean)) ** 2 + hue / (1 + 0.015 * mean) ** 2
    )
    return difference
