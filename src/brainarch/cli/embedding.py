"""The verb that describes sampled patches by a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainarch.errors import InputError


def embed(
    *,
    network: Annotated[
        str, typer.Option(help="cnn (trained), untrained (the same CNN) or texture (features).")
    ],
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume.")],
    patches: Annotated[Path, typer.Option(help="Patch table to describe.")],
    legend: Annotated[Path, typer.Option(help="Legend table of the areas.")],
    output: Annotated[Path, typer.Option(help="Representations to write (Zarr).")],
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Trained network (safetensors); needed by cnn and untrained."),
    ] = None,
    variances: Annotated[
        str | None,
        typer.Option(
            help="Variances of Gaussian noise on grey values in [0, 1], with commas: writes noisy "
            "representations instead of clean ones."
        ),
    ] = None,
    max_patches_per_area: Annotated[
        int | None,
        typer.Option(min=1, help="Describe at most so many patches an area, drawn at random."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of noise, untrained weights and the draw.")
    ] = 2020,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Describe sampled patches by a network's representation, clean or at levels of noise."""
    import torch

    from brainarch.embedding.embed import embed_patches

    torch.set_num_threads(threads)
    embed_patches(
        network=network,
        checkpoint=checkpoint,
        volume=volume,
        patches=patches,
        legend=legend,
        variances=_numbers("--variances", variances),
        max_patches_per_area=max_patches_per_area,
        seed=seed,
        output=output,
    )


def _numbers(option: str, text: str | None) -> list[float]:
    try:
        return [float(part) for part in text.split(",")] if text is not None else []
    except ValueError:
        raise InputError(f"{option} {text}: wanted numbers with commas between them") from None


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("embed")(embed)
