"""How the command lists its verbs, and what it refuses of their options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup, TyperOption

from brainarch.errors import InputError

#: Verbs by what they are for, in the order in which somebody needs them; the rest are stages.
GROUPS = {
    "Start here": ("init", "doctor", "estimate", "run", "slices", "view", "panels"),
    "A volume of your own, without a config": (
        "convert",
        "link-volume",
        "verify",
        "import-annotations",
        "download",
        "apply",
        "import-weights",
    ),
    "Results elsewhere": ("publish",),
    "Config files": ("check-config", "config-docs"),
}
STAGES = "Stages, as `brainarch run` calls them"


class Verbs(TyperGroup):
    """Verbs in groups; an option that is given twice is refused where it has one value."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, those to begin with first."""
        names = self.list_commands(ctx)
        named = {name for group in GROUPS.values() for name in group}
        groups = {**GROUPS, STAGES: tuple(name for name in names if name not in named)}
        for title, group in groups.items():
            there = [(name, self.get_command(ctx, name)) for name in group if name in names]
            rows = [(name, verb.get_short_help_str(100)) for name, verb in there if verb]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the verb; its options are looked at before they are read."""
        name, verb, rest = super().resolve_command(ctx, args)
        if verb is not None:
            _check_once(verb, rest)
        return name, verb, rest


def _check_once(verb: Any, arguments: Sequence[str]) -> None:
    """Refuse an option of one value that is given twice: the first would be lost."""
    once = {
        name: parameter.opts[0]
        for parameter in verb.params
        if isinstance(parameter, TyperOption) and not parameter.multiple and not parameter.is_flag
        for name in parameter.opts
    }
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    given = Counter(once[text] for part in before if (text := part.partition("=")[0]) in once)
    for option, count in given.items():
        if count > 1:
            raise InputError(f"{option}: given {count} times; it takes one value")
