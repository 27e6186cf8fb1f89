"""Lesions: discs that fit, AUROCs counted by hand, planted ones found and missing ones not."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest

from brainarch.annotations.legend import make_legend, write_legend
from brainarch.dense.sparse import STRIDE
from brainarch.errors import InputError
from brainarch.evaluation import lesions
from brainarch.evaluation.lesions import KINDS, LESION_COLUMNS, compare_discs, find_room
from brainarch.evaluation.novelty import Usual, write_usual
from brainarch.geometry import PATCH, WINDOW_BEFORE
from brainarch.network.architecture import AreaNetwork
from brainarch.network.grey import Normalisation
from brainarch.network.trained import TrainedNetwork, save_network
from brainarch.phantom.anatomy import ANNOTATED_AREAS, AREA_CODES
from brainarch.tables import read_table

RADIUS = 64.0
SHAPE = (1700, 1700)


def square(side: int) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[50 : 50 + side, 90 : 90 + side] = True
    return mask


def test_discs_lie_beside_each_other_inside_and_the_two_far_apart() -> None:
    room = find_room(square(1000), RADIUS, np.random.default_rng(0))
    assert len(room.places) > 30
    for one, other in product(room.places, repeat=2):
        assert (one == other).all() or np.abs(one - other).max() >= PATCH
    low, high = room.places.min(axis=0) - RADIUS, room.places.max(axis=0) + RADIUS
    assert (low >= [50, 90]).all()
    assert (high <= [1050, 1090]).all()
    one, other = room.places[room.chosen]
    assert np.abs(one - other).max() >= 2 * RADIUS + WINDOW_BEFORE
    # a patch beside the edge is half outside, and one in a corner three quarters
    assert room.left_out == (square(1000)[::STRIDE, ::STRIDE] & ~room.ranked).sum() > 0
    assert not room.ranked[96 // STRIDE, :].any()


@pytest.mark.parametrize(("side", "places"), [(120, 0), (200, 1)])
def test_a_small_area_has_no_room(side: int, places: int) -> None:
    room = find_room(square(side), RADIUS, np.random.default_rng(0))
    assert len(room.places) <= places
    assert not room.chosen


def test_an_auroc_is_the_share_of_pairs() -> None:
    rng = np.random.default_rng(1)
    room = find_room(square(1000), RADIUS, rng)
    scores, place = rng.random((2, *room.ranked.shape)), room.places[0]
    auroc, patches, others = lesions.disc_auroc(*scores, room.ranked, place, RADIUS)
    own, rest = [], []
    for i, j in np.argwhere(room.ranked):
        dy, dx = STRIDE * i - place[0], STRIDE * j - place[1]
        if np.hypot(dy, dx) < RADIUS:
            own.append(scores[0, i, j])
        if max(abs(dy), abs(dx)) >= RADIUS + WINDOW_BEFORE:
            rest.append(scores[1, i, j])
    assert (patches, others) == (len(own), len(rest))
    assert auroc == pytest.approx(np.mean([a > b for a, b in product(own, rest)]))


@cache
def wide_room() -> lesions.Room:
    return find_room(square(1500), RADIUS, np.random.default_rng(2))


def compared(raised: float, areas: int = 1) -> dict[tuple[str, str], dict]:
    """Return the rows of areas of noise, the first kind of lesion raised by so much."""
    rng = np.random.default_rng(2)
    names = [f"area{i}" for i in range(areas)]
    rooms = [wide_room()] * areas
    healthy = rng.normal(size=(areas, *rooms[0].ranked.shape))
    ill = healthy.copy()
    for own, room in zip(ill, rooms, strict=True):
        inside = lesions.in_disc(own.shape, room.places[room.chosen[0]], RADIUS)
        own[inside] += raised
    table = compare_discs(names, rooms, healthy, ill, RADIUS, 200, 3)
    return {(row["planted"], row["where"]): row for row in table.to_dict("records")}


def test_a_planted_lesion_is_found_and_none_where_there_is_none() -> None:
    rows = compared(raised=3)
    found, none = (rows[kind, "area0"] for kind in KINDS)
    assert found["auroc"] > 0.95
    assert found["before"] < 0.65
    assert found["above_null"]
    assert found["p"] == pytest.approx(1 / (1 + found["effective"]))
    assert found["effective"] >= 99
    assert none["auroc"] == none["before"]
    assert not none["above_null"]
    assert none["p"] > 0.01
    whole = rows[KINDS[0], lesions.EVERYWHERE]
    assert whole["auroc"] == found["auroc"]


def test_all_areas_are_beside_means_over_areas() -> None:
    rows = compared(raised=0.5, areas=3)
    whole = rows[KINDS[0], lesions.EVERYWHERE]
    own = [rows[KINDS[0], f"area{i}"] for i in range(3)]
    assert whole["auroc"] == pytest.approx(np.mean([row["auroc"] for row in own]))
    assert whole["null_99"] < min(row["null_99"] for row in own)  # means vary less
    assert whole["above_null"]


def test_few_discs_decide_nothing() -> None:
    rng = np.random.default_rng(4)
    room = find_room(square(700), RADIUS, rng)
    healthy = rng.normal(size=(1, *room.ranked.shape))
    ill = healthy + 9
    row = compare_discs(["a"], [room], healthy, ill, RADIUS, 200, 5).iloc[-1]
    assert row["auroc"] == 1
    assert np.isnan(row["above_null"])
    assert row["note"] == f"only {len(room.places)} discs differ"


def inputs(root) -> dict:
    trained = TrainedNetwork(
        AreaNetwork(6).eval(), ANNOTATED_AREAS, Normalisation(0.4, 0.2), 1.17, "uint8", {}
    )
    save_network(trained, root / "n.safetensors")
    write_legend(make_legend(ANNOTATED_AREAS), root / "legend.csv")
    usual = Usual(np.random.default_rng(0).random((6, 64)), np.eye(64), 0.99, 1.0, trained.digest)
    write_usual(usual, root / "novelty.json")
    return {
        "network": root / "n.safetensors", "novelty": root / "novelty.json",
        "legend": root / "legend.csv", "lesions": root / "lesions.csv",
        "shape": (1, 420, 1500), "voxel_um": 2.0, "z": 30, "nulls": 100, "seed": 4,
        "codes": {name: [AREA_CODES[name]] for name in ANNOTATED_AREAS},
    }  # fmt: skip


def test_the_table_has_every_kind_area_and_score(tmp_path) -> None:
    lesions.find_lesions(**inputs(tmp_path))
    table = read_table(tmp_path / "lesions.csv")
    assert list(table.columns) == list(LESION_COLUMNS)
    assert len(table) == 2 * 2 * (1 + len(ANNOTATED_AREAS))
    assert set(table.loc[table["decides"], "score"]) == {lesions.LIKELIHOOD}
    looked = table[table["auroc"].notna() & (table["where"] != lesions.EVERYWHERE)]
    assert len(looked) >= 4  # two kinds and two scores in the cortex at least
    assert looked["auroc"].between(0, 1).all()
    assert (looked["auroc"] != looked["before"]).any()
    assert table.loc[table["auroc"].isna(), "note"].str.startswith("no room").all()


def test_what_is_usual_to_another_network_is_refused(tmp_path) -> None:
    given = inputs(tmp_path)
    write_usual(Usual(np.zeros((6, 64)), np.eye(64), 0.99, 1.0, "other"), given["novelty"])
    with pytest.raises(InputError, match=r"novelty\.json: not of all areas of"):
        lesions.find_lesions(**given)
