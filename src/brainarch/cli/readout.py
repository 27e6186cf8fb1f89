"""The verbs that read out representations of sampled patches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from brainarch.cli.parsing import parse_pairs

Train = Annotated[
    list[str],
    typer.Option(help="NETWORK=PATH: representations of train patches. Repeatable."),
]
Test = Annotated[
    list[str],
    typer.Option(help="NETWORK=PATH: representations of test patches. Repeatable."),
]
Bootstrap = Annotated[int, typer.Option(min=100, help="Resamples of an interval.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of draws, starts and the bootstrap.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]


def classify(
    *,
    train: Train,
    test: Test,
    output: Annotated[Path, typer.Option(help="Table of accuracies to write.")],
    noise: Annotated[
        list[str] | None,
        typer.Option(help="NETWORK=PATH: noisy representations of test patches. Repeatable."),
    ] = None,
    output_noise: Annotated[
        Path | None, typer.Option(help="Table of the noise curve to write, with --noise.")
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(
            help="NETWORK=PATH: test predictions of the network's own last layer, from "
            "`brainarch evaluate`, for reference. Repeatable."
        ),
    ] = None,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Score logistic regression, linear and RBF SVM on representations, clean and noisy."""
    from brainarch.readout.stages import classify_patches
    from brainarch.readout.threads import limit_threads

    with limit_threads(threads):
        classify_patches(
            train=_paths("--train", train),
            test=_paths("--test", test),
            noise=_paths("--noise", noise or []),
            heads=_paths("--head", head or []),
            seed=seed,
            n_resamples=bootstrap,
            output=output,
            output_noise=output_noise,
        )


def cluster_score(
    *,
    train: Train,
    test: Test,
    output: Annotated[Path, typer.Option(help="Table to write.")],
    bootstrap: Bootstrap = 1000,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Score how Gaussian mixture clusters agree with the areas: V-measure, ARI, AMI."""
    from brainarch.readout.stages import score_clusters
    from brainarch.readout.threads import limit_threads

    with limit_threads(threads):
        score_clusters(
            train=_paths("--train", train),
            test=_paths("--test", test),
            seed=seed,
            n_resamples=bootstrap,
            output=output,
        )


def gram(
    *,
    test: Test,
    output_error: Annotated[Path, typer.Option(help="Table of block errors to write.")],
    output_blocks: Annotated[Path, typer.Option(help="Table of area-by-area means to write.")],
    output_drawing: Annotated[
        list[str] | None,
        typer.Option(help="NETWORK=PATH: rows of the matrix to draw (Zarr). Repeatable."),
    ] = None,
    patches_per_area: Annotated[
        int | None,
        typer.Option(min=2, help="Patches an area; by default as many as the smallest area has."),
    ] = None,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Measure the Gram matrix of unit-length representations: block error, area means."""
    from brainarch.readout.stages import measure_gram
    from brainarch.readout.threads import limit_threads

    with limit_threads(threads):
        measure_gram(
            test=_paths("--test", test),
            patches_per_area=patches_per_area,
            seed=seed,
            n_resamples=bootstrap,
            output_error=output_error,
            output_means=output_blocks,
            output_drawings=_paths("--output-drawing", output_drawing or []),
        )


def pca(
    *,
    test: Test,
    output: Annotated[Path, typer.Option(help="Table of components to write.")],
    output_variance: Annotated[Path, typer.Option(help="Table of variance shares to write.")],
    patches_per_area: Annotated[
        int | None,
        typer.Option(min=2, help="Patches an area; by default as many as the smallest area has."),
    ] = None,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Project representations onto their first three principal components."""
    from brainarch.readout.stages import project_components
    from brainarch.readout.threads import limit_threads

    with limit_threads(threads):
        project_components(
            test=_paths("--test", test),
            patches_per_area=patches_per_area,
            seed=seed,
            output=output,
            output_variance=output_variance,
        )


def relations(
    *,
    train: Train,
    test: Test,
    output: Annotated[Path, typer.Option(help="Table of area relations to write.")],
    output_outliers: Annotated[Path, typer.Option(help="Table of outlying patches to write.")],
    outliers: Annotated[int, typer.Option(min=1, help="Outlying patches an area.")] = 10,
    bootstrap: Bootstrap = 1000,
    seed: Seed = 2020,
    threads: Threads = 1,
) -> None:
    """Say which areas are alike and which patches are least like their area."""
    from brainarch.readout.stages import relate_areas
    from brainarch.readout.threads import limit_threads

    with limit_threads(threads):
        relate_areas(
            train=_paths("--train", train),
            test=_paths("--test", test),
            outliers=outliers,
            seed=seed,
            n_resamples=bootstrap,
            output=output,
            output_outliers=output_outliers,
        )


def _paths(option: str, texts: Sequence[str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in parse_pairs(option, texts).items()}


def register(app: typer.Typer) -> None:
    """Add this room's verbs to the command."""
    app.command("classify")(classify)
    app.command("cluster-score")(cluster_score)
    app.command("gram")(gram)
    app.command("pca")(pca)
    app.command("relations")(relations)
