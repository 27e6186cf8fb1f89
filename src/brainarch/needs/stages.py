"""What one job needs, from the sizes of its work and the machine: the one place that says so.

Rules ask a scheduler for it; `doctor` and `estimate` add it up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from brainarch.needs.machine import Machine
from brainarch.needs.models import MODELS, SMALL
from brainarch.needs.sizes import THREADS
from brainarch.needs.work import Work

#: Share that a file system and incompressible data take beyond the plain bytes (ours).
OVERHEAD = 1.02
#: What a rule asks for time beyond what is expected, and at least, in minutes: a job that a
#: scheduler ends too early costs more than one that it starts a little later.
RUNTIME_MARGIN = 4.0
RUNTIME_MIN = 15


#: What rules ask for is counted for such a node, half as fast as the measured one.
NODE = Machine(THREADS, math.inf, math.inf, "none", speed=0.5)


@dataclass(frozen=True)
class Needs:
    """What one job needs.

    Attributes
    ----------
    threads : int
        Threads that it can use of the machine's.
    memory_mb : float
        Most that it holds in memory.
    seconds : float
        Expected duration on the machine with that many threads.
    disk_mb : float
        Most that it leaves on disk.
    gpu : bool
        Whether a GPU makes it faster.
    """

    threads: int
    memory_mb: float
    seconds: float
    disk_mb: float
    gpu: bool = False

    @property
    def runtime_min(self) -> int:
        """Minutes to ask a scheduler for: a generous multiple of what is expected."""
        return max(RUNTIME_MIN, math.ceil(RUNTIME_MARGIN * self.seconds / 60))


def most_threads(stage: str, machine: Machine) -> int:
    """Return how many threads a stage can use on a machine; for its arguments see `needs`."""
    return max(1, min(MODELS.get(stage, SMALL).threads, machine.cores))


def needs(stage: str, work: Work, machine: Machine, **arguments: Any) -> Needs:
    """Return what a job needs.

    Parameters
    ----------
    stage : str
        A method of `Pipeline`, or ``preflight``; one without a model of its own is small.
    work : Work
    machine : Machine
        Where it runs: its cores and how fast they are.
    **arguments
        The job's slice, run, network or figure; left out, it is the largest of them.
    """
    model = MODELS.get(stage, SMALL)
    cost = model.of(work, **arguments)
    threads = most_threads(stage, machine)
    workers = machine.gpu_speed if model.gpu and machine.gpu_speed else threads * machine.speed
    seconds = cost.alone / machine.speed + cost.shared / workers
    return Needs(threads, cost.memory_mb, seconds, OVERHEAD * cost.disk_mb, model.gpu)
