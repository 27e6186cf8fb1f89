"""One stage of a run: the function that does it and the function's arguments."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from brainarch.disk import FULL
from brainarch.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

#: One file, several in order, or several by name.
File = str | Sequence[str] | Mapping[Any, str]
Files = dict[str, File]
Settings = dict[str, Any]
V = TypeVar("V")


@dataclass(frozen=True)
class Stage:
    """A stage for one slice, run or network.

    Parameters
    ----------
    function : str
        ``package.module:function``; imported only when the stage runs. Inputs, outputs, places and
        settings are its keyword arguments.
    inputs, outputs : dict
        Files by argument; a wildcard may stand in them.
    settings : dict
        What it takes from the config and nothing else: Snakemake compares exactly this.
    places : dict
        Files and folders that it may use, there or not, and that are no outputs: the folder for
        unfinished work, or maps that a page shows as far as they were made.
    after : list of str
        Files that have to be there first and that the function does not read by that name.
    """

    function: str
    inputs: Files
    outputs: Files
    settings: Settings = field(default_factory=dict)
    places: Files = field(default_factory=dict)
    after: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> Settings:
        """The function's arguments as far as the config decides them; files are paths."""
        files = {**self.inputs, **self.outputs, **self.places}
        return {**{name: _as_paths(file) for name, file in files.items()}, **self.settings}

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function

    def run(self, **machine: Any) -> Any:
        """Do it, and return what the function returns.

        Parameters
        ----------
        **machine
            ``threads``, ``device`` and the like; those that the function takes are passed on.

        Raises
        ------
        InputError
            If an input is not there; nothing heavy has been imported by then.
        OSError
            If the disk is full; it names what was to be written, or the folder of that.
        """
        for path in flat(self.inputs):
            if not Path(path).exists():
                raise InputError(f"{path}: not there yet; run the stage that makes it first")
        function = self.load()
        known = inspect.signature(function).parameters
        given = {name: value for name, value in machine.items() if name in known}
        try:
            return function(**self.arguments, **given)
        except OSError as error:
            if error.filename is None and error.errno in FULL:  # the system does not say where
                error.filename = str(Path(next(flat(self.outputs))).parent)
            raise


def flat(files: Files) -> Iterator[str]:
    """Yield every path of some files."""
    for file in files.values():
        if isinstance(file, str):
            yield file
        else:
            yield from file.values() if isinstance(file, Mapping) else file


def pick(section: BaseModel, *keys: str, **renamed: str) -> Settings:
    """Return some keys of a section as plain values, in this order.

    Parameters
    ----------
    section : BaseModel
    *keys : str
        Keys that are called as the function's arguments are.
    **renamed : str
        Keys of another name, by argument.
    """
    content = section.model_dump(mode="json")
    named = dict(zip(keys, keys, strict=True)) | renamed
    return {argument: content[key] for argument, key in named.items()}


def known(option: str, value: V, values: Sequence[Any]) -> V:
    """Return a value that the config has; a rule's wildcard stands for any of them.

    Raises
    ------
    InputError
        If it is none of ``values``.
    """
    if value not in values and not (isinstance(value, str) and value.startswith("{")):
        there = ", ".join(map(str, values)) or "none"
        raise InputError(f"{option} {value}: this config has {there}")
    return value


def _as_paths(file: File) -> Any:
    if isinstance(file, str):
        return Path(file)
    if isinstance(file, Mapping):
        return {name: Path(path) for name, path in file.items()}
    return [Path(path) for path in file]
