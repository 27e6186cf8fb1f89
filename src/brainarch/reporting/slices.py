"""The index of a run's slices: what each has, and why others have not."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pandas as pd

from brainarch.pipeline.facts import Facts
from brainarch.pipeline.results import Results, slice_name

INDEX_COLUMNS = {
    "slice": "number of the slice",
    "network": "what represents it: cnn is the one that is analysed",
    "cube": "the representation at every pixel: a file, or empty if it is not there",
    "proof": "what windows recomputed one by one found",
    "areas": "map of the areas",
    "coefficients": "maps of the factors",
    "lacks": "what is not there yet, of the columns before",
    "why": "the last error that a stage of this slice wrote into its log",
}
#: Stages of one slice, in the order in which it goes through them.
STAGES = ("extract", "prove", "predict", "project")
#: How a stage says what was wrong.
SAID = re.compile(r"^brainarch: error: (.+)$", flags=re.MULTILINE)


def index_slices(facts: Facts, results: Results) -> pd.DataFrame:
    """Return one row a network and slice of the extraction; columns as `INDEX_COLUMNS`."""
    rows = []
    for network, z in product(facts.extracted, facts.config.extraction.slices):
        files = {
            "cube": results.cube(z, network),
            "proof": results.proof(z, network),
            "areas": results.prediction(z, "areas.zarr", network),
            "coefficients": results.coefficients(z, network),
        }
        if network not in facts.mapped.values():
            del files["areas"]  # it names none
        there = {name: path if Path(path).exists() else "" for name, path in files.items()}
        lacks = [name for name, path in there.items() if not path]
        why = _last_error(results, z, network) if lacks else ""
        lacking = {"areas": "", **there, "lacks": " ".join(lacks), "why": why}
        rows.append({"slice": z, "network": network, **lacking})
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS))


def tell_unfinished(index: pd.DataFrame) -> str:
    """Return which slices lack something, a line for each reason, or that none does."""
    open_ones = index[index["lacks"] != ""]
    done = f"{len(index) - len(open_ones)} of {len(index)} are complete"
    lines = [
        f"{network}, slice {', '.join(map(str, rows['slice']))}: no "
        + str(lacks).replace(" ", ", ")
        + (f" ({why})" if why else "")
        for (network, lacks, why), rows in open_ones.groupby(
            ["network", "lacks", "why"], sort=False
        )
    ]
    return "\n".join([done, *lines])


def _last_error(results: Results, z: int, network: str) -> str:
    """Return what the last failed stage of a slice said; nothing if none did."""
    names = [f"{stage}-z{slice_name(z)}-{network}.log" for stage in STAGES]
    logs = [Path(results.folder) / "logs" / name for name in names]
    found = [
        SAID.findall(log.read_text(encoding="utf-8", errors="replace"))
        for log in logs
        if log.exists()
    ]
    return next((said[-1] for said in found if said), "")
