"""Reading a config, with one clear line for whatever is wrong in it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from brainarch.config.frozen import check_frozen
from brainarch.config.model import BlockSplits, Config, SliceSplits
from brainarch.config.words import found, name_key, wanted, yaml_problem
from brainarch.errors import InputError

#: Where keys of earlier versions have gone.
MOVED = {
    "readout.bootstrap": "statistics.resamples",
    "sampling.block_px": "statistics.block_px",
    "discovery.nulls": "statistics.nulls",
    "training.flips": "training.orientation (mirrored, with preset robust)",
    "training.permuted_epochs": "training.permuted_share",
    "annotations.transpose": "annotations.axes (zxy for columns x rows)",
    "layers.transpose": "layers.axes (zxy for columns x rows)",
}
#: What the model calls the kinds that one value may have.
KINDS = ("number", "three numbers", "code", "class")
#: How pydantic ends the place of a value that may be of several kinds.
KIND = re.compile(r"constrained-\w+|literal\[.*\]")
#: A colour that YAML takes for a comment.
BARE_COLOUR = re.compile(r"[^#]*:\s+(#[0-9A-Fa-f]{6})\b")
#: Words that YAML 1.1 takes for true or false beside these.
PLAIN_BOOLEANS = ("true", "false", "True", "False", "TRUE", "FALSE")


def read_config(path: Path) -> Config:
    """Read and check a config file.

    Raises
    ------
    InputError
        If the file is missing or not readable, or a key is unknown, missing or has a wrong value.
    """
    return check_config(read_content(path), str(path))


def read_content(path: Path) -> dict[str, Any]:
    """Read the keys of a config file: YAML, or the JSON that a run leaves.

    Raises
    ------
    InputError
        If the file is missing or not readable.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
        check_frozen(path, raw)
        if path.suffix == ".json":
            content = json.loads(text, object_pairs_hook=_unique)
        else:
            _check_text(text)
            content = yaml.safe_load(text)
    except FileNotFoundError:
        raise InputError(f"{path}: no such config file") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{path}: {yaml_problem(error)}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as YAML ({' '.join(str(error).split())})") from None
    except OSError as error:
        raise InputError(f"{path}: not readable ({error.strerror})") from None
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path}: a config is a table of keys and values; brainarch init writes one for your "
            "files"
        )
    return dict(content)


