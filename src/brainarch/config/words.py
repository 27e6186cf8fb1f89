"""What is wrong with a value, in the words of somebody who writes a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic_core import ErrorDetails

#: What patterns of the model mean.
PATTERNS = {
    r"^[A-Za-z0-9_-]+$": "use letters, digits, _ and - only",
    r"^#[0-9A-Fa-f]{6}$": "a colour is written as '#0072B2', in quotes",
    r"^https?://[^\s/]+$": "wanted an address such as https://api.bossdb.io",
    r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$": "wanted collection/experiment/channel",
}
#: What kinds of mistakes mean; the limits come from the model.
WORDS = {
    "int_parsing": "wanted a whole number",
    "int_type": "wanted a whole number",
    "int_from_float": "wanted a whole number",
    "float_parsing": "wanted a number",
    "float_type": "wanted a number",
    "finite_number": "wanted a finite number",
    "bool_parsing": "wanted true or false",
    "bool_type": "wanted true or false",
    "string_type": "wanted text; put it in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "at most {max_length} letters",
    "list_type": "wanted a list, such as [4, 54]",
    "tuple_type": "wanted a list, such as [4, 54]",
    "literal_error": "wanted {expected}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "wanted at least {min_length}, there are {actual_length}",
    "too_long": "wanted {max_length}, there are {actual_length}",
    "model_type": "wanted a section: keys of its own, indented below it",
    "model_attributes_type": "wanted a section: keys of its own, indented below it",
    "union_tag_not_found": "say by: slices or by: blocks",
    "union_tag_invalid": "say by: slices or by: blocks",
}
#: Longest value that a message repeats.
SHORT = 60


def wanted(detail: ErrorDetails) -> str:
    """Return what is wanted instead of a wrong value.

    Parameters
    ----------
    detail : ErrorDetails
        One error of pydantic.
    """
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "string_pattern_mismatch" and context["pattern"] in PATTERNS:
        return PATTERNS[context["pattern"]]
    if detail["type"] in WORDS:
        return WORDS[detail["type"]].format(**context)
    return detail["msg"].removeprefix("Value error, ")


def found(detail: ErrorDetails) -> str:
    """Return the wrong value, if it is short enough to be told."""
    value = detail["input"]
    if value is None:
        return "found nothing"
    return f"found {value!r}" if len(repr(value)) <= SHORT else "found something else"


def yaml_problem(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong with a file's YAML, and in which line."""
    mark = error.problem_mark or error.context_mark
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    said = error.problem or error.context or "something is wrong"
    if "escape" in said:
        return f"{where}{said}; write a path with \\ in 'single quotes'"
    return f"{where}not readable as YAML ({said}); look at indents, colons and quotes there"


def name_key(location: Sequence[str | int], content: Any) -> str:
    """Return a key with its sections; an entry of a list by its own name, ``areas[Ctx].codes``.

    Parameters
    ----------
    location : sequence of str or int
        Keys, and places in lists.
    content : mapping
        The whole config, as read.
    """
    text = ""
    for part in location:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            content = None
        if isinstance(part, int):
            name = content.get("name") if isinstance(content, Mapping) else None
            text += f"[{name if name else part + 1}]"
        else:
            text += f".{part}" if text else str(part)
    return text
