"""Children that start warm: forked from a process that has imported what a run needs and done
nothing else. A fresh interpreter imports for four seconds before its first step.

For tests of what a run does. How the real command starts is tested in test_main.py, and how
accelerate's launcher starts several processes, in parallel/test_sharded.py.
"""

import json
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from training.processes import linux

IMPORTED = "tests.trainer.warm.imports"
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([IMPORTED])


def as_child(folder: Path) -> subprocess.CompletedProcess[str]:
    """As runs.as_child. `stderr` has what the child has written to stdout, too."""
    return together(
        carry_out, folder, environments=[{}], log=folder.with_name(f"{folder.name}.log")
    )


def started(folder: Path) -> ForkServerProcess:
    """A child that the test ends itself."""
    log = folder.with_name(f"{folder.name}.log")
    child = _forks.Process(
        target=_prepared, args=(carry_out, (folder,), dict(os.environ), log), daemon=True
    )
    child.start()
    return child


def carry_out(folder: Path) -> None:
    """What `python -m training.trainer FOLDER` does."""
    sys.exit(sys.modules["training.trainer.__main__"].main([str(folder)]))


def together(
    work: Callable[..., None],
    *arguments: object,
    environments: Sequence[Mapping[str, str]],
    log: Path,
    limit_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """`work(*arguments)` in one process for each environment, all writing to one log.

    When one fails, the others are killed, as torch's launcher does; the exit code is that of the
    first that failed. Raises subprocess.TimeoutExpired.
    """
    log.unlink(missing_ok=True)
    children = [
        _forks.Process(target=_prepared, args=(work, arguments, dict(environment), log))
        for environment in environments
    ]
    try:
        for child in children:
            child.start()
        code = _exit_code(children, limit_s)
    finally:
        for child in children:
            child.kill()
            child.join()
    return subprocess.CompletedProcess([*map(str, arguments)], code, stderr=log.read_text())


def _exit_code(children: Sequence[ForkServerProcess], limit_s: float | None) -> int:
    """Waits until all have succeeded or one has failed."""
    running = list(children)
    deadline = None if limit_s is None else time.monotonic() + limit_s
    while running:
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        ended = connection.wait([child.sentinel for child in running], timeout=left)
        if not ended:
            raise subprocess.TimeoutExpired("warm children", limit_s or 0)
        for child in [child for child in running if child.sentinel in ended]:
            child.join()
            if child.exitcode:
                return child.exitcode
            running.remove(child)
    return 0


def _prepared(
    work: Callable[..., None], arguments: Sequence[object], environment: dict[str, str], log: Path
) -> None:
    assert IMPORTED in sys.modules, "The fork server could not import what a run needs."
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, sys.stdout.fileno())
    os.dup2(written, sys.stderr.fileno())
    os.environ |= environment
    work(*arguments)


@contextmanager
def serving(prepare: Callable[[], None] | None = None) -> Iterator[list[str]]:
    """The command of a trainer that starts warm, for settings.TRAINER_COMMAND, in runs of several
    processes, or for a site that is another process. `prepare` is called before the first.

    What accelerate's launcher starts is client.py: it starts in a tenth of a second, and a
    trainer forked here lives and dies with it. Tests of how processes die start the real one.
    """
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address = f"{folder}/socket"
        server = _forks.Process(target=_serve, args=(address, prepare), daemon=True)
        server.start()
        while not Path(address).exists():
            assert server.is_alive(), "The server of warm trainers did not start."
            time.sleep(0.02)
        try:
            yield [sys.executable, "-m", "tests.trainer.warm.client", address]
        finally:
            server.kill()
            server.join()


def _serve(address: str, prepare: Callable[[], None] | None) -> None:
    """Forks a process for each client, which forks its trainer."""
    assert IMPORTED in sys.modules, "The fork server could not import what a run needs."
    if prepare is not None:
        prepare()
    linux.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel clears away those that have ended
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        os.rename(f"{address}.new", address)
        while True:
            client, _ = listener.accept()
            if not os.fork():
                listener.close()
                _trained(client)
            client.close()


def _trained(client: socket.socket) -> None:
    """Ends this process with the trainer; kills the trainer if the client ends first."""
    linux.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, outputs, _, _ = socket.recv_fds(client, 1 << 20, 2)
    trainer = os.fork()
    if not trainer:
        client.close()
        for number, output in enumerate(outputs, start=1):
            os.dup2(output, number)
        os.environ.clear()
        os.environ |= json.loads(request)["environment"]
        sys.exit(sys.modules["training.trainer.__main__"].main(json.loads(request)["arguments"]))
    ended = os.pidfd_open(trainer)
    ready, _, _ = select.select([client.fileno(), ended], [], [])
    if ended not in ready:
        os.kill(trainer, signal.SIGKILL)
    _, status = os.waitpid(trainer, 0)
    if ended in ready:
        client.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)