def _check_text(text: str) -> None:
    """Refuse what YAML reads otherwise than it looks, and keys that stand twice.

    Raises
    ------
    InputError
        With the line, and how to write what is meant.
    """
    for number, written in enumerate(text.splitlines(), 1):
        if bare := BARE_COLOUR.match(written):
            raise InputError(
                f"line {number}: without quotes {bare[1]} is a comment; write '{bare[1]}' in quotes"
            )
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    waiting: list[tuple[yaml.Node, str]] = [] if root is None else [(root, "")]
    while waiting:
        node, key = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, key) for item in reversed(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for name, value in reversed(node.value):
                inner = f"{key}.{name.value}".removeprefix(".")
                waiting += [(value, inner), (name, inner)]
            for name, _ in node.value:
                line = name.start_mark.line + 1
                if str(name.value) in lines:
                    raise InputError(
                        f"{f'{key}.{name.value}'.removeprefix('.')} stands twice, in lines "
                        f"{lines[str(name.value)]} and {line}; keep one of them"
                    )
                lines[str(name.value)] = line


def _check_scalar(node: yaml.ScalarNode) -> None:
    """Refuse a word or number without quotes that YAML takes for something else."""
    text, kind = node.value, node.tag.rpartition(":")[2]
    if node.style is not None:  # in quotes
        return
    meaning: Any = None
    if kind == "bool" and text not in PLAIN_BOOLEANS:
        meaning = str(yaml.safe_load(text)).lower()
    elif kind == "int" and not text.lower().startswith(("0x", "0b")):
        meaning = yaml.safe_load(text)
        digits = text.replace("_", "").lstrip("+-")
        if digits.isdecimal() and int(digits) == abs(meaning):
            return
    elif (kind == "float" and ":" in text) or kind == "timestamp":
        meaning = "a time" if kind == "timestamp" else yaml.safe_load(text)
    if meaning is not None:
        plain = f", or {text.lstrip('0')} for the number" if text.isdecimal() else ""
        line = node.start_mark.line + 1
        raise InputError(
            f"line {line}: {text} without quotes means {meaning}; write {text!r} in quotes if it "
            f"is a name{plain}"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{twice} stands twice; keep one of them")
    return dict(pairs)


def change_config(content: Mapping[str, Any], changes: Sequence[str], origin: str) -> Config:
    """Return the typed config of some keys with a few of them changed.

    Parameters
    ----------
    content : mapping
        The keys, as read from a file.
    changes : sequence of str
        ``training.steps=100``: a key with its sections, and a value as YAML writes it.
    origin : str
        Where the keys come from, for the error message.

    Raises
    ------
    InputError
        If a change is malformed, or the changed config is wrong.
    """
    changed = deepcopy(dict(content))
    for change in changes:
        key, sign, text = change.partition("=")
        *sections, last = key.split(".")
        if not sign or not last:
            raise InputError(f"--set {change}: wanted KEY=VALUE, e.g. training.epochs=2")
        section = changed
        for name in sections:
            inner = section.setdefault(name, {})
            if not isinstance(inner, dict):
                raise InputError(f"--set {change}: {name} is no section with keys")
            section = inner
        try:
            _check_text(text)
            section[last] = yaml.safe_load(text)
        except InputError as error:
            raise InputError(f"--set {change}: {error}") from None
        except (yaml.YAMLError, ValueError, RecursionError):
            raise InputError(f"--set {change}: the value is no YAML") from None
    return check_config(changed, " ".join([origin, *(f"--set {change}" for change in changes)]))


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
        lines = [_explain(detail, content) for detail in _by_key(error.errors())]
        raise InputError(f"{origin}: " + "; ".join(lines)) from None


def _by_key(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Join what pydantic says of each kind that one value may have."""
    found: dict[tuple[int | str, ...], ErrorDetails] = {}
    for detail in details:
        kind = detail["loc"][-1] if detail["loc"] else ""
        key = detail["loc"][:-1] if KIND.fullmatch(str(kind)) else detail["loc"]
        if key in found:
            said = f"{wanted(found[key])} or {wanted(detail)}"
            found[key] = {**detail, "loc": key, "type": "union", "msg": said}
        else:
            found[key] = {**detail, "loc": key}
    return list(found.values())


def _explain(detail: ErrorDetails, content: Mapping[str, Any]) -> str:
    """Return one wrong key in the words of a config: which, what is wanted, what was found."""
    location = [part for part in detail["loc"] if part not in KINDS]
    if location[:1] == ["splits"] and location[1:2] in (["slices"], ["blocks"]):
        kind = location.pop(1)  # pydantic inserts which kind of split it took the keys for
        other = BlockSplits if kind == "slices" else SliceSplits
        if detail["type"] == "extra_forbidden" and location[1] in other.model_fields:
            own = {"slices": "train, val and test", "blocks": "slice"}[str(kind)]
            return f"splits.{location[1]}: is no key with by: {kind}; say {own}, or change by"
    key = name_key(location, content)
    if detail["type"] == "extra_forbidden":
        if key in MOVED:
            return f"{key}: this key is now {MOVED[key]}"
        guess = difflib.get_close_matches(str(location[-1]), _siblings(location[:-1]), n=1)
        hint = f"; did you mean {guess[0]}?" if guess else "; see config/README.md for every key"
        return f"{key}: unknown key{hint}"
    if detail["type"] == "missing" and isinstance(location[-1], int):
        return f"{name_key(location[:-1], content)}: entry {location[-1] + 1} is missing"
    if detail["type"] == "missing":
        return f"{key}: this key is missing"
    return f"{key}: {wanted(detail)} ({found(detail)})" if key else wanted(detail)


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
