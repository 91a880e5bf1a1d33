"""Reads foreign files in a process of its own, with little memory and time. Whatever comes from
outside is parsed there: a file that kills its reader takes nobody else with it.

`value` and `stream` call a function by name in the child. Its arguments and results are plain
values and dataclasses; it has no database and no secret.
"""

import atexit
import json
import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar, cast

from django.conf import settings
from django.core.files import File
from django.utils import translation

from labeling.importers.child import limits as child_limits
from labeling.importers.child import plain
from labeling.importers.child.limits import Limits

P = ParamSpec("P")
T = TypeVar("T")

INHERITED = ("PATH", "LANG", "TZ", "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_TICK_S = 0.5
_AT_ONCE = 256 * 1024
_NEEDS_MEMORY = 70  # as in __main__, which only the child imports
_FAILURE = b"!"
_logger = logging.getLogger(__name__)
_MOST_ON_PAGES = threading.BoundedSemaphore(3)


def value(
    reader: Callable[P, T], limits: Limits, /, *positional: P.args, **arguments: P.kwargs
) -> T:
    """What `reader` returns, for a page or call. Raises UnableToRead."""
    if not _MOST_ON_PAGES.acquire(timeout=limits.wait_s):
        raise child_limits.is_silent(limits)
    try:
        [result] = _results(reader, limits, _no_one_asks, arguments)
        return cast(T, result)
    finally:
        _MOST_ON_PAGES.release()


def long_value(
    reader: Callable[P, T],
    limits: Limits,
    is_alive: Callable[[], None],
    /,
    *positional: P.args,
    **arguments: P.kwargs,
) -> T:
    """What `reader` returns, for a worker; `is_alive` as for `stream`. Raises UnableToRead."""
    [result] = _results(reader, limits, is_alive, arguments)
    return cast(T, result)


def stream(
    reader: Callable[P, Iterator[T]],
    limits: Limits,
    is_alive: Callable[[], None],
    /,
    *positional: P.args,
    **arguments: P.kwargs,
) -> Iterator[T]:
    """What `reader` yields, one at a time. While the child says nothing, `is_alive` is called about
    twice a second. Raises UnableToRead.
    """
    return cast(Iterator[T], _results(reader, limits, is_alive, arguments))


def _no_one_asks() -> None:
    pass


@contextmanager
def on_disk(upload: "File[bytes] | BinaryIO") -> Iterator[Path]:
    """An upload as a file that a child can open."""
    upload.seek(0)
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(upload, copy)
        copy.flush()
        yield Path(copy.name)


def _results(
    reader: Callable[..., object],
    limits: Limits,
    is_alive: Callable[[], None],
    arguments: object,
) -> Iterator[object]:
    kind = plain.result_of(reader)
    request = plain.line(
        {
            "reader": f"{reader.__module__}:{reader.__qualname__}",
            "arguments": arguments,
            "language": translation.get_language() or settings.LANGUAGE_CODE,
            "limits": asdict(limits),
        }
    )
    with _child(request) as child:
        for line in child.lines(limits, is_alive):
            if line.startswith(_FAILURE):
                _logger.error("A file broke its reader: %s", json.loads(line[1:]))
                raise child_limits.broke_the_reader()
            yield plain.value_of(line[1:], kind)


# --- one child ------------------------------------------------------------------------------------


@dataclass
class _Child:
    pid: int
    answers: socket.socket
    status: int

    def lines(self, limits: Limits, is_alive: Callable[[], None]) -> Iterator[bytes]:
        """Its answer, to the end. Raises UnableToRead."""
        pieces: list[bytes] = []
        size = 0
        for chunk in self._chunks(limits, is_alive):
            *ended, rest = chunk.split(b"\n")
            for part in ended:
                yield b"".join([*pieces, part])
                pieces, size = [], 0
            pieces.append(rest)
            size += len(rest)
            if size > limits.line_mb * 1024**2:
                raise child_limits.has_large_entry(limits)
        self._check_end(limits)

    def _chunks(self, limits: Limits, is_alive: Callable[[], None]) -> Iterator[bytes]:
        waiting_since = time.monotonic()
        while True:
            ready, _write, _error = select.select([self.answers], [], [], _TICK_S)
            if ready:
                chunk = self.answers.recv(_AT_ONCE)
                if not chunk:
                    return
                yield chunk
                waiting_since = time.monotonic()
                continue
            is_alive()
            if child_limits.is_over(self.pid, limits):
                raise child_limits.needs_memory(limits)
            if time.monotonic() - waiting_since > limits.wait_s:
                raise child_limits.is_silent(limits)

    def _check_end(self, limits: Limits) -> None:
        ended = _number(self.status)
        by = -1 if ended is None else os.waitstatus_to_exitcode(ended)
        self.pid = 0
        if by in (0, 1):
            return
        if by in (_NEEDS_MEMORY, -signal.SIGKILL):
            raise child_limits.needs_memory(limits)
        if by == -signal.SIGXCPU:
            raise child_limits.needs_time(limits)
        _logger.warning("The reader of a file ended with %d.", by)
        raise child_limits.broke_the_reader()


@contextmanager
def _child(request: bytes) -> Iterator[_Child]:
    """A child that has been asked; killed if it is left before its end."""
    child = _started() or _started()
    if child is None:
        raise child_limits.broke_the_reader()
    try:
        with child.answers:
            child.answers.sendall(request)
            yield child
            child.pid = 0
    finally:
        with suppress(ProcessLookupError):
            if child.pid and _number(child.status, is_now=True) is None:
                os.kill(child.pid, signal.SIGKILL)
        os.close(child.status)


def _started() -> _Child | None:
    """None if the server has just ended, for want of work or by a signal: another is started."""
    ours, theirs = socket.socketpair()
    told, tells = os.pipe()
    with theirs:
        _SERVER.send(theirs.fileno(), tells)
    os.close(tells)
    pid = _number(told)
    if pid is None:
        ours.close()
        os.close(told)
        _SERVER.stop()
        return None
    return _Child(pid, ours, told)


def _number(descriptor: int, *, is_now: bool = False) -> int | None:
    """The next number on a pipe; None if it was closed, or has none now."""
    if is_now and not select.select([descriptor], [], [], 0)[0]:
        return None
    digits = b""
    while (digit := os.read(descriptor, 1)) not in (b"", b"\n"):
        digits += digit
    return int(digits) if digits else None


# --- the process that forks them ------------------------------------------------------------------


class _Server:
    """Started when a file is read, one for each process of the site."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def send(self, *descriptors: int) -> None:
        with self._lock:
            control = self._control
            if control is None or self._owner != os.getpid():
                control = self._start()
            with suppress(BrokenPipeError, ConnectionError):
                socket.send_fds(control, [b"\0"], descriptors)

    def stop(self) -> None:
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._process is not None and self._owner == os.getpid():
                self._process.wait()
            self._control = self._process = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        languages = {
            "LANGUAGE_CODE": settings.LANGUAGE_CODE,
            "LANGUAGES": settings.LANGUAGES,
            "LOCALE_PATHS": settings.LOCALE_PATHS,
            "USE_TZ": True,
        }
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own program
                [
                    *(sys.executable, "-m", "labeling.importers.child"),
                    *(str(theirs.fileno()), json.dumps(languages, default=str)),
                ],
                stdin=subprocess.DEVNULL,
                cwd=settings.BASE_DIR,
                env=_environment(),
                pass_fds=(theirs.fileno(),),
            )
        self._control, self._owner = ours, os.getpid()
        return ours


def _environment() -> dict[str, str]:
    """An allow-list: readers of foreign files need no secret."""
    inherited = {
        name: setting
        for name, setting in os.environ.items()
        if name in INHERITED or name.startswith(("LC_", "PYTHON", "COVERAGE_", "COV_CORE_"))
    }
    return inherited | {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}


_SERVER = _Server()
atexit.register(_SERVER.stop)
