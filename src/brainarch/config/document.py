"""What is made from the config model: commented YAML, the JSON schema, the table of keys."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from brainarch.config.model import BlockSplits, Config, SliceSplits

#: Width of generated comments.
COMMENT_WIDTH = 92


#: `splits.by` as both kinds of splits have it.
BY = FieldInfo(
    annotation=Literal["slices", "blocks"],  # type: ignore[arg-type]  # a form, as a field has it
    description="; ".join(
        str(kind.model_fields["by"].description) for kind in (SliceSplits, BlockSplits)
    ),
)


def json_schema() -> str:
    """Return the JSON schema of a config file, for editors."""
    schema = Config.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def commented_yaml(config: Config, heading: str) -> str:
    """Return a config as YAML in which a comment above each key says what it means.

    Parameters
    ----------
    config : Config
    heading : str
        What the file is for; becomes the comment on top.
    """
    schema_line = "# yaml-language-server: $schema=../workflow/schemas/config.schema.json"
    top = "\n".join(f"# {line}".rstrip() for line in heading.splitlines())
    return f"{schema_line}\n{top}\n\n" + "\n".join(_section_lines(config, 0)) + "\n"


def heading_of(text: str) -> str:
    """Return the comment on top of a config file, without the line that names the schema."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if "$schema=" not in line:
            lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)


def keys_table() -> str:
    """Return the Markdown table of every key: type, default, meaning."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in _walk(Config, ""):
        cells = [f"`{key}`", _type_name(field.annotation), _default(field), field.description or ""]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _section_lines(section: BaseModel, indent: int) -> Iterator[str]:
    space = " " * indent
    for index, (name, field) in enumerate(type(section).model_fields.items()):
        value = getattr(section, name)
        if indent == 0 and index:
            yield ""
        comment = textwrap.wrap(field.description or "", COMMENT_WIDTH - indent)
        yield from (f"{space}# {line}" for line in comment)
        if isinstance(value, BaseModel):
            yield f"{space}{name}:"
            yield from _section_lines(value, indent + 2)
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            yield f"{space}{name}:"
            for item in value:
                yield f"{space}  - {_flow(item.model_dump(exclude_defaults=True))}"
            yield from _item_key(value[0], indent + 2)
        else:
            yield f"{space}{name}: {_flow(_plain(value))}"


def _item_key(item: BaseModel, indent: int) -> Iterator[str]:
    for name, field in type(item).model_fields.items():
        text = f"{name}: {field.description}"
        yield from (
            f"{' ' * indent}# {line}" for line in textwrap.wrap(text, COMMENT_WIDTH - indent)
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _flow(value: Any) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.removesuffix("...\n").strip()


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        many = get_origin(field.annotation) is list
        seen: set[str] = set()
        for inner in _inner_models(field.annotation):
            for key, inner_field in _walk(inner, f"{prefix}{name}{'[]' if many else ''}."):
                if key in seen:
                    continue
                seen.add(key)
                yield key, BY if key == "splits.by" else inner_field


def _inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _inner_models(part)]


def _type_name(annotation: Any) -> str:
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {_type_name(arguments[0])}"
    if origin is tuple:
        return f"{len(arguments)} × {_type_name(arguments[0])}"
    if hasattr(annotation, "__metadata__"):
        return _type_name(arguments[0])
    if len(arguments) > 1:
        options = [_type_name(part) for part in arguments]
        return " or ".join(dict.fromkeys(options))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    if annotation is type(None):
        return "null"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(annotation, str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default is PydanticUndefined:
        return ""
    return f"`{_flow(_plain(field.default))}`"
