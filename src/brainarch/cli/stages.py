"""One verb for each stage: the config, which slice or run, and what of the machine it may use."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from brainarch.cli.options import Changes, ConfigFile, ResultsFolder, Threads, read_pipeline
from brainarch.errors import InputError
from brainarch.pipeline.jobs import stage_names
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import Stage

#: Stages whose verb is written by hand in another module.
ELSEWHERE = ("convert", "import_areas", "import_layers")
#: What of the machine some stages may use beside threads.
MACHINE = {
    "train": ("device",),
    "train_unlabelled": ("device",),
    "plan": ("device",),
    "extract": ("device", "scheduler"),
    "factorize": ("scheduler",),
    "project": ("scheduler",),
    "align": ("scheduler",),
}

#: What a dataset may lack so that a stage is no part of it.
LACKING = {"select_areas": "labels", "select_layers": "layers"}

Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        envvar="BRAINARCH_SCHEDULER",
        help="Dask workers that compute: the address of a scheduler, tcp://host:8786; local:4 or "
        "slurm:4 starts some.",
    ),
]
#: What a verb's argument may be called, and its option.
PARTS: dict[str, Any] = {
    "z": Annotated[int, typer.Option("--slice", help="Number of the slice.")],
    "run": Annotated[
        str, typer.Option(help="Trained network: main, permuted, nonsense, blocks1, repeat1 ...")
    ],
    "split": Annotated[str, typer.Option(help="train, val or test.")],
    "network": Annotated[
        str,
        typer.Option(
            help="Network of sampled patches: one of readout.networks; of whole slices: one of "
            "extraction.networks."
        ),
    ],
    "kind": Annotated[
        str, typer.Option(help="Previews: areas or layers; else: clusters or components.")
    ],
    "name": Annotated[str, typer.Option("--figure", help="Its name, for example V3_scale.")],
}
OPTIONS: dict[str, tuple[Any, Any]] = {
    "device": (Device, "auto"),
    "scheduler": (Scheduler, None),
}


def register(app: typer.Typer) -> None:
    """Add a verb for every stage."""
    for name in stage_names():
        if name not in ELSEWHERE:
            app.command(name.replace("_", "-"))(_verb(name))


def run(stage: Stage, **machine: Any) -> None:
    """Run a stage; what it returns is a problem that its outputs already tell: exit status 1."""
    problem = stage.run(**machine)
    if isinstance(problem, str):
        typer.echo(f"brainarch: {problem}", err=True)
        raise typer.Exit(1)


def _verb(name: str) -> Callable[..., None]:
    """Return the command's function for a stage, with the arguments of its method as options."""
    method = getattr(Pipeline, name)
    parameters = inspect.signature(method).parameters
    parts = {name: p.default for name, p in parameters.items() if name != "self"}
    machine = MACHINE.get(name, ())

    def verb(
        config: Path, *, results: str, changes: list[str] | None, threads: int, **given: Any
    ) -> None:
        pipeline = read_pipeline(config, results, changes)
        for part in parts:
            if "{" in str(given[part]):
                raise InputError(f"{given[part]}: a slice, run or name is wanted, no wildcard")
        if LACKING.get(name) in pipeline.lacks:
            reason = pipeline.lacks[LACKING[name]]
            raise InputError(f"{name.replace('_', '-')}: no part of this dataset: {reason}")
        stage = getattr(pipeline, name)(**{part: given[part] for part in parts})
        run(stage, threads=threads, **{option: given[option] for option in machine})

    def keyword(argument: str, annotation: Any, default: Any) -> inspect.Parameter:
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(argument, kind, default=default, annotation=annotation)

    shown = [
        inspect.Parameter("config", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=ConfigFile),
        *(keyword(part, PARTS[part], default) for part, default in parts.items()),
        keyword("threads", Threads, 1),
        *(keyword(option, *OPTIONS[option]) for option in machine),
        keyword("results", ResultsFolder, "results"),
        keyword("changes", Changes, None),
    ]
    verb.__doc__ = method.__doc__
    verb.__name__ = name
    verb.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # read by typer
    verb.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return verb
