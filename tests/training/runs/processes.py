"""Real processes for the kill tests: a broker, Celery workers and supervisors, on the test's own
database and folders.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import services as servers
from celery import Celery
from django.conf import settings
from django.db import connection

from training.processes.linux import start_time

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = f"{sys.executable} -m tests.training.runs.stand_in_child"
REAL_TRAINER = f"{sys.executable} -m training.trainer"


def until(claim: Callable[[], object], what: str, limit_s: float = 240) -> None:
    """Waits for another process; fails with `what` when it does not come. The limit is for a
    machine that does ten things.
    """
    deadline = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < deadline, f"not within {limit_s:.0f} s: {what}"
        time.sleep(0.02)


@dataclass
class Processes:
    """What a test has started. All of it is gone when the test ends."""

    home: Path
    trainer: str = STAND_IN
    stall_after_s: int = 600
    port: int = field(default_factory=servers.free_port)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start_broker(self) -> "subprocess.Popen[bytes]":
        command = [
            servers.redis_binary(),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.home),
            "--save",
            "",
        ]
        broker = self._start(command, "broker")
        until(lambda: _answers(self.port), "the broker answers")
        return broker

    def start_worker(
        self, name: str = "worker", node: str = "", n_processes: int = 1, **more: str
    ) -> "subprocess.Popen[bytes]":
        """As docs/operators.md has it for a GPU node; `node` is what the machine is called, where
        there are two on one.
        """
        options = [
            "-Q",
            "gpu",
            "-c",
            str(n_processes),
            "--pool-start-method",
            "spawn",
            "--max-tasks-per-child",
            "1",
            "--disable-prefetch",
        ]
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            *options,
            "-n",
            f"{name}@test",
        ]
        return self._start(command, name, ({"PREFERABLY_NODE": node} if node else {}) | more)

    def start_short_worker(
        self, name: str = "short", n_processes: int = 1
    ) -> "subprocess.Popen[bytes]":
        options = ["-Q", "short", "-c", str(n_processes), "-n", f"{name}@test"]
        return self._start(
            [sys.executable, "-m", "celery", "-A", "config", "worker", *options], name
        )

    def start_models_worker(
        self, broker_url: str, name: str = "models", **more: str
    ) -> "subprocess.Popen[bytes]":
        """As docs/operators.md has it for the worker that models are tried on, at a broker that is
        there already.
        """
        options = ["-Q", "models", "-P", "threads", "-c", "4", "-n", f"{name}@test"]
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", *options]
        return self._start(command, name, {"REDIS_URL": broker_url} | more)

    def advance(self, chain_id: int) -> None:
        with Celery(broker=self.broker_url) as app:
            app.send_task(
                "training.schedules.tasks.advance_chain",
                kwargs={"chain_id": chain_id},
                queue="short",
            )

    def start_supervisor(self, run_id: int, name: str = "supervisor") -> "subprocess.Popen[bytes]":
        return self._start(
            [sys.executable, "manage.py", "supervise", str(run_id)], f"{name}-{run_id}"
        )

    def ring(self, run_id: int) -> None:
        with Celery(broker=self.broker_url) as app:
            app.send_task("training.runs.tasks.execute_run", kwargs={"run_id": run_id}, queue="gpu")

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def _start(
        self, command: list[str], name: str, more: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self._environment() | (more or {}),
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        database = connection.settings_dict
        address = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
        return os.environ | {
            "PREFERABLY_MODE": "test",
            "PREFERABLY_HOME": str(self.home),
            "DATABASE_URL": address,
            "REDIS_URL": self.broker_url,
            "PREFERABLY_RUN_HEARTBEAT_S": "1",
            "PREFERABLY_RUN_STALL_AFTER_S": str(self.stall_after_s),
            "PREFERABLY_TRAINER": self.trainer,
            "PREFERABLY_TRAINER_THREADS": "1",
        }


@contextlib.contextmanager
def processes(home: Path) -> Iterator[Processes]:
    running = Processes(home)
    try:
        yield running
    finally:
        for process in reversed(running.started):
            for pid in [*descendants(process.pid), process.pid]:
                kill(pid)
            process.wait(timeout=60)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Children and theirs, the deepest first, whichever thread has started them."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in sorted(Path(f"/proc/{pid}/task").iterdir()):
            with contextlib.suppress(OSError):  # a thread that has just ended
                children += map(int, (thread / "children").read_text().split())
    return [found for child in children for found in [*descendants(child), child]]


def is_alive(pid: int) -> bool:
    return start_time(pid) != ""


def run_folder(run_id: int) -> Path:
    return Path(settings.RUNS_DIR) / str(run_id)


def _answers(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=1) as s,
    ):
        s.sendall(b"PING\r\n")
        return s.recv(16).startswith(b"+PONG")
    return False
