"""The verb that takes the authors' published weights into a network's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Weights = Annotated[
    Path, typer.Argument(help="State saved by torch (cnn_weights.pt) or safetensors.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Network to write (.safetensors).")]
Areas = Annotated[str, typer.Option(help="Names of the areas in the order of the file's outputs.")]
VoxelUm = Annotated[float, typer.Option(help="Side of the training voxels in micrometer.")]
Dtype = Annotated[str, typer.Option(help="Their grey values: uint8 or uint16.")]


def import_weights(
    weights: Weights,
    *,
    output: Output,
    areas: Areas = "Ctx,HypoTh,Str,VP,WM,ZI",
    voxel_um: VoxelUm = 1.17,
    dtype: Dtype = "uint8",
) -> None:
    """Take the authors' published weights into a network's file; no code of theirs is run."""
    from brainarch.cli.parsing import positive
    from brainarch.errors import InputError
    from brainarch.network.foreign import import_weights as convert

    if dtype not in ("uint8", "uint16"):
        raise InputError(f"--dtype {dtype}: must be uint8 or uint16")
    names = [name.strip() for name in areas.split(",")]
    convert(weights, output, names, positive("--voxel-um", voxel_um), dtype)
    typer.echo(str(output))


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("import-weights")(import_weights)
