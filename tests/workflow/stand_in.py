"""A stand-in for the ``brainarch`` command: it makes the outputs of a stage without computing."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from brainarch.pipeline.pipeline import Pipeline
from brainarch.pipeline.stage import flat

#: Verbs that are called otherwise than their stage.
STAGES = {"import_annotations": "import_{kind}"}
#: The pipeline's names of options.
ARGUMENTS = {"slice": "z", "figure": "name"}
MACHINE = ("threads", "memory-mb", "output")


def main(arguments: list[str]) -> None:
    """Make every output of the stage that a shell line of the workflow asks for."""
    verb, line = arguments[0].replace("-", "_"), " ".join(arguments[1:])
    config = Path(re.findall(r"\S+\.json", line)[0])
    options = dict(re.findall(r"--([a-z-]+) (\S+)", line))
    if verb == "doctor":
        make(options["output"])
        return
    parts = {ARGUMENTS.get(k, k): v for k, v in options.items() if k not in MACHINE}
    if "z" in parts:
        parts["z"] = int(parts["z"])  # type: ignore[assignment]
    if verb in STAGES:
        verb = STAGES[verb].format(**parts)
        parts = {}
    for path in flat(getattr(Pipeline.read(config), verb)(**parts).outputs):
        make(path)


def make(path: str) -> None:
    """Make a file, or a folder where no ending tells otherwise."""
    if Path(path).suffix in ("", ".zarr"):
        Path(path).mkdir(parents=True, exist_ok=True)
    else:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("")


if __name__ == "__main__":
    main(sys.argv[1:])
