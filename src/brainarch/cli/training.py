"""The verb that trains the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume.")],
    train_patches: Annotated[Path, typer.Option(help="Patch table to train on.")],
    val_patches: Annotated[Path, typer.Option(help="Patch table that chooses the epoch.")],
    labels: Annotated[Path, typer.Option(help="Area labels (OME-Zarr).")],
    splits: Annotated[Path, typer.Option(help="Splits label image: which pixels are training's.")],
    legend: Annotated[Path, typer.Option(help="Legend table of the areas.")],
    output: Annotated[Path, typer.Option(help="Folder for the network, curves and summary.")],
    partial: Annotated[Path, typer.Option(help="Folder for unfinished work.")],
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training patches.")] = 50,
    batch_size: Annotated[int, typer.Option(min=2, help="Patches a gradient step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 1e-4,
    dropout: Annotated[float, typer.Option(min=0, max=0.99, help="Share dropped.")] = 0.3,
    flips: Annotated[
        bool, typer.Option("--flips", help="Mirror training patches at random.")
    ] = False,
    permute_labels: Annotated[
        bool,
        typer.Option(
            "--permute-labels", help="Control: shuffle areas among the patches of each split."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, order and dropout.")] = 2020,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    accelerator: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
) -> None:
    """Train the CNN to tell areas apart; keep the epoch of best validation accuracy."""
    from brainarch.allocation import keep_freed_memory
    from brainarch.training.fit import FitOptions
    from brainarch.training.train import TrainingInputs, train_network

    keep_freed_memory()
    inputs = TrainingInputs(
        volume=volume,
        train=train_patches,
        val=val_patches,
        labels=labels,
        splits=splits,
        legend=legend,
        permute_labels=permute_labels,
    )
    options = FitOptions(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        flips=flips,
        seed=seed,
        threads=threads,
        accelerator=accelerator,
    )
    train_network(inputs, options, output, partial)


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("train")(train)
