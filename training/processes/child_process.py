"""The process that trains, or the launcher of several: started on this machine, bound to its
supervisor's life, and ended.
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from training.processes import environment, linux, machine, run_dir
from training.processes import launch as processes_launch
from training.processes.launch import Launch, Meeting

CHILD = "child.json"
"""Who it was, so that the next attempt ends one that has outlived its supervisor."""
VISIBLE = "CUDA_VISIBLE_DEVICES"
LOOK_S = 0.2


def start(
    folder: Path,
    launch: Launch,
    *,
    n_gpus: int,
    memory_gb: int,
    title: str,
    more: Mapping[str, str],
    meeting: Meeting | None = None,
) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that it can be ended with all it started, and bound to this
    process's life.

    `title` is the first line in the log, `more` is added to what it inherits, `meeting` is for a
    run on several machines. Raises launching.UnableToLaunch.
    """
    supervisor_pid = os.getpid()

    def bind_to_supervisor() -> None:
        linux.die_with_parent(signal.SIGKILL)
        if os.getppid() != supervisor_pid:  # died between fork and now
            os._exit(1)

    inherited = environment.harmless() | {"PYTHONUNBUFFERED": "1"} | dict(more)
    inherited[VISIBLE] = _visible(inherited.get(VISIBLE, machine.ALL), launch, n_gpus, memory_gb)
    command = _command(folder, launch, n_gpus, meeting)
    with (folder / run_dir.LOG).open("ab") as log:
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
        )
    run_dir.write_json(folder / CHILD, {"pid": process.pid, "started": linux.started(process.pid)})
    return process


def end_previous(folder: Path) -> None:
    """An older attempt's child on this node, should one have outlived its supervisor, ends before
    the next begins.
    """
    try:
        previous = json.loads((folder / CHILD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if previous["started"] and linux.started(previous["pid"]) == previous["started"]:
        end_group(previous["pid"])
        while linux.started(previous["pid"]) == previous["started"]:
            time.sleep(LOOK_S)


def end_group(pid: int) -> None:
    """With all that it started: the processes of a launcher have groups of their own, and die with
    it.
    """
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def n_threads() -> int:
    """The cores left free: two busy processes on two cores slow torch eightfold."""
    if settings.TRAINER_THREADS:
        return int(settings.TRAINER_THREADS)
    n_cores = len(os.sched_getaffinity(0))
    return max(1, round(n_cores - os.getloadavg()[0]))


def n_oom_kills() -> int:
    """How often the kernel has killed for want of memory: in this control group where that is told,
    else on this machine.
    """
    for path, key in (("/sys/fs/cgroup/memory.events", "oom_kill"), ("/proc/vmstat", "oom_kill")):
        with suppress(OSError):
            for line in Path(path).read_text().splitlines():
                name, _space, count = line.partition(" ")
                if name == key:
                    return int(count)
    return 0


def _visible(node: str, launch: Launch, n_gpus: int, memory_gb: int) -> str:
    """The cards that the run asked for, of those that the node may use.

    A process by itself is shown one, where there is one: seeing several, transformers' Trainer
    copies the model to each and takes batches as many times as large.
    """
    if launch.is_parallel and not n_gpus:
        return ""
    return machine.cards(
        n_gpus if launch.is_parallel else 1, memory_gb=memory_gb if n_gpus else 0, visible=node
    )


def _command(folder: Path, launch: Launch, n_gpus: int, meeting: Meeting | None) -> list[str]:
    """One process by itself, or accelerate's launcher with a config that is written for it."""
    if not launch.is_parallel:
        return [*settings.TRAINER_COMMAND, str(folder)]
    config = folder / processes_launch.CONFIG
    command = processes_launch.command(
        settings.TRAINER_COMMAND, config=str(config), folder=str(folder)
    )
    meeting = meeting or Meeting(port=free_port())
    run_dir.write_json(config, processes_launch.config_of(launch, n_gpus=n_gpus, meeting=meeting))
    return command


def free_port() -> int:
    """Where the processes of a run can find one another on this machine."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
