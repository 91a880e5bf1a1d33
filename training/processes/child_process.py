"""The child process that trains, or the launcher of several: started on this machine, tied to its
supervisor's life, and killed.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.conf import settings

from training.processes import environment, linux, machine, run_dir
from training.processes import launch as processes_launch
from training.processes.launch import Launch, Rendezvous

CHILD = "child.json"
"""The child's pid and start time, so that the next attempt can kill a child left behind."""
CARD_LOCK = ".card-"
VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
POLL_S = 0.2


def start(
    folder: Path,
    launch: Launch,
    *,
    n_gpus: int,
    memory_gb: int,
    title: str,
    extra_env: Mapping[str, str],
    cards: Sequence[str] = (),
    rendezvous: Rendezvous | None = None,
) -> "subprocess.Popen[bytes]":
    """Starts the child in a session of its own, so that it can be killed with everything it
    started. It dies with this process.

    `title` is written to the log first, `extra_env` is added to the inherited environment, and
    `cards` are the GPUs that the run has, if the node takes several runs at once; the child holds
    their locks as long as any of its processes lives. `rendezvous` is for a run on several
    machines. Raises launch.UnableToLaunch and
    NoSuchStrategy.
    """
    supervisor_pid = os.getpid()

    def bind_to_supervisor() -> None:
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != supervisor_pid:  # died between fork and now
            os._exit(1)

    inherited = environment.without_secrets() | {"PYTHONUNBUFFERED": "1"} | dict(extra_env)
    inherited[VISIBLE_DEVICES], inherited[processes_launch.SERVER_CARDS] = _devices(
        cards, inherited.get(VISIBLE_DEVICES, machine.ALL), launch, n_gpus, memory_gb
    )
    command = _command(folder, launch, n_gpus, rendezvous)
    with (folder / run_dir.LOG).open("ab") as log, _locked(cards) as locks:
        log.write(f"{title}\n".encode())
        log.flush()
        process = subprocess.Popen(  # noqa: S603 the command is the operator's own setting
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env=inherited,
            start_new_session=True,
            preexec_fn=bind_to_supervisor,
            pass_fds=locks,
        )
    run_dir.write_json(
        folder / CHILD, {"pid": process.pid, "started": linux.start_time(process.pid)}
    )
    return process


def kill_previous(folder: Path) -> None:
    """Kills the child of an earlier attempt if it outlived its supervisor, and waits until it is
    gone.
    """
    try:
        previous = json.loads((folder / CHILD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if previous["started"] and linux.start_time(previous["pid"]) == previous["started"]:
        kill_group(previous["pid"])
        while linux.start_time(previous["pid"]) == previous["started"]:
            time.sleep(POLL_S)


def kill_group(pid: int) -> None:
    """Kills the process with everything it started. A launcher's processes have groups of their
    own, but die with it.
    """
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def n_threads() -> int:
    """The number of idle cores: two busy processes on two cores slow torch down eightfold."""
    if settings.TRAINER_THREADS:
        return int(settings.TRAINER_THREADS)
    n_cores = len(os.sched_getaffinity(0))
    return max(1, round(n_cores - os.getloadavg()[0]))


def n_oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory: in this cgroup if it counts
    them, otherwise on this machine.
    """
    for path, key in (("/sys/fs/cgroup/memory.events", "oom_kill"), ("/proc/vmstat", "oom_kill")):
        with suppress(OSError):
            for line in Path(path).read_text().splitlines():
                name, _space, count = line.partition(" ")
                if name == key:
                    return int(count)
    return 0


@contextmanager
def _locked(cards: Sequence[str]) -> Iterator[list[int]]:
    """File descriptors of the cards' locks. A child whose run was killed may live for some seconds
    after its card was given away: the next one waits for its end.
    """
    folder = Path(settings.RUNS_DIR)
    with ExitStack() as stack:
        files = [stack.enter_context((folder / f"{CARD_LOCK}{card}").open("ab")) for card in cards]
        for file in files:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield [file.fileno() for file in files]


def _devices(
    cards: Sequence[str], node: str, launch: Launch, n_gpus: int, memory_gb: int
) -> tuple[str, str]:
    """(the GPUs of the training processes, those that are left for a vLLM server): `cards`, or
    some of those that the node may use.

    A single process sees at most one: with several visible, transformers' Trainer copies the model
    to each and multiplies the batch size.
    """
    if launch.is_parallel and not n_gpus:
        return "", ""
    least = memory_gb if n_gpus else 0
    chosen = list(cards) or machine.cards(max(n_gpus, 1), memory_gb=least, visible=node).split(",")
    n = launch.n_processes
    return ",".join(chosen[:n]), ",".join(chosen[n:])


def _command(folder: Path, launch: Launch, n_gpus: int, rendezvous: Rendezvous | None) -> list[str]:
    """One process directly, or accelerate's launcher with a config written for it."""
    if not launch.is_parallel:
        return [*settings.TRAINER_COMMAND, str(folder)]
    config = folder / processes_launch.CONFIG
    command = processes_launch.command(
        settings.TRAINER_COMMAND, config=str(config), folder=str(folder)
    )
    rendezvous = rendezvous or Rendezvous(port=free_port())
    run_dir.write_json(
        config, processes_launch.config_of(launch, n_gpus=n_gpus, rendezvous=rendezvous)
    )
    return command


def free_port() -> int:
    """A port where the run's processes can connect to one another on this machine."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
