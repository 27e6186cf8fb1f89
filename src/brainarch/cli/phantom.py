"""The verbs ``phantom`` and ``realism``: a synthetic volume, and how close it is to real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def phantom(
    output: Annotated[Path, typer.Option(help="Folder to write; a phantom there is replaced.")],
    shape: Annotated[
        str, typer.Option(help="Voxels along z, y, x, separated by commas.")
    ] = "208,1088,3296",
    annotated: Annotated[
        str, typer.Option(help="Slices that get area and layer annotations and truth masks.")
    ] = "4,54,104,204",
    voxel_um: Annotated[float, typer.Option(help="Edge of a voxel in micrometres.")] = 1.17,
    seed: Annotated[int, typer.Option(help="Same seed, same volume.")] = 0,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads; the result does not depend on it.")
    ] = 2,
) -> None:
    """Write a synthetic thalamocortical volume with its annotations and truth."""
    from brainarch.cli.parsing import parse_integers, parse_shape
    from brainarch.phantom.compiled import use_threads
    from brainarch.phantom.model import PhantomSpec
    from brainarch.phantom.write import write_phantom

    use_threads(threads)
    spec = PhantomSpec(parse_shape(shape), voxel_um, seed)
    write_phantom(output, spec, parse_integers("--annotated", annotated))


def realism(
    image: Annotated[Path, typer.Option("--slice", help="The real slice, an 8-bit TIFF.")],
    labels: Annotated[
        Path,
        typer.Option(help="Its areas: 1 Ctx, 2 Str, 3 VP, 4 ZI, 5 HypoTh, 6 WM, 0 elsewhere."),
    ],
    phantom_folder: Annotated[
        Path, typer.Option("--phantom", help="Folder that `brainarch phantom` wrote.")
    ],
    z: Annotated[str, typer.Option(help="Annotated slices of the phantom to compare.")],
    output: Annotated[Path, typer.Option(help="Folder for realism.csv, .json, .png and .pdf.")],
    microstructure: Annotated[
        Path | None,
        typer.Option(
            help="Folder of annotated pixel masks (masks_ctx.npz ...); without it the published "
            "slice's counts are used."
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Network trained on the phantom, to try on the real slice.")
    ] = None,
    voxel_um: Annotated[float, typer.Option(help="Edge of the real pixel in um.")] = 1.17,
    seed: Annotated[int, typer.Option(help="For the choice of patches.")] = 0,
) -> None:
    """Measure how close a phantom is to a real slice: statistics, spectra, cells, classifiers."""
    from brainarch.cli.parsing import parse_integers
    from brainarch.phantom import anatomy, comparison, realism_files

    real = realism_files.read_real(image, labels, voxel_um)
    slices = parse_integers("--z", z)
    made, structures = realism_files.read_phantom(phantom_folder, slices)
    if microstructure is None:
        known = {name: comparison.reference_densities(name) for name in anatomy.ANNOTATED_AREAS}
    else:
        known = realism_files.read_annotated_densities(microstructure, voxel_um)
    realism_files.write_realism(real, made, structures, known, checkpoint, slices, seed, output)


def register(app: typer.Typer) -> None:
    """Add this module's verbs to the command line."""
    app.command("phantom")(phantom)
    app.command("realism")(realism)
