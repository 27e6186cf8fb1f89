"""How long a run that is under way still takes."""

from __future__ import annotations

from collections.abc import Mapping

from brainarch.needs.estimate import Estimate
from brainarch.needs.machine import Machine

#: Share of the work after which only what was seen of this very run counts.
SEEN = 0.2


class Ahead:
    """What of a run is still ahead, by the work of its jobs.

    At first it goes by what the jobs are expected to take, more and more by how quick they were.

    Parameters
    ----------
    run : Estimate
        The whole run.
    machine : Machine
        Where it goes on.
    todo : mapping of str to int
        Jobs to do, by stage; those of no stage count nothing.
    """

    def __init__(self, run: Estimate, machine: Machine, todo: Mapping[str, int]) -> None:
        self._work = {total.stage: total.core_seconds / total.jobs for total in run.stages}
        self._total = sum(self._work.get(stage, 0.0) * count for stage, count in todo.items())
        whole = sum(total.core_seconds for total in run.stages)
        self._expected = run.seconds([machine]) * self._total / whole
        self._done = 0.0

    def finish(self, stage: str) -> None:
        """Note that a job is done."""
        self._done = min(self._total, self._done + self._work.get(stage, 0.0))

    def seconds(self, elapsed: float) -> float:
        """Return the seconds that are left, so many after the start."""
        if not self._total:
            return 0.0
        done = self._done / self._total
        expected = self._expected * (1 - done)
        if not done:
            return max(0.0, expected - elapsed)
        trust = min(1.0, done / SEEN)
        return trust * elapsed * (1 - done) / done + (1 - trust) * expected
