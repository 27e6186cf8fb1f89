"""The stage that sums a run up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainarch.atomic import write_text
from brainarch.config.read import check_config
from brainarch.records import write_record
from brainarch.reporting.manifest import Manifest
from brainarch.reporting.page import render_page
from brainarch.reporting.pictures import embed_pictures
from brainarch.reporting.reproduction import REPRODUCTION_COLUMNS
from brainarch.reporting.runtime import read_benchmarks, read_verified
from brainarch.reporting.summary import collect, machine_readable
from brainarch.tables import write_table

#: Bytes that all embedded pictures may take; the page stays below 3 MB.
PICTURE_BUDGET = 2_800_000


def write_report(
    *,
    files: Mapping[str, Path],
    page: Path,
    numbers: Path,
    benchmarks: Path,
    config: Mapping[str, Any],
    verified: Path | None = None,
    reproduction: Path | None = None,
) -> None:
    """Sum a run up on one page: verdicts, numbers, figures, versions, cost.

    Parameters
    ----------
    files : mapping of str to Path
        Results by kind; see `brainarch.reporting.manifest.KINDS`.
    page, numbers : Path
        The page (HTML) and the same for machines (JSON), to write.
    benchmarks : Path
        Folder of Snakemake's benchmark files (``*.tsv``, one per job), for the costs.
    config : mapping
        The whole config of the run.
    verified : Path, optional
        What `brainarch verify` left (JSON), if it was ever run.
    reproduction : Path, optional
        Table of every published number beside ours, to write; only where the data are the papers'.

    Raises
    ------
    InputError
        If a file or the config is wrong.
    """
    summary = collect(check_config(config, "config"), Manifest(files))
    if reproduction is not None:
        write_table(summary["reproduction"], reproduction, REPRODUCTION_COLUMNS)
    summary["costs"] = read_benchmarks(benchmarks)
    summary["pictures"] = embed_pictures(summary.pop("figures"), PICTURE_BUDGET)
    write_record(numbers, machine_readable(summary))
    summary["verified"] = read_verified(verified)
    write_text(page, render_page(summary))
