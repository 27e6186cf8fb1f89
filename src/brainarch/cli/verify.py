"""The verb that reads again what lies on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainarch.cli.options import ResultsFolder, Threads, read_pipeline
from brainarch.errors import InputError
from brainarch.volume.kinds import is_url

#: Differing slices that are named; the rest are counted.
NAMED = 10
#: Slices of a volume that are compared when nothing else is said.
SAMPLE = 16
#: Endings of configs.
CONFIGS = (".yaml", ".yml")


def verify(
    target: Annotated[
        str | None,
        typer.Argument(
            help="A store (Zarr), a network, a table, the folder of a dataset, or a config: every "
            "byte is read; of a dataset it is also said what is not of its config. Or where "
            "`brainarch publish` copied results to: all is compared with the manifest there."
        ),
    ] = None,
    *,
    volume: Annotated[
        Path | None, typer.Option(help="OME-Zarr volume, to compare with its table of slices.")
    ] = None,
    slices: Annotated[
        Path | None,
        typer.Option(help="Table of slices with SHA-256; by default slices.csv beside the volume."),
    ] = None,
    input_: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="TIFF stack that the volume was made from; without it the volume alone is read.",
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help=f"Random slices to read; {SAMPLE} by default.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Read every slice.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sample.")] = 2020,
    threads: Threads = 1,
    results: ResultsFolder = "results",
) -> None:
    """Read again what was written, and say what is damaged, lost or of another config."""
    if (target is None) == (volume is None):
        raise InputError("verify: give a store, a network, a dataset or a config, or --volume")
    if every and sample is not None:
        raise InputError("--all and --sample: give one of them")
    if volume is None:
        from brainarch.remote.publication import MANIFEST

        assert target is not None
        if is_url(target) or (Path(target) / MANIFEST).exists():
            _verify_published(target)
        else:
            _verify_target(Path(target), threads, results)
    else:
        slices = slices or volume.absolute().parent / "slices.csv"
        _verify_volume(volume, slices, input_, None if every else sample or SAMPLE, seed, threads)


def _verify_target(target: Path, threads: int, results: str) -> None:
    """Say of every store what was found; one that is wrong is the user's mistake to mend."""
    from brainarch.config.frozen import is_frozen
    from brainarch.pipeline.dataset import Dataset
    from brainarch.verification.stages import verify_dataset, verify_file

    if not target.exists():
        raise InputError(f"{target}: nothing is here; name a store, a network, a dataset, a config")
    if target.suffix in CONFIGS or is_frozen(target):
        verdicts = verify_dataset(read_pipeline(target, results), threads)
    elif target.is_dir() and not (target / "zarr.json").exists():
        verdicts = verify_dataset(Dataset.open(target).pipeline, threads)
    else:
        verdicts = iter([verify_file(target, threads)])
    total = wrong = 0
    for verdict in verdicts:
        typer.echo(f"verify: {verdict.line}", err=verdict.wrong)
        total, wrong = total + 1, wrong + verdict.wrong
    if wrong:
        raise InputError(
            f"{target}: {wrong} of {total} are wrong; remove those and run the same command again, "
            "or the stages that make them"
        )
    typer.echo(f"verify: {total} of {total} sound")


def _verify_published(place: str) -> None:
    """Compare published files with their manifest."""
    from brainarch.remote.objects import ObjectStore
    from brainarch.remote.publication import check

    wrong: list[str] = []
    sound = check(ObjectStore(place), wrong.append)
    for line in wrong:
        typer.echo(f"verify: {line}", err=True)
    if wrong:
        raise InputError(
            f"{place}: {len(wrong)} of {len(wrong) + sound} files are not what was published; "
            "remove those there and publish again"
        )
    typer.echo(f"verify: {sound} of {sound} as they were published")


def _verify_volume(
    volume: Path, slices: Path, source: str | None, sample: int | None, seed: int, threads: int
) -> None:
    """Compare slices with what they were when they were converted; exit status 1 if one differs."""
    from brainarch.volume.stages import verify_volume

    found = verify_volume(
        volume=volume, slices=slices, source=source, sample=sample, seed=seed, threads=threads
    )
    for difference in found.differences[:NAMED]:
        typer.echo(f"verify: {difference}", err=True)
    if len(found.differences) > NAMED:
        typer.echo(f"verify: and {len(found.differences) - NAMED} more", err=True)
    sides = "volume alone" if source is None else "volume and stack"
    differences = len(found.differences)
    typer.echo(
        f"verify: {found.read} of {found.slices} slices read ({sides}), {differences} differences"
    )
    if found.differences:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("verify")(verify)
