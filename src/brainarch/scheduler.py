"""Workers of a dask cluster, among which a stage shares out its work.

What they compute goes back to the stage, which alone writes. A worker that dies is survived: what
it had is computed again by another, from the same numbers, so that no bit depends on it.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar

import brainarch
from brainarch.errors import InputError

#: How a scheduler may be named: by its address, or as workers to start here or through SLURM.
ADDRESS = re.compile(r"[a-z]+://[^\s]+")
STARTED = re.compile(r"(local|slurm):([1-9]\d*)")
#: Seconds to wait for a scheduler, and for the first worker.
PATIENCE, FIRST_WORKER = 10, 600
#: Seconds between looks whether there still are workers, and looks without one before it ends.
LOOK_SECONDS, LOOKS = 20, 15
#: Tasks that are with the cluster beyond those that it can work on: they are on their way.
AHEAD = 2
#: Libraries whose version may decide about bits.
LIBRARIES = ("numpy", "torch", "numba")

Item = TypeVar("Item")
Result = TypeVar("Result")


class Scheduler:
    """Connected workers.

    Parameters
    ----------
    client : distributed.Client

    Attributes
    ----------
    threads : int
        Of all workers together, when the stage began.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.threads = sum(client.nthreads().values())

    def put(self, value: Any) -> Any:
        """Send a value once; the future that stands for it may be given to `submit`.

        The scheduler keeps it, so that it outlives the workers.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self._client.submit(_itself, value, pure=False)

    def submit(self, work: Callable[..., Result], *arguments: Any) -> Any:
        """Have one thing done; `result` waits for it."""
        return self._client.submit(work, *arguments, pure=False)

    def result(self, future: Any) -> Any:
        """Wait for what `submit` returned.

        Raises
        ------
        InputError
            If workers died of it again and again, or all are gone and none comes.
        """
        killed: Any = importlib.import_module("distributed").KilledWorker
        without = 0
        while without < LOOKS:
            try:
                return future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                without = 0 if self._client.nthreads() else without + 1
            except killed:
                raise InputError(
                    "scheduler: several workers died of the same piece of work, most likely for "
                    "want of memory; give each more"
                ) from None
        raise InputError("scheduler: all workers are gone; start `dask worker` and run this again")

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Do something with each item; yield the results in order, a few tasks being on the way."""
        left = iter(items)
        waiting = deque(self.submit(work, item) for item in islice(left, self.threads + AHEAD))
        while waiting:
            yield self.result(waiting.popleft())
            waiting.extend(self.submit(work, item) for item in islice(left, 1))


@contextmanager
def connect(name: str | None) -> Iterator[Scheduler | None]:
    """Connect to a cluster whose workers run the same software.

    Parameters
    ----------
    name : str or None
        Address of a dask scheduler (tcp://host:8786); local:N starts N processes of one thread
        here; slurm:N sends N workers to SLURM, as dask's own settings say (``jobqueue.slurm``).
        None: there is no cluster, and None is yielded.

    Raises
    ------
    InputError
        If nobody answers, there is no worker, or the workers' versions are others.
    """
    if name is None:
        yield None
        return
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise InputError(
            "scheduler: dask.distributed is not installed; pip install 'brainarch[cluster]'"
        ) from None
    started = STARTED.fullmatch(name)
    if started is None and not ADDRESS.fullmatch(name):
        raise InputError(
            f"scheduler {name}: wanted an address such as tcp://host:8786, or local:4 or slurm:4"
        )
    with _cluster(distributed, started) if started else _nothing() as cluster:
        try:
            client = distributed.Client(
                cluster.scheduler_address if cluster else name,
                timeout=PATIENCE,
                set_as_default=False,
            )
        except (OSError, TimeoutError, ValueError):
            raise InputError(
                f"scheduler {name}: no dask scheduler answers there; start one with "
                "`dask scheduler` and workers with `dask worker`"
            ) from None
        with client:
            if started:
                _wait_for_first(client, name)
            _check(client, name)
            yield Scheduler(client)


def software() -> tuple[str, ...]:
    """Return the versions that must be the same everywhere."""
    return (f"brainarch {brainarch.__version__}", *(f"{x} {version(x)}" for x in LIBRARIES))


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


@contextmanager
def _cluster(distributed: Any, started: re.Match[str]) -> Iterator[Any]:
    """Start workers here or through SLURM, and end them."""
    kind, count = started[1], int(started[2])
    if kind == "local":
        options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": None}
        with distributed.LocalCluster(n_workers=count, **options) as cluster:
            yield cluster
        return
    try:
        jobqueue: Any = importlib.import_module("dask_jobqueue")
    except ImportError:
        raise InputError(
            "scheduler slurm: dask-jobqueue is not installed; pip install 'brainarch[slurm]'"
        ) from None
    try:
        cluster = jobqueue.SLURMCluster()
    except ValueError as error:
        raise InputError(
            f"scheduler slurm: {' '.join(str(error).split())}; say it in dask's settings, "
            "jobqueue.slurm (docs/cluster.md)"
        ) from None
    with cluster:
        cluster.scale(count)
        yield cluster


def _wait_for_first(client: Any, name: str) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER)
    except TimeoutError:
        raise InputError(f"scheduler {name}: no worker came in {FIRST_WORKER} s") from None


def _check(client: Any, name: str) -> None:
    if not client.nthreads():
        raise InputError(f"scheduler {name}: it has no workers; start `dask worker`")
    try:
        found = set(client.run(software).values())
    except ImportError as error:
        raise InputError(f"scheduler {name}: a worker lacks {error.name}") from None
    if found != {software()}:
        theirs = "; ".join(", ".join(versions) for versions in sorted(found))
        raise InputError(
            f"scheduler {name}: workers run {theirs}, this process {', '.join(software())}; "
            "install the same versions"
        )


def _itself(value: Any) -> Any:
    return value
