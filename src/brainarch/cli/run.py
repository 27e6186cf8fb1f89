"""The verb that stands for a line of snakemake: it prints the line, runs it, and keeps it short."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainarch.cli.options import ConfigFile, read_pipeline
from brainarch.errors import InputError
from brainarch.pipeline.jobs import jobs
from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat

if TYPE_CHECKING:
    from brainarch.needs.ahead import Ahead

#: Options of snakemake that say where jobs run, so that nothing is added to them.
PLACED = ("--cores", "-c", "--jobs", "-j", "--profile", "--workflow-profile", "--executor", "-e")
DRY = ("-n", "--dry-run", "--dryrun")
#: What snakemake prints when a job starts, when jobs are done, and above the jobs of a plan.
STARTS = re.compile(r"^Job \d+: (.+)$")
FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")
COUNT = re.compile(r"^(\w+) +(\d+)$")
DONE = re.compile(r"^(\d+) of (\d+) steps")
STATS = re.compile(r"^job +count$")
NOTHING = "Nothing to be done"
WARNING = "brainarch: warning: "
#: What it says of a target that it does not know.
UNKNOWN = re.compile(r"^No rule to produce (\S+)")
#: Lines that say why a run failed, the plainest first.
REASONS = (
    re.compile(r"^brainarch: error: (.+)"),
    re.compile(r"config error: (.+)"),
    re.compile(r"^(?:\w*(?:Error|Exception)[\w ]*(?: in .*)?|MissingRuleException.*): *(.+)"),
    re.compile(r"^(Error in rule .+?):?$"),
)
#: What mends that the home folder cannot be written.
CACHES = "; export XDG_CACHE_HOME=FOLDER, one that can be written: libraries keep caches there"
#: Lines that are kept to find the reason of a failure in.
KEPT = 5000
#: Pictures and pages that are named one by one; more are counted.
NAMED = 6


def run(
    config: ConfigFile,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET ...] [-- SNAKEMAKE OPTIONS]",
            help="What to make: a figure (V3, M1), variability, microarchitecture, previews, a "
            "file; by default everything. After --, options of snakemake, such as -n.",
        ),
    ] = None,
) -> None:
    """Run a config: print the line of snakemake that this stands for, and execute it."""
    pipeline = read_pipeline(config)
    targets, options = divide(arguments or [])
    snakefile = find_snakefile()
    line = command(config, targets, options, snakefile)
    typer.echo(shlex.join(line))
    begun = time.time()
    with subprocess.Popen(
        [sys.executable, "-m", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        bufsize=1,
    ) as process:
        assert process.stdout is not None  # it is a pipe
        told: deque[str] = deque(maxlen=KEPT)
        dry = any(option in DRY for option in options)
        lines = keeping(process.stdout, told)
        for text in plan(lines) if dry else short(lines, partial(ahead_of, pipeline)):
            typer.echo(text)
    if process.returncode:
        raise InputError(reason(told, snakefile))
    if not dry:
        typer.echo(made(pipeline, begun) or "nothing to be done: all results are up to date")


def divide(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return targets, and from the first option on what is snakemake's."""
    first = next((i for i, text in enumerate(arguments) if text.startswith("-")), len(arguments))
    return list(arguments[:first]), list(arguments[first:])


def find_snakefile() -> Path:
    """Return the workflow of the folder at hand, else that of the repository of this package.

    Raises
    ------
    InputError
        If there is none.
    """
    repository = Path(__file__).parents[3]
    for folder in (Path(), repository):
        if (folder / "Snakefile").is_file():
            return folder / "Snakefile"
    raise InputError("Snakefile: none here; run this in the folder of the brainarch repository")


def command(
    config: Path, targets: Sequence[str], options: Sequence[str], snakefile: Path
) -> list[str]:
    """Return the line of snakemake."""
    for option in options:
        if option.partition("=")[0] in ("--configfile", "--configfiles"):
            raise InputError(f"{option}: the config is {config}, named first; a run has one")
    line = ["snakemake"]
    if snakefile.parent != Path():
        line += ["--snakefile", str(snakefile)]
    if not any(option.partition("=")[0] in PLACED for option in options):
        line += ["--cores", "all", "--rerun-incomplete"]
    line += [*options, "--configfile", str(config)]
    return [*line, "--", *targets] if targets else line


