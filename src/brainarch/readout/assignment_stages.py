"""The stage that compares networks over all assignments of one slice's parts to splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from brainarch.embedding.names import CNN, learns_by_itself
from brainarch.embedding.stages import represent_patches
from brainarch.evaluation.errors import read_blocks
from brainarch.progress import progress
from brainarch.readout.assignments import (
    ASSIGNMENT_COLUMNS,
    OVER_ASSIGNMENTS_COLUMNS,
    assignment_tables,
)
from brainarch.readout.stages import head_predictions
from brainarch.readout.threads import limit_threads
from brainarch.statistics.blocks import BlockSide
from brainarch.tables import write_table


def compare_assignments(
    *,
    networks: Mapping[str, Path],
    volume: Path,
    legend: Path,
    train: Mapping[str, Path],
    test: Mapping[str, Path],
    heads: Mapping[str, Path],
    predictions: Path,
    accuracies: Path,
    differences: Path,
    names: Sequence[str],
    resamples: int,
    block_px: BlockSide,
    seed: int,
    threads: int = 1,
) -> None:
    """Fit classifiers in every assignment; write their accuracies and differences over all.

    Parameters
    ----------
    networks : mapping of str to Path
        The trained network of each assignment, and by their names those that have a file of their
        own whatever the assignment.
    volume, legend : Path
    train, test : mapping of str to Path
        Patch tables by assignment.
    heads : mapping of str to Path
        By assignment, what its network predicts of the test patches.
    predictions : Path
        Those predictions whose errors decide on blocks.
    accuracies, differences : Path
        Tables to write.
    names : sequence of str
        Networks that are compared; the trained one is among them.
    resamples, block_px, seed
        Of the block bootstrap; the seed also of an untrained network's weights.
    threads : int
        CPU threads at most.

    Raises
    ------
    InputError
        If a file is missing or wrong, or they do not belong together.
    """
    torch.set_num_threads(threads)
    jobs = [(split, run, name) for split in ("train", "test") for run in test for name in names]
    tables = {"train": train, "test": test}
    found = {
        (split, run, name): represent_patches(
            networks[name if learns_by_itself(name) else run],
            volume,
            legend,
            tables[split][run],
            name=name,
            seed=seed,
        )
        for split, run, name in progress(jobs, "representing patches", unit="table")
    }
    fitted_on, scored = (
        {run: {name: found[split, run, name] for name in names} for run in test}
        for split in ("train", "test")
    )
    said = {run: head_predictions(path, scored[run][CNN]) for run, path in heads.items()}
    with limit_threads(threads):
        accuracy, difference = assignment_tables(
            fitted_on,
            scored,
            said,
            block_px=read_blocks(block_px, predictions).side,
            resamples=resamples,
            seed=seed,
        )
    write_table(accuracy, accuracies, ASSIGNMENT_COLUMNS)
    write_table(difference, differences, OVER_ASSIGNMENTS_COLUMNS)
