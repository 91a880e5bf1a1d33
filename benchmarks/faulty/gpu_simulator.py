"""A whole site in processes that may be killed: database, broker, web, beat, short worker, and GPU
nodes without a shared disk.

A process that dies is restarted after a second, as systemd does. Nodes share only the database, the
broker and the store.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import services

ROOT = Path(__file__).resolve().parents[2]
NODE = [
    "-Q",
    "gpu",
    "-c",
    "1",
    "--pool-start-method",
    "spawn",
    "--max-tasks-per-child",
    "1",
    "--disable-prefetch",
]
QUIET = ["--without-gossip", "--without-mingle"]
RESTART_S = 1.0
NODE_DISK = "96m"


@dataclass
class GpuSimulator:
    """`processes` holds the processes that should run, by name; the keeper restarts them. `home`
    is deleted at the end.
    """

    home: Path
    database: services.Postgres
    broker_port: int
    web_port: int
    environment: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    commands: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    held_down: set[str] = field(default_factory=set)
    mounted: set[Path] = field(default_factory=set)
    n_starts: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    is_over: bool = False

    @property
    def store(self) -> Path:
        return self.home / "store"

    @property
    def broker_data(self) -> Path:
        return self.home / "broker"

    @property
    def nodes(self) -> list[str]:
        return [name for name in self.commands if name.startswith("node")]

    def node_home(self, node: str) -> Path:
        return self.home / node

    def begin(self) -> None:
        for folder in (self.broker_data, self.store, self.home / "log", self.home / "site"):
            folder.mkdir(parents=True)
        self.database.start()
        self.add("broker", self.broker_command())

    def broker_command(self) -> list[str]:
        options = [
            "--port",
            str(self.broker_port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.broker_data),
            "--save",
            "",
        ]
        return [services.redis_binary(), *options, "--appendonly", "yes"]

    def add_site(self) -> None:
        python = [sys.executable, "-m"]
        web = [
            *python,
            "gunicorn",
            "config.wsgi",
            "--bind",
            f"127.0.0.1:{self.web_port}",
            "--workers",
            "1",
            "--threads",
            "4",
        ]
        self.add("web", [*web, "--no-control-socket", "--log-level", "error"])
        self.add(
            "beat", [*python, "celery", "-A", "config", "beat", "--pidfile=", "--max-interval", "2"]
        )
        self.add(
            "short",
            [
                *python,
                "celery",
                "-A",
                "config",
                "worker",
                "-Q",
                "short",
                "-c",
                "1",
                *QUIET,
                "-n",
                "short@rack",
            ],
        )

    def add_node(self, node: str) -> None:
        """A new machine: an empty folder, on its own small disk if this process may mount one."""
        home = self.node_home(node)
        home.mkdir(parents=True)
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={NODE_DISK}", "tmpfs", str(home)],
            capture_output=True,
        )
        if mount.returncode == 0:
            self.mounted.add(home)
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            *NODE,
            *QUIET,
            "-n",
            f"{node}@rack",
            "-l",
            "INFO",
        ]
        self.add(node, command, {"PREFERABLY_HOME": str(home), "PREFERABLY_NODE": node})

    def lose_node(self, node: str) -> None:
        """Switches the machine off for good and deletes its disk."""
        with self.lock:
            self.commands.pop(node)
            self.kill(node)
            self.processes.pop(node, None)
        self._unmount(self.node_home(node))
        shutil.rmtree(self.node_home(node), ignore_errors=True)

    def add(self, name: str, command: list[str], more: dict[str, str] | None = None) -> None:
        with self.lock:
            self.commands[name] = (command, more or {})
            self._start(name)

    def kill(self, name: str) -> None:
        """Kills the process and all its children with -9."""
        process = self.processes.get(name)
        if process is not None:
            for pid in [process.pid, *descendants(process.pid)]:
                end(pid)
            process.wait(timeout=20)

    @contextlib.contextmanager
    def down(self, name: str) -> Iterator[None]:
        """The keeper does not restart it until the block ends."""
        self.held_down.add(name)
        try:
            yield
        finally:
            self.held_down.discard(name)

    def keep(self) -> None:
        """Restarts processes until `is_over`."""
        while not self.is_over:
            time.sleep(RESTART_S)
            with self.lock:
                for name in [*self.commands]:
                    if (
                        not (self.is_over or name in self.held_down)
                        and self.processes[name].poll() is not None
                    ):
                        self._start(name)

    def finish(self) -> None:
        self.is_over = True
        with self.lock:
            for name in [*self.processes]:
                self.kill(name)
        for home in [*self.mounted]:
            self._unmount(home)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.database.stop()
        self.database.remove()
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self, name: str) -> str:
        return (self.home / "log" / f"{name}.log").read_text(errors="replace")

    def _start(self, name: str) -> None:
        command, more = self.commands[name]
        self.n_starts += 1
        with (self.home / "log" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _unmount(self, home: Path) -> None:
        if home in self.mounted:
            subprocess.run(["umount", "--lazy", str(home)], capture_output=True)
            self.mounted.discard(home)


def end(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def descendants(pid: int) -> list[int]:
    """All descendants, deepest first, whichever thread started them."""
    children = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            children += [int(word) for word in (thread / "children").read_text().split()]
    return [found for child in children for found in [*descendants(child), child]]


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
