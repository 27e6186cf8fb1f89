"""The verbs that sample patches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Labels = Annotated[Path, typer.Option(help="Area labels (OME-Zarr).")]
LegendTable = Annotated[Path, typer.Option(help="Legend table of the areas.")]
Output = Annotated[Path, typer.Option(help="Folder to make, with the patch tables.")]
TrainPatches = Annotated[int, typer.Option(min=1, help="Train patches of each area (V: 2000).")]
EvalPatches = Annotated[
    int, typer.Option(min=1, help="Patches of each area in val and in test (V: 1000).")
]
Share = Annotated[
    float,
    typer.Option(min=0.01, max=1, help="Least share of a train patch inside its area (V: 1)."),
]
AreaShare = Annotated[
    list[str] | None, typer.Option(help="The same for one area, WM=0.75; repeat.")
]
MinGap = Annotated[
    float, typer.Option(min=0, help="Least distance between splits in micrometer (V: 50).")
]
BlockPx = Annotated[int, typer.Option(min=1, help="Side of the bootstrap's blocks in pixels.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed.")]


def sample(
    *,
    labels: Labels,
    legend: LegendTable,
    train: Annotated[list[str], typer.Option(help="Train slices, 4 or 4,12; repeat.")],
    val: Annotated[list[str], typer.Option(help="Validation slices, 54; repeat.")],
    test: Annotated[list[str], typer.Option(help="Test slices, 104; repeat.")],
    output: Output,
    train_patches: TrainPatches = 2000,
    eval_patches: EvalPatches = 1000,
    share: Share = 1.0,
    area_share: AreaShare = None,
    min_gap_um: MinGap = 50.0,
    block_px: BlockPx = 512,
    seed: Seed = 2020,
) -> None:
    """Sample patches; train, val and test are different slices."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.cli.parsing import parse_list, parse_shares
    from brainarch.patches.output import SamplingRules, sample_slices

    splits = {
        "train": parse_list("--train", train),
        "val": parse_list("--val", val),
        "test": parse_list("--test", test),
    }
    rules = SamplingRules(
        train_patches=train_patches,
        eval_patches=eval_patches,
        share=share,
        area_shares=parse_shares("--area-share", area_share or []),
        min_gap_um=min_gap_um,
        block_px=block_px,
        seed=seed,
    )
    sample_slices(open_labels(labels), read_legend(legend), splits, rules, output)


def sample_blocks(
    *,
    labels: Labels,
    legend: LegendTable,
    slice_: Annotated[int, typer.Option("--slice", help="The annotated slice.")],
    output: Output,
    assignment: Annotated[
        int,
        typer.Option(min=0, help="Which assignment of parts to splits; 0 is the best one."),
    ] = 0,
    min_independent: Annotated[
        int,
        typer.Option(min=1, help="Least number of non-overlapping patches an area and split."),
    ] = 3,
    train_patches: TrainPatches = 2000,
    eval_patches: EvalPatches = 1000,
    share: Share = 1.0,
    area_share: AreaShare = None,
    min_gap_um: MinGap = 50.0,
    block_px: BlockPx = 512,
    seed: Seed = 2020,
) -> None:
    """Sample patches; train, val and test are parts of one slice."""
    from brainarch.annotations.legend import read_legend
    from brainarch.annotations.store import open_labels
    from brainarch.cli.parsing import parse_shares
    from brainarch.patches import output as run

    rules = run.SamplingRules(
        train_patches=train_patches,
        eval_patches=eval_patches,
        share=share,
        area_shares=parse_shares("--area-share", area_share or []),
        min_gap_um=min_gap_um,
        block_px=block_px,
        seed=seed,
    )
    difference = run.sample_blocks(
        open_labels(labels),
        read_legend(legend),
        slice_,
        rules,
        output,
        assignment=assignment,
        min_independent=min_independent,
    )
    if assignment:
        typer.echo(
            f"sample-blocks: train and test differ from those of any earlier assignment by a "
            f"Jaccard distance of at least {difference:.2f}"
        )


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("sample")(sample)
    app.command("sample-blocks")(sample_blocks)
