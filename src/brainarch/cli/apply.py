"""The verb that takes a trained network to a volume without config, labels and Snakemake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainarch.cli.options import Threads

Network = Annotated[
    Path, typer.Argument(help="networks/main/network.safetensors of a run; novelty.json beside it.")
]
VolumeFile = Annotated[
    Path, typer.Argument(help="OME-Zarr volume; `brainarch convert` makes one of TIFF files.")
]
Slices = Annotated[
    str | None, typer.Option(help="Numbers of slices, e.g. 4,54; all of them by default.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for the maps.")]
Where = Annotated[str, typer.Option(help="Which pixels: tissue (found by threshold) or all.")]
Stride = Annotated[
    int,
    typer.Option(help="Pixels between neighbouring patches: 1, 2, 4, 8 or 16."),
]
Average = Annotated[
    int | None, typer.Option(min=1, help="Width in pixels of the averaged map; as in a config.")
]
Memory = Annotated[float, typer.Option(min=1, help="Memory that may be used, in MB.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


def apply(
    network: Network,
    volume: VolumeFile,
    *,
    output: Output,
    slices: Slices = None,
    where: Where = "tissue",
    stride: Stride = 4,
    average_px: Average = None,
    memory_mb: Memory = 1500,
    threads: Threads = 1,
    device: Device = "auto",
) -> None:
    """Map areas, confidence and novelty of any volume by a trained network; no labels needed."""
    from brainarch.application.stages import apply_network
    from brainarch.cli.parsing import parse_integers
    from brainarch.config.model import EvaluationConfig
    from brainarch.errors import InputError

    if where not in ("tissue", "all"):
        raise InputError(f"--where {where}: must be tissue or all; there are no labels")
    pictures = apply_network(
        network=network,
        volume=volume,
        slices=None if slices is None else parse_integers("--slices", slices),
        output=output,
        where=where,
        stride=stride,
        memory_mb=memory_mb,
        average_px=average_px or EvaluationConfig().average_px,
        threads=threads,
        device=device,
    )
    for picture in pictures:
        typer.echo(str(picture))


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("apply")(apply)
