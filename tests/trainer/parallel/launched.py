"""A run in several processes: the command that a supervisor starts, with accelerate's launcher."""

import json
import os
import subprocess
import sys

import services

from tests.trainer import runs
from training.processes import launch as processes_launch
from training.processes import run_dir
from training.processes.launch import Launch, Rendezvous
from training.processes.run_dir import RunFolder

LIMIT_S = 240
"""A process that waits for one that has left would wait for half an hour."""


def launched(folder: RunFolder, launch: Launch, **fsdp: str) -> subprocess.CompletedProcess[str]:
    """`fsdp`: what differs in accelerate's settings of FSDP.

    Raises subprocess.TimeoutExpired where one process waits for another for ever."""
    config = folder.path / processes_launch.CONFIG
    rendezvous = Rendezvous(port=services.free_port())
    settings = processes_launch.config_of(launch, n_gpus=0, rendezvous=rendezvous)
    if fsdp:
        settings["fsdp_config"] |= fsdp
    config.write_text(json.dumps(settings))
    done = subprocess.run(
        processes_launch.command(
            [sys.executable, "-m", "training.trainer"],
            config=str(config),
            folder=str(folder.path),
        ),
        cwd=runs.ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    (folder.path / run_dir.LOG).write_text(done.stdout + done.stderr)
    return done
