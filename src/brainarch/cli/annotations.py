"""The verb that imports annotated slices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def import_annotations(
    *,
    volume: Annotated[Path, typer.Option(help="OME-Zarr volume that the slices belong to.")],
    slice_: Annotated[
        list[str],
        typer.Option(
            "--slice",
            help="Slice number and its label image (TIFF, PNG, NRRD), 4=area_z4.tif; repeat. A "
            "label volume (NRRD, OME-Zarr, multi-page TIFF) is named once a slice; see "
            "--labels-first-slice.",
        ),
    ],
    area: Annotated[
        list[str],
        typer.Option(
            help="Area and its codes in the images, Ctx=1 or WM=6,8; repeat. The order gives the "
            "areas' own codes 1, 2 ..."
        ),
    ],
    output_labels: Annotated[Path, typer.Option(help="OME-Zarr label image to make.")],
    output_legend: Annotated[Path, typer.Option(help="Legend table to make.")],
    output_table: Annotated[Path, typer.Option(help="Area table to make.")],
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="Codes left out, 0,7; repeat. By default 0."),
    ] = None,
    title: Annotated[
        list[str] | None, typer.Option(help="Name of an area in figures, Ctx=Cortex; repeat.")
    ] = None,
    colour: Annotated[
        list[str] | None, typer.Option(help="Colour of an area in figures, Ctx=#0072B2; repeat.")
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(help="Least share of a patch inside an area, WM=0.75; repeat. By default 1."),
    ] = None,
    labels_first_slice: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number of the first slice of the label volumes; without it every file holds one "
            "slice.",
        ),
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="The label files hold columns x rows.")
    ] = False,
) -> None:
    """Import label images of some slices (brain areas, or layers)."""
    from brainarch.annotations import importing
    from brainarch.annotations.legend import make_legend
    from brainarch.cli.parsing import (
        parse_integer,
        parse_integers,
        parse_list,
        parse_pairs,
        parse_shares,
    )
    from brainarch.volume.store import open_volume

    codes = {
        name: parse_integers(f"--area {name}", text)
        for name, text in parse_pairs("--area", area).items()
    }
    images: dict[int, Path] = {}
    for text, path in parse_pairs("--slice", slice_).items():
        images[parse_integer("--slice", text)] = Path(path)
    legend = make_legend(
        list(codes), parse_pairs("--title", title or []), parse_pairs("--colour", colour or [])
    )
    importing.import_annotations(
        open_volume(volume),
        images,
        legend,
        codes=codes,
        ignored=parse_list("--ignore", ignore or ["0"]),
        shares=parse_shares("--share", share or []),
        outputs=importing.ImportOutputs(output_labels, output_legend, output_table),
        layout=importing.LabelLayout(labels_first_slice, transpose),
    )


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("import-annotations")(import_annotations)
