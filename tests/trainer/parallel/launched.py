"""A run in several processes: `launched` starts them warm, `with_launcher` runs the command that a
supervisor starts, with accelerate's launcher, which takes ten seconds of a core longer.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import services
from accelerate.commands import launch as accelerate_launch
from accelerate.utils.launch import prepare_multi_gpu_env

from tests.trainer import runs, warm
from training.processes import launch as processes_launch
from training.processes import run_dir
from training.processes.launch import Launch, Rendezvous
from training.processes.run_dir import RunFolder

Start = Callable[[RunFolder, Launch], subprocess.CompletedProcess[str]]
LIMIT_S = 240
"""A process that waits for one that has left would wait for half an hour."""
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}


def launched(folder: RunFolder, launch: Launch, **fsdp: str) -> subprocess.CompletedProcess[str]:
    """The run in processes forked from one that has imported torch. `fsdp`: what differs in
    accelerate's settings of FSDP.
    """
    return together(warm.carry_out, folder, launch, **fsdp)


def together(
    work: Callable[[Path], None], folder: RunFolder, launch: Launch, **fsdp: str
) -> subprocess.CompletedProcess[str]:
    """`work` in forked processes, with the environment that accelerate's launcher gives them.

    Raises subprocess.TimeoutExpired where one process waits for another forever."""
    parsed = accelerate_launch.launch_command_parser().parse_args(
        command(folder, launch, **fsdp)[3:]
    )
    settled, _, _ = accelerate_launch._validate_launch_command(parsed)
    settings = prepare_multi_gpu_env(settled) | NO_GPU
    return warm.together(
        work,
        folder.path,
        environments=[
            settings | environment
            for environment in ranks(launch.n_processes, int(settled.main_process_port))
        ],
        log=folder.path / run_dir.LOG,
        limit_s=LIMIT_S,
    )


def with_launcher(
    folder: RunFolder, launch: Launch, **fsdp: str
) -> subprocess.CompletedProcess[str]:
    """As `launched`, with new interpreters."""
    done = subprocess.run(
        command(folder, launch, **fsdp),
        cwd=runs.ROOT,
        env=os.environ | NO_GPU,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    (folder.path / run_dir.LOG).write_text(done.stdout + done.stderr)
    return done


def command(folder: RunFolder, launch: Launch, **fsdp: str) -> list[str]:
    """Writes the launcher's config and returns its command, both as a supervisor does."""
    config = folder.path / processes_launch.CONFIG
    rendezvous = Rendezvous(port=services.free_port())
    settings = processes_launch.config_of(launch, n_gpus=0, rendezvous=rendezvous)
    if fsdp:
        settings["fsdp_config"] |= fsdp
    config.write_text(json.dumps(settings))
    return processes_launch.command(
        [sys.executable, "-m", "training.trainer"], config=str(config), folder=str(folder.path)
    )


def ranks(n: int, port: int) -> list[dict[str, str]]:
    """What torch's launcher tells each of `n` processes of one machine about its place."""
    return [
        {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(n),
            "LOCAL_WORLD_SIZE": str(n),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        for rank in range(n)
    ]
