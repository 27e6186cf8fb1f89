"""Reading a config, with one clear line for whatever is wrong in it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from brainarch.config.model import Config
from brainarch.errors import InputError


def read_config(path: Path) -> Config:
    """Read and check a config file.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, or a key is unknown, missing or has a wrong value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such config file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not readable as YAML ({' '.join(str(error).split())})") from None
    return parse_config(text, str(path))


def parse_config(text: str, origin: str) -> Config:
    """Check the text of a config file.

    Parameters
    ----------
    text : str
        YAML.
    origin : str
        Where it comes from, for the error message.

    Raises
    ------
    InputError
        If the text is no YAML, or a key is unknown, missing or has a wrong value.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(
            f"{origin}: not readable as YAML ({' '.join(str(error).split())})"
        ) from None
    if not isinstance(content, Mapping):
        raise InputError(f"{origin}: a config is a table of keys and values")
    return check_config(content, origin)


def check_config(content: Mapping[str, Any], origin: str) -> Config:
    """Return the typed config of a table of keys.

    Parameters
    ----------
    content : mapping
        The keys, as read from YAML.
    origin : str
        Where they come from, for the error message.

    Raises
    ------
    InputError
        One line that names each wrong key.
    """
    try:
        return Config.model_validate(dict(content))
    except ValidationError as error:
        lines = [_explain(detail) for detail in error.errors()]
        raise InputError(f"{origin}: " + "; ".join(lines)) from None


def _explain(detail: ErrorDetails) -> str:
    location = list(detail["loc"])
    if location[:1] == ["splits"] and location[1:2] in (["slices"], ["blocks"]):
        del location[1]  # pydantic inserts which kind of split it took the keys for
    key = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        guess = difflib.get_close_matches(str(location[-1]), _siblings(location[:-1]), n=1)
        hint = f"; did you mean {guess[0]}?" if guess else "; see config/README.md for every key"
        return f"{key}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{key}: this key is missing"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{key}: {message} (found {detail['input']!r})" if key else message


def _siblings(parents: list[Any]) -> list[str]:
    candidates: list[type[BaseModel]] = [Config]
    for part in parents:
        if isinstance(part, int):
            continue
        candidates = [
            found
            for candidate in candidates
            if part in candidate.model_fields
            for found in _models(candidate.model_fields[part].annotation)
        ]
    return [name for candidate in candidates for name in candidate.model_fields]


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
