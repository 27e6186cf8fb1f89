"""Every published number beside ours: what was measured, on what, and what differs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from brainarch.embedding.names import AUTHORS
from brainarch.pipeline.facts import Facts
from brainarch.reporting.numbers import Number
from brainarch.reporting.published import PROFILES, SPLITS, Published

REPRODUCTION_COLUMNS = {
    "quantity": "what is compared",
    "published": "as printed in the source",
    "published_value": "the same as a number, shares between 0 and 1; empty for a statement",
    "source": "V (2019), M (2020): the papers; A: the authors' public code; D: the data paper",
    "basis": "what the published number was measured on, as far as is stated; none has an interval",
    "ours": "the same quantity of this run; empty where there is none",
    "low": "lower end of its 95 % interval (spatial block bootstrap); empty without one",
    "high": "upper end of that interval",
    "difference": "ours minus the published value",
    "inside": "whether the published value lies inside our interval; empty without both",
    "data": "dataset and slices of ours",
    "counted": "pixels, patches and blocks behind ours",
    "differs": "what was done otherwise than published, or why there is no number of ours",
}
#: Patches of each area in the papers' splits (V).
TRAIN_PATCHES, EVAL_PATCHES = 2000, 1000
#: Where the numbers of a kind come from, by the first part of their key.
_WHOLE_SLICE, _COMPONENTS = ("accuracy/map", "pixels"), ("profile", "components", "matches")


def reproduction_table(
    facts: Facts, figures: Sequence[Published], ours: Sequence[Number]
) -> pd.DataFrame:
    """Return every published number beside ours.

    Parameters
    ----------
    facts : Facts
        Of the run's config.
    figures : sequence of Published
    ours : sequence of Number
        Those with a key of a published number are taken.

    Returns
    -------
    pandas.DataFrame
        One row per published number; columns as in `REPRODUCTION_COLUMNS`.
    """
    known = [number for number in ours if number.key and math.isfinite(number.value)]
    found = {number.key: number for number in reversed(known)}  # the first of a key
    rows = [_row(facts, figure, found.get(figure.key)) for figure in figures]
    return pd.DataFrame(rows, columns=list(REPRODUCTION_COLUMNS))


def pixel_numbers(fits: Mapping[int, Mapping[str, float]], test: Sequence[int]) -> list[Number]:
    """Return how many dense pixels of the test slice are factorised (M: about 5.5 million)."""
    return [
        Number("", "", float(fits[z]["rows"]), key="pixels")
        for z in test[:1]
        if "rows" in fits.get(z, {})
    ]


def profile_numbers(profiles: pd.DataFrame | None) -> list[Number]:
    """Return the shares in layers of the components that are most like the published ones.

    Components have no order: ours are given the published numbers one to one, at the least sum of
    differences over the published shares.

    Parameters
    ----------
    profiles : pandas.DataFrame or None
        Columns of `brainarch.discovery.profiles.PROFILE_COLUMNS`.
    """
    layers = list(dict.fromkeys(layer for profile in PROFILES.values() for layer in profile))
    if profiles is None:
        return []
    by_layer = profiles[profiles["by"] == "layer"]
    shares = by_layer.pivot_table(index="subdivision", columns="name", values="share")
    if not set(layers) <= set(shares.columns):
        return []
    costs = [
        (shares[list(profile)] - list(profile.values())).abs().sum(axis=1)
        for profile in PROFILES.values()
    ]
    published, own = linear_sum_assignment(np.array(costs))
    numbers = []
    for place, row in zip(published.tolist(), own.tolist(), strict=True):
        component = list(PROFILES)[place]
        numbers += [
            Number(
                "",
                "",
                float(shares[layer].iloc[row]),
                note=f"component {shares.index[row]} of ours",
                key=f"profile/{component}/{layer}",
            )
            for layer in PROFILES[component]
        ]
    return numbers


def match_numbers(matches: pd.DataFrame | None) -> list[Number]:
    """Return the mean distance of components that were matched between two slices."""
    if matches is None or matches.empty:
        return []
    row = matches.iloc[0]
    note = f"mean Jensen-Shannon distance; random bands: 1 % {row['depth_1']:.2f}"
    return [Number("", "", float(row["mean_distance"]), note=note, key="matches")]


def _row(facts: Facts, figure: Published, ours: Number | None) -> dict[str, object]:
    row = {
        "quantity": figure.quantity,
        "published": figure.value,
        "published_value": figure.number,
        "source": figure.source,
        "basis": figure.basis,
    }
    if ours is None:
        return row | {"differs": _lacking(facts, figure.key)}
    known = math.isfinite(ours.low) and math.isfinite(ours.high) and math.isfinite(figure.number)
    return row | {
        "ours": ours.value,
        "low": ours.low,
        "high": ours.high,
        "difference": ours.value - figure.number,
        "inside": ours.low <= figure.number <= ours.high if known else None,
        "data": _data(facts, figure.key),
        "counted": ours.note,
        "differs": "; ".join(_differences(facts, figure.key)),
    }


def _data(facts: Facts, key: str) -> str:
    slices = facts.split_slices("val" if key.endswith("/val") else "test")
    if key == "matches":
        slices = facts.compared_slices[:2]
    return f"{facts.config.dataset}, z={', '.join(map(str, slices))}"


def _lacking(facts: Facts, key: str) -> str:
    """Return why a run has no number of its own for a published one."""
    kind, _, what = key.partition("/")
    if kind == "raters":
        return "not measured: people"
    if key == "accuracy/authors" and AUTHORS not in facts.networks:
        return "readout.networks does not name authors"
    if kind == "components":
        return "in words: see figure M2"
    if kind == "recall" and what not in {area.name for area in facts.config.areas}:
        return f"no area is called {what}"
    if kind == "block_error" and what not in facts.networks:
        return "no such network is compared"
    needs = {"profile": ("labels", "discovery", "layers"), "matches": ("discovery", "comparison")}
    lacking = [facts.lacks[need] for need in needs.get(kind, ()) if need in facts.lacks]
    if kind == "profile" and not lacking:
        return f"no layer is called {what.partition('/')[2]}, or the test slice has none"
    return "; ".join(lacking) or "not made in this run"


def _differences(facts: Facts, key: str) -> list[str]:
    """Return what a run does otherwise than published, for one number."""
    config, kind = facts.config, key.partition("/")[0]
    found = []
    splits = {split: tuple(facts.split_slices(split)) for split in SPLITS}
    if splits != SPLITS or config.splits.by != "slices":
        found.append("other splits than the papers'")
    if not facts.fetches("areas"):
        found.append("labels of your own")
    if key == "pixels":
        return found + _extracted(facts)
    of_authors = key == "accuracy/authors"
    if of_authors:
        found.append("patches of our sample")
    else:
        found.append("windows of 134 px without padding (A: 128 px, padded)")
    if config.training.preset != "papers" and not of_authors:
        found.append(f"preset {config.training.preset}: crops, grey values changed")
    elif config.sampling.train_patches != TRAIN_PATCHES:
        found.append(f"{config.sampling.train_patches:,} train patches an area (V: about 2,000)")
    if key in _WHOLE_SLICE or kind in _COMPONENTS:
        found += _extracted(facts)
    elif config.sampling.eval_patches != EVAL_PATCHES:
        found.append(f"at most {config.sampling.eval_patches:,} patches an area (V: 1,000)")
    found += _OWN.get(kind, [])
    if kind == "profile":
        found.append("layers of your own")
    return found


#: What differs in the measure itself, by the first part of the key.
_OWN = {
    "above_head": ["paired, on the same patches"],
    "v_measure": ["as many components as areas, full covariance, best of several starts"],
    "profile": ["numbered so that they fit the published shares best"],
    "matches": ["matched one to one (A: the nearest)"],
}


def _extracted(facts: Facts) -> list[str]:
    extraction = facts.config.extraction
    found = []
    if extraction.stride != 1:
        found.append(f"stride {extraction.stride}")
    if extraction.rows is not None:
        found.append(f"rows {extraction.rows[0]} to {extraction.rows[1] - 1} only")
    if extraction.where != "labelled":
        found.append(f"pixels: {extraction.where}")
    return found