def keeping(lines: Iterable[str], told: deque[str]) -> Iterator[str]:
    """Yield lines without their ends; ``told`` keeps the last, for the reason of a failure."""
    for line in lines:
        text = line.rstrip()
        told.append(text)
        yield text


def short(lines: Iterable[str], ahead_of: Callable[[Mapping[str, int]], Ahead]) -> Iterator[str]:
    """Yield one line a job, with how many are done and how long the rest will take.

    Parameters
    ----------
    lines : iterable of str
        What snakemake prints.
    ahead_of : callable
        Takes the number of jobs of each rule.
    """
    from brainarch.reporting.runtime import duration

    begun, done = time.monotonic(), ""
    todo: dict[str, int] = {}
    ahead: Ahead | None = None
    for text in lines:
        if ahead is None and (found := COUNT.match(text)):
            if found[1] == "total":
                ahead = ahead_of(todo)
            todo[found[1]] = int(found[2])
        elif text.startswith(WARNING):
            yield text
        elif ahead and (found := FINISHED.match(text)):
            ahead.finish(found[1])
        elif found := DONE.match(text):
            done = f"{found[1]} of {found[2]} done, "
        elif found := STARTS.match(text):
            left = ahead.seconds(time.monotonic() - begun) if ahead else 0.0
            yield f"{time.strftime('%H:%M:%S')}  {found[1]}  ({done}about {duration(left)} left)"


def ahead_of(pipeline: Pipeline, todo: Mapping[str, int]) -> Ahead:
    """Return what is ahead on this machine."""
    from brainarch.needs.ahead import Ahead
    from brainarch.needs.estimate import estimate
    from brainarch.needs.machine import look_at_machine
    from brainarch.needs.speed import measure_speed
    from brainarch.needs.work import describe_work

    machine = replace(look_at_machine(), speed=measure_speed())
    return Ahead(estimate(pipeline, describe_work(pipeline.config), machine), machine, todo)


def plan(lines: Iterable[str]) -> Iterator[str]:
    """Yield what a dry run would do: the jobs of each rule and their number."""
    inside = seen = False
    for text in lines:
        if STATS.match(text) and not seen:
            inside = seen = True
        elif NOTHING in text:
            yield "nothing to be done: all results are up to date"
        if inside and text:
            yield text
        # what follows says the same again, job by job
        inside = inside and not text.startswith("total")


def reason(told: Sequence[str] | deque[str], snakefile: Path) -> str:
    """Return the one line that says why a run failed."""
    from brainarch.needs.machine import writable

    for text in told:
        if unknown := UNKNOWN.match(text):
            return (
                f"{unknown[1]}: no such target; name a figure by its first letters (V3, M1), "
                "variability, microarchitecture, figures, report, previews or a file of the results"
            )
    for pattern in REASONS:
        found = [match[1] for text in told if (match := pattern.search(text))]
        if found:
            home = Path.home()
            caches = str(home) in found[-1] and not writable(home)
            return found[-1] + (CACHES if caches else "")
    last = next((text for text in reversed(told) if text), "")
    return f"{snakefile}: the run failed; snakemake's last line: {last}"


def made(pipeline: Pipeline, begun: float) -> str:
    """Return what has been made since a time: pages and pictures by name, the rest counted."""
    paths = {path for job in jobs(pipeline) for path in flat(job.stage.outputs)}
    paths |= {
        str(path)
        for path in Path(pipeline.results.annotations("previews")).glob("*")
        if path.is_file()
    }
    new = sorted(path for path in paths if Path(path).exists() and _time(path) >= begun)
    pages = [path for path in new if path.endswith(".html")]
    pictures = [path for path in new if path.endswith(".png")]
    others = len(new) - len(pages) - len(pictures)
    lines = [f"made {path}" for path in pages]
    if len(pictures) > NAMED:
        folders = sorted({str(Path(path).parent) for path in pictures})
        lines.append(f"made {len(pictures)} pictures in {', '.join(folders)}")
    else:
        lines += [f"made {path}" for path in pictures]
    if others:
        lines.append(f"made {others} other results in {pipeline.results.folder}")
    return "\n".join(lines)


def _time(path: str) -> float:
    """Return when a result was written; clocks of file systems may lag a little."""
    return Path(path).stat().st_mtime + 1


def register(app: typer.Typer) -> None:
    """Add this verb to the command."""
    app.command("run", context_settings={"ignore_unknown_options": True})(run)
