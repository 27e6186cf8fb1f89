"""The verb that evaluates the network on sampled patches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Option(help="Trained network (safetensors).")],
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume.")],
    patches: Annotated[Path, typer.Option(help="Patch table to evaluate on.")],
    legend: Annotated[Path, typer.Option(help="Legend table of the areas.")],
    output_prefix: Annotated[
        Path,
        typer.Option(
            help="Tables go to <prefix>_predictions.csv, <prefix>_metrics.csv and "
            "<prefix>_confusion.csv."
        ),
    ],
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="Metrics once more without this area (or several, with commas): its patches are "
            "dropped and the network chooses among the other areas. Repeatable."
        ),
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=100, help="Resamples of an interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 2020,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Apply the trained network to sampled patches: accuracy, confusion, precision, recall, F1."""
    import torch

    from brainarch.evaluation.evaluate import evaluate_patches

    torch.set_num_threads(threads)
    evaluate_patches(
        checkpoint=checkpoint,
        volume=volume,
        patches=patches,
        legend=legend,
        without=without or [],
        n_resamples=bootstrap,
        seed=seed,
        output_prefix=output_prefix,
    )


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("evaluate")(evaluate)
