from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

from brainarch.figures import style
from brainarch.palette import COLOURS, colour_of, rgba_of

# Viénot, Brettel & Mollon (1999), deuteranopia: another method than the one in the package.
RGB_TO_LMS = np.array(
    [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
)
DEUTERANOPE = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])


def as_deuteranope(colours):
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = rgb**2.2
    seen = np.linalg.solve(RGB_TO_LMS, DEUTERANOPE @ (RGB_TO_LMS @ linear.T)).T
    return seen.clip(0, 1) ** (1 / 2.2)


def least_distance(rgb):
    lab = rgb2lab(np.asarray(rgb)[None])[0]
    pairs = itertools.combinations(range(len(lab)), 2)
    return min(float(deltaE_ciede2000(lab[i], lab[j])) for i, j in pairs)


@pytest.mark.parametrize("count", [6, 7, 8])
def test_area_colours_stay_apart_for_deuteranopes(count):
    colours = COLOURS[:count]
    assert least_distance([to_rgb(colour) for colour in colours]) > 18
    assert least_distance(as_deuteranope(colours)) > 10


def test_red_and_green_of_the_same_lightness_would_not_pass():
    assert least_distance(as_deuteranope(["#B05A00", "#7A7A00"])) < 8


def test_every_code_has_a_colour_of_its_own():
    colours = [colour_of(code) for code in range(1, 256)]
    assert len(set(colours)) == 255
    assert tuple(colours[: len(COLOURS)]) == COLOURS
    assert style.UNLABELLED not in colours
    assert rgba_of(1) == [0, 114, 178, 255]


def test_twelve_areas_are_told_apart_by_normal_sight():
    assert least_distance([to_rgb(colour) for colour in COLOURS[:12]]) > 15


def test_given_colours_win_and_gaps_take_free_ones():
    colours = style.complete_colours({"A": None, "B": "#123456", "C": None})
    assert colours == {"A": COLOURS[0], "B": "#123456", "C": COLOURS[1]}


def test_no_two_areas_share_a_colour():
    colours = style.complete_colours({"A": None, "B": "#0072b2", "C": "#0072B2", "D": COLOURS[1]})
    assert colours == {"A": COLOURS[2], "B": "#0072b2", "C": COLOURS[3], "D": COLOURS[1]}


def test_components_differ_from_each_other_and_cycle():
    palette = style.subdivision_palette(9)
    assert least_distance([to_rgb(colour) for colour in palette]) > 10
    assert style.subdivision_palette(11)[9:] == palette[:2]


def test_unknown_networks_get_colours_of_their_own():
    colours = style.network_colours(["cnn", "resnet18", "mine"])
    assert colours["cnn"] == style.NETWORK_COLOURS["cnn"]
    assert len(set(colours.values())) == 3


def test_the_style_neither_takes_nor_leaves_settings():
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 40, "axes.linewidth": 9}):
        seen = style.styled(lambda: (mpl.rcParams["font.size"], mpl.rcParams["axes.linewidth"]))()
    assert seen == (style.FONT, 0.5)
    assert dict(mpl.rcParams) == before
