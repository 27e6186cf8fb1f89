"""A dask scheduler with two workers in processes of their own, which can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


class Workers:
    """A dask scheduler and two workers, each a process of its own, without nannies."""

    def __init__(self, folder: Path) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        common = ("--no-dashboard", "--scheduler-file", str(file))
        self._start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common)
        while not file.exists():
            time.sleep(0.05)

        self.address = str(json.loads(file.read_text())["address"])
        self.workers = [
            self._start(
                "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--local-directory", str(folder), "--host", "127.0.0.1",
            )
            for _ in range(2)
        ]  # fmt: skip
        self._wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # what a test defines must be found there as well
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.started.append(process)
        return process

    def _wait(self) -> None:
        import distributed

        with distributed.Client(self.address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def kill(self, index: int) -> None:
        self.workers[index].send_signal(signal.SIGKILL)
        self.workers[index].wait()

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
