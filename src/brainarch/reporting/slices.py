"""The index of a run's slices: what each has, and why the others have not."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from brainarch.pipeline.facts import Facts
from brainarch.pipeline.results import Results, slice_name

INDEX_COLUMNS = {
    "slice": "number of the slice",
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
    """Return one row a slice of ``extraction.slices``; columns as `INDEX_COLUMNS`."""
    rows = []
    for z in facts.config.extraction.slices:
        files = {
            "cube": results.cube(z),
            "proof": results.proof(z),
            "areas": results.prediction(z, "areas.zarr"),
            "coefficients": results.coefficients(z),
        }
        there = {name: path if Path(path).exists() else "" for name, path in files.items()}
        lacks = [name for name, path in there.items() if not path]
        why = _last_error(results, z) if lacks else ""
        rows.append({"slice": z, **there, "lacks": " ".join(lacks), "why": why})
    return pd.DataFrame(rows, columns=list(INDEX_COLUMNS))


def tell_unfinished(index: pd.DataFrame) -> str:
    """Return which slices lack something, a line for each reason, or that none does."""
    open_ones = index[index["lacks"] != ""]
    done = f"{len(index) - len(open_ones)} of {len(index)} slices have everything"
    lines = [
        f"slice {', '.join(map(str, rows['slice']))}: no {str(lacks).replace(' ', ', ')}"
        + (f" ({why})" if why else "")
        for (lacks, why), rows in open_ones.groupby(["lacks", "why"], sort=False)
    ]
    return "\n".join([done, *lines])


def _last_error(results: Results, z: int) -> str:
    """Return what the last failed stage of a slice said; nothing if none did."""
    logs = [Path(f"{results.folder}/logs/{stage}-z{slice_name(z)}.log") for stage in STAGES]
    found = [
        SAID.findall(log.read_text(encoding="utf-8", errors="replace"))
        for log in logs
        if log.exists()
    ]
    return next((said[-1] for said in found if said), "")
