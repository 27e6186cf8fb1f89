"""A real SLURM of one node with one processor, on loopback, with its files in one folder.

For machines where Debian's packages slurmctld, slurmd, slurm-client and munge are installed, the
tests run as root, and no SLURM is set up. Beside the folder only a link is made, and taken away,
where SLURM's commands look for their configuration: Snakemake's jobs do not pass ``SLURM_CONF`` on.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
#: Where SLURM's commands look for their configuration.
KNOWN = Path("/etc/slurm/slurm.conf")
#: Seconds for daemons to start and to stop.
PATIENCE = 30
#: Seconds between two looks of SLURM at the memory of its jobs.
LOOK_SECONDS = 1

CONFIG = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/sock
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task={look}
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
MinJobAge=7200
KillWait=2
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
NodeName={host} NodeAddr=127.0.0.1 CPUs=1 RealMemory={memory} State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=UNLIMITED State=UP
"""


def missing() -> str | None:
    """Return why no SLURM can be started here, if it cannot."""
    if os.geteuid():
        return "SLURM's daemons are started by root only"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)}: not installed; apt-get install slurm-wlm munge"
    if _left_behind():
        KNOWN.unlink()
    if KNOWN.exists() or KNOWN.is_symlink():
        return f"{KNOWN}: there is a SLURM on this machine, which is left alone"
    return None


def _left_behind() -> bool:
    """Return whether a test that was killed left its link, and no daemon."""
    if not (KNOWN.is_symlink() and any("pytest-" in part for part in KNOWN.readlink().parts)):
        return False
    return "UP" not in ask(["scontrol", "ping"], {"SLURM_CONF": str(KNOWN)})


@contextmanager
def one_node(folder: Path) -> Iterator[dict[str, str]]:
    """Start SLURM; yield the environment variables by which its commands find it; stop it.

    Raises
    ------
    RuntimeError
        If it does not come up.
    """
    folder.chmod(0o755)
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir(mode=0o711)
    host = socket.gethostname().split(".")[0]
    config = folder / "slurm.conf"
    config.write_text(
        CONFIG.format(
            host=host, folder=folder, ports=_free_ports(2), memory=_memory_mb(), look=LOOK_SECONDS
        )
    )
    where = {"SLURM_CONF": str(config)}
    KNOWN.parent.mkdir(exist_ok=True)
    KNOWN.symlink_to(config)
    pids = [folder / "slurmd.pid", folder / "slurmctld.pid", folder / "munge/pid"]
    try:
        _start_munge(folder / "munge")
        _daemon(["slurmctld", "-c", "-f", str(config)], where)
        _wait_for(["scontrol", "ping"], "UP", where)
        _daemon(["slurmd", "-f", str(config)], where)
        _wait_for(["sinfo", "--noheader", "--format=%T"], "idle", where)
        yield where
    finally:
        with suppress(OSError, subprocess.SubprocessError):
            ask(["scancel", "--user=root"], where)
        for pid in pids:
            _stop(pid)
        KNOWN.unlink()


def ask(command: list[str], where: dict[str, str]) -> str:
    """Return what one of SLURM's commands prints."""
    done = subprocess.run(
        command,
        env={**os.environ, **where},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


def queued(where: dict[str, str], *, every: bool = False) -> list[tuple[str, str, str]]:
    """Return number, state and comment of the jobs that are not over, or of every one."""
    states = ["--states=all"] if every else []
    lines = ask(["squeue", "--noheader", "--format=%i|%T|%k", *states], where).splitlines()
    return [(number, state, comment) for number, state, comment in (x.split("|") for x in lines)]


def _start_munge(folder: Path) -> None:
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    files = {"key": "key", "socket": "sock", "pid": "pid", "log": "log", "seed": "seed"}
    flags = [
        f"--{flag}{'' if flag == 'socket' else '-file'}={folder / name}"
        for flag, name in files.items()
    ]
    _daemon(["munged", "--force", *flags], {})


def _daemon(command: list[str], where: dict[str, str]) -> None:
    """Start a daemon that puts itself in the background; it holds none of our files open."""
    subprocess.run(
        command,
        env={**os.environ, **where},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=PATIENCE,
        start_new_session=True,
    )


def _wait_for(command: list[str], word: str, where: dict[str, str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while word not in ask(command, where):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(command)} does not say {word}")
        time.sleep(0.3)


def _stop(pid_file: Path) -> None:
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _memory_mb() -> int:
    """Return what the node may give its jobs: half of the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**21
