"""Several networks beside each other: further seeds, and others that were extracted as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from brainarch.embedding.names import is_repeat
from brainarch.microstructure.networks import STABLE
from brainarch.pipeline.facts import MAIN
from brainarch.reporting.manifest import Manifest
from brainarch.reporting.numbers import Number
from brainarch.reporting.verdicts import overall
from brainarch.statistics.depth_nulls import DECIDING

#: The table that they stand in.
GROUP = "Networks of whole slices beside each other"


def seed_numbers(test: Mapping[str, pd.DataFrame]) -> list[Number]:
    """Return mean and spread of the test accuracy over seeds; nothing of one seed.

    Parameters
    ----------
    test : mapping of str to pandas.DataFrame
        By run: metrics of the test patches.
    """
    rows = [overall(frame, "accuracy") for run, frame in test.items() if _is_seed(run)]
    found = np.array([row["value"] for row in rows if row is not None], dtype=np.float64)
    if len(found) < 2:
        return []
    name = f"accuracy, test patches, mean of {len(found)} seeds"
    note = f"standard deviation {found.std(ddof=1):.3f}, {found.min():.3f} to {found.max():.3f}"
    return [Number("Sampled patches", name, float(found.mean()), note=note, digits=3)]


def network_numbers(files: Manifest) -> list[Number]:
    """Return what the dense representations of several networks are worth, one after another."""
    return sorted(_found(files), key=lambda number: number.name.partition(": ")[2])


def _found(files: Manifest) -> Iterator[Number]:
    for (network, z), fit in files.records("network_fit").items():
        yield Number(
            GROUP,
            f"{network}: relative error of its factors, slice z={z}",
            float(fit["relative_error"]),
            note=f"{int(fit['factors'])} factors, {int(fit['rows']):,} pixels",
        )
    for (network,), chosen in files.tables("network_chosen").items():
        for of, rows in chosen.groupby(chosen["target"] + "s, slice z=" + chosen["slice"].map(str)):
            yield Number(
                GROUP,
                f"{network}: mean AUROC of the factors chosen for {of}",
                float(rows["auroc"].mean()),
                note=f"{int(rows['above_null'].sum())} of {len(rows)} above their nulls",
            )
    for (network, kind, z), table in files.tables("network_agreement").items():
        rows = table[table["statistic"] == DECIDING]
        above = "above" if bool(rows["above_nulls"].all()) else "not above"
        yield Number(
            GROUP,
            f"{network}: {kind} against layers, adjusted mutual information, slice z={z}",
            float(rows["value"].iloc[0]),
            note=f"{above} its nulls",
        )
    for table in files.tables("network_matches").values():
        yield from _matched(table)
    for (network, z), metrics in files.tables("network_map").items():
        row = overall(metrics, "accuracy")
        if row is not None:
            value, low, high = (float(row[key]) for key in ("value", "low", "high"))
            name = f"{network}: accuracy of its area map, slice z={z}"
            yield Number(GROUP, name, value, low, high)


def _matched(table: pd.DataFrame) -> Iterator[Number]:
    """Return how much of what the main network led to was found again by each other one."""
    for (network, kind), rows in table.groupby(["network", "kind"], sort=False):
        lost = " ".join(rows["name"][~rows["stable"]].astype(str))
        measure = "correlation" if kind == "factor" else "shared pixels"
        yield Number(
            GROUP,
            f"{network}: {kind}s of the trained network found again, {measure} at least {STABLE}",
            float(rows["stable"].mean()),
            note=f"{int(rows['stable'].sum())} of {len(rows)}, median "
            f"{rows['agreement'].median():.2f}" + (f"; not stable: {lost}" if lost else ""),
        )


def _is_seed(run: str) -> bool:
    return run == MAIN or is_repeat(run)
