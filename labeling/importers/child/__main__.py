"""The process that forks a child for each file:

    python -m labeling.importers.child CONTROL SETTINGS

It has loaded what readers need and touched no file, so that a child starts in milliseconds.
CONTROL is the descriptor of a socket on which it is given two others for each file: one to the
child, and one on which it tells the child's pid and how it ended. It ends with its parent, or when
it had nothing to do for a while.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NoReturn, cast

import pyarrow as pa
from django.apps import apps
from django.conf import settings
from django.utils import translation

from labeling.importers.child import limits, plain
from labeling.importers.child.limits import Limits

IDLE_S = 300.0
NEEDS_MEMORY = 70
"""The exit status of a child that ran out of memory."""
VALUE, FAILURE = b"=", b"!"
"""What a line of the answer begins with."""


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    settings.configure(**json.loads(sys.argv[2]))
    apps.populate(())
    importlib.import_module("labeling.importers.readers")
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    gc.collect()
    gc.freeze()
    _Server(control).serve()


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._status_of: dict[int, int] = {}
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_signal: None)

    def serve(self) -> None:
        while True:
            patience = None if self._status_of else IDLE_S
            watched: list[socket.socket | int] = [self._control, self._woken]
            ready, _write, _error = select.select(watched, [], [], patience)
            if not ready:
                return
            if self._woken in ready:
                os.read(self._woken, 1024)
                self._reap()
            if self._control in ready:
                mark, descriptors, _flags, _address = socket.recv_fds(self._control, 1, 2)
                if not mark:
                    self._kill_all()
                    return
                self._start(*descriptors)

    def _start(self, request: int, status: int) -> None:
        pid = os.fork()
        if not pid:
            for descriptor in (self._control.detach(), self._woken, self._wakes, status):
                os.close(descriptor)
            for other in self._status_of.values():
                os.close(other)
            _answer(request)
        os.close(request)
        self._status_of[pid] = status
        _tell(status, pid)

    def _reap(self) -> None:
        while self._status_of:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            status = self._status_of.pop(pid)
            _tell(status, ended)
            os.close(status)

    def _kill_all(self) -> None:
        for pid in self._status_of:
            os.kill(pid, signal.SIGKILL)


def _tell(status: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(status, b"%d\n" % number)


def _answer(request: int) -> NoReturn:
    """In the child: reads what is asked and writes what the reader finds."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Libraries that give up say so there, in words that are no line of a log.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    with socket.socket(fileno=request) as connection:
        answers = cast(BinaryIO, connection.makefile("wb", buffering=256 * 1024))
        try:
            with connection.makefile("rb") as lines:
                asked = json.loads(lines.readline())
            limits.apply(Limits(**asked["limits"]))
            for value in _values(asked):
                answers.write(VALUE + plain.line(value))
            answers.flush()
        except MemoryError:
            os._exit(NEEDS_MEMORY)
        except BaseException as error:  # noqa: BLE001  # the edge of the process
            answers.write(FAILURE + plain.line(_where(error)))
            answers.flush()
            os._exit(1)
        os._exit(0)


def _values(asked: dict[str, object]) -> Iterator[object]:
    translation.activate(str(asked["language"]))
    module, _colon, name = str(asked["reader"]).partition(":")
    reader = getattr(importlib.import_module(module), name)
    given = cast(dict[str, object], asked["arguments"])
    kinds = plain.arguments_of(reader)
    arguments = {name: plain.of_plain(value, kinds[name]) for name, value in given.items()}
    result = reader(**arguments)
    if isinstance(result, Iterator):
        yield from result
    else:
        yield result


def _where(error: BaseException) -> str:
    """The traceback without the message, which may have a part of the file in it."""
    frames = traceback.format_tb(error.__traceback__)
    return "".join([*frames, type(error).__name__])


if __name__ == "__main__":
    main()
