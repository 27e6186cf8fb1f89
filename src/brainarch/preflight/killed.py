"""Jobs that the system killed: it does so without a word when memory runs out."""

from __future__ import annotations

import re

from brainarch.needs.machine import Machine

#: What Snakemake writes about a job whose process, or whose shell, was killed (128 + 9).
KILLED = re.compile(r"(?ms)(?:exit status 137|SIGKILL).*?^Error in rule (\w+):")


def killed_rules(log: str) -> list[str]:
    """Return the rules whose jobs were killed, from the text of Snakemake's log."""
    return list(dict.fromkeys(KILLED.findall(log)))


def tell_killed(rule: str, given_mb: float, machine: Machine) -> str:
    """Return the line about a job that was killed.

    Parameters
    ----------
    rule : str
    given_mb : float
        Memory that its rule asks for.
    machine : Machine
        What there is now that the job is gone.
    """
    return (
        f"{rule}: killed, most likely because memory ran out: its rule asks for {given_mb:.0f} MB, "
        f"this machine has {machine.memory_mb:.0f} MB, {machine.free_memory_mb:.0f} of them free "
        "now; end other programs or let it need less (docs/faq.md, Out of memory), then run the "
        "same command again"
    )
