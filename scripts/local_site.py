"""The whole site in one process tree: broker, web, two workers and beat, all writing below one
folder. `demo` and `loop` use it.

All processes end with the process that started them, even after kill -9: on Linux at once
(parent-death signal), elsewhere at the next start, which ends processes in the pid file that are
still the same.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import services

_FILES = Path(__file__).resolve().parent.parent
IS_INSTALLED = not (_FILES / "manage.py").exists()
"""From a wheel, where this file is preferably/scripts/local_site.py."""
ROOT = _FILES.parent if IS_INSTALLED else _FILES
"""The folder with our packages."""
MANAGE = [sys.executable, "-m", "preferably", "manage"]
ON_LINUX = sys.platform == "linux"


@dataclass
class LocalSite:
    """What to run and where. `process` holds the started processes by name."""

    home: Path
    port: int
    database: str
    broker_port: int = field(default_factory=services.free_port)
    process: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.home / "pids.json"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PREFERABLY_MODE": "demo",
            "PREFERABLY_HOME": str(self.home),
            "PREFERABLY_SECRET_KEY": secret_key(self.home),
            "DATABASE_URL": self.database,
            "REDIS_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "PYTHONUNBUFFERED": "1",
        }

    def log(self, name: str) -> Path:
        return self.home / "log" / f"{name}.log"


@contextlib.contextmanager
def process_tree(site: LocalSite) -> Iterator[LocalSite]:
    """Ends all processes of `site` when the block ends, also on Ctrl-C and on a TERM signal."""
    for asked_to_end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_end, interrupt)
    site.log("any").parent.mkdir(parents=True, exist_ok=True)
    end_leftovers(site.pid_file)
    try:
        yield site
    finally:
        stop(site)


def interrupt(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def start_broker(site: LocalSite) -> None:
    data = site.home / "broker"
    data.mkdir(parents=True, exist_ok=True)
    options = [
        "--port",
        str(site.broker_port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(data),
        "--save",
        "",
        "--appendonly",
        "yes",
    ]
    start(site, "broker", [services.valkey_binary(), *options])
    services.wait(
        lambda: services.broker_answers(site.broker_port),
        site.process["broker"],
        site.log("broker"),
    )


def start_site(site: LocalSite) -> None:
    web = (
        f"gunicorn config.wsgi --bind 127.0.0.1:{site.port} --workers 2 --threads 4 --preload"
        " --timeout 120 --keep-alive 75 --no-control-socket"
    )
    worker = (
        "celery --app config worker --without-gossip --without-mingle --disable-prefetch"
        " --concurrency 1"
    )
    start(site, "web", python_module(web))
    # A fresh process for each run: a forked one could not use the GPU, and memory is freed
    # between runs.
    start(
        site,
        "runs",
        python_module(
            f"{worker} -n runs@%h -Q gpu --pool-start-method spawn --max-tasks-per-child 1"
        ),
    )
    start(site, "short", python_module(f"{worker} -n short@%h -Q short"))
    threads = "celery --app config worker --without-gossip --without-mingle -P threads -c 4"
    start(site, "models", python_module(f"{threads} -n models@%h -Q models"))
    start(site, "beat", python_module("celery --app config beat"))
    services.wait(lambda: answers(site), site.process["web"], site.log("web"))


def python_module(words: str) -> list[str]:
    return [sys.executable, "-m", *words.split()]


def manage(site: LocalSite, *arguments: str, **more: str) -> str:
    """The output of one of Django's commands. If it fails, startup ends with its output."""
    code, output = services.output_of(
        [*MANAGE, *arguments], arguments[0], cwd=ROOT, env=site.environment | more
    )
    if code:
        raise SystemExit(
            f"The command {' '.join(arguments)} exited with code {code}. See the error above."
        )
    return output


def start(site: LocalSite, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
    with open(site.log(name), "ab") as log:
        # In its own session, so that only the launcher gets Ctrl-C. It then ends the others in
        # order.
        site.process[name] = subprocess.Popen(
            command,
            cwd=ROOT,
            env=site.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=services.die_with_parent,
        )
    records = [
        {"name": name, "pid": process.pid, "started": start_time(process.pid)}
        for name, process in site.process.items()
    ]
    site.pid_file.write_text(json.dumps(records))
    return site.process[name]


def stop(site: LocalSite, patience_s: float = 5) -> None:
    """Asks all processes except the broker to end, kills them after `patience_s`, then ends the
    broker.

    A run in progress is queued again at the next start and resumes from its checkpoint.
    """
    broker = site.process.get("broker")
    others = [process for process in site.process.values() if process is not broker]
    for process in others:
        process.terminate()
    deadline = time.monotonic() + patience_s
    for process in others:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        kill_group(process.pid)
        process.wait()
    if broker is not None:
        broker.terminate()
        broker.wait(timeout=20)
    site.process.clear()
    site.pid_file.unlink(missing_ok=True)


def end_leftovers(pid_file: Path) -> None:
    """Kills the processes of a killed launcher: each group in its pid file whose leader is gone or
    still the one that was started.
    """
    if not pid_file.exists():
        return
    for record in json.loads(pid_file.read_text() or "[]"):
        if start_time(record["pid"]) in (None, record["started"]):
            kill_group(record["pid"])
    pid_file.unlink()


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def start_time(pid: int) -> str | None:
    """When the process was started, in the system's own format; None if there is no such
    process.
    """
    if ON_LINUX:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return None
    return (
        subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True
        ).stdout.strip()
        or None
    )


def answers(site: LocalSite) -> bool:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"{site.address}/healthz", timeout=10) as response,  # noqa: S310
    ):  # our own http URL
        return bool(response.status == 200)
    return False


def secret_key(home: Path) -> str:
    """The folder's secret key, created on first use, so that sessions survive a restart."""
    file = home / "secret_key"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        file.write_text(services.secret())
        file.chmod(0o600)
    return file.read_text()
