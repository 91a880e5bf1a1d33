"""Models held in memory between two questions, each in a child process of its own: torch never
enters this one.
"""

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from training.processes import environment, json_lines

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
ENDED: dict[str, Any] = {"error": ""}
"""What a child that died has said last."""


@dataclass
class Child:
    """A process of training.trainer.sample.chat_child with one model. It answers one question at a
    time, for whoever has taken it.
    """

    folder: str
    process: "subprocess.Popen[str]"
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    is_lent: bool = True
    is_ready: bool = False
    is_idle: bool = True
    """It has said all there was to its last question."""
    used_at: float = field(default_factory=time.monotonic)

    def ask(self, question: dict[str, Any]) -> None:
        self.is_idle = self.is_idle and "stop" in question
        with suppress(OSError):  # died: its last line says so
            assert self.process.stdin is not None
            json_lines.write(self.process.stdin, question)

    def heard(self, *, wait_s: float) -> dict[str, Any] | None:
        """The next line; None when there is none yet."""
        with suppress(queue.Empty):
            line = self.lines.get(timeout=wait_s)
            self.is_ready = self.is_ready or "ready" in line
            self.is_idle = self.is_idle or "end" in line or "error" in line
            return line
        return None

    def end(self) -> None:
        self.process.kill()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None


class Shelf:
    """At most so many children of this process, the longest unused ended for a new one. Safe among
    threads.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._changed = threading.Condition()

    @contextmanager
    def lent(self, folder: str, *, wait_s: float) -> Iterator[Child | None]:
        """A child with this model, not always ready yet; None when all stay taken. One that did not
        go on well is not kept.
        """
        child = self._take(folder, wait_s)
        try:
            yield child
        finally:
            if child is not None:
                self._put_back(child)

    def end_unused(self, *, after_s: float) -> None:
        """Frees what nobody has asked for `after_s` seconds."""
        with self._changed:
            for child in [one for one in self._children if not one.is_lent]:
                if time.monotonic() - child.used_at >= after_s or not child.is_alive:
                    self._forget(child)

    def _take(self, folder: str, wait_s: float) -> Child | None:
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                free = [one for one in self._children if not one.is_lent]
                for child in free:
                    if child.folder == folder and child.is_alive:
                        child.is_lent = True
                        return child
                if len(self._children) < settings.TRY_MODELS_WARM:
                    return self._begin(folder)
                if free:
                    self._forget(min(free, key=lambda one: one.used_at))
                elif (
                    not self._changed.wait(timeout=max(0.0, deadline - time.monotonic()))
                    and time.monotonic() >= deadline
                ):
                    return None

    def _begin(self, folder: str) -> Child:
        child = start(folder)
        self._children.append(child)
        return child

    def _put_back(self, child: Child) -> None:
        with self._changed:
            child.is_lent, child.used_at = False, time.monotonic()
            if not (child.is_alive and child.is_ready and child.is_idle):
                self._forget(child)
            self._changed.notify_all()

    def _forget(self, child: Child) -> None:
        child.end()
        child.process.wait()
        self._children.remove(child)


SHELF = Shelf()


def keep_tidy() -> None:
    """Ends unused children until the process does; the worker begins it once."""
    threading.Thread(target=_tidy, name="tidy", daemon=True).start()


def _tidy() -> None:
    pause = threading.Event()
    while not pause.wait(LOOK_EVERY_S):
        SHELF.end_unused(after_s=settings.TRY_KEEPS_WARM_S)


def start(folder: str) -> Child:
    """The process begins to load; its first line says when it is ready. It ends with this one: its
    stdin is closed then.
    """
    threads = str(settings.TRAINER_THREADS or max(1, len(os.sched_getaffinity(0)) // 2))
    inherited = environment.without_secrets() | {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    process = subprocess.Popen(  # noqa: S603 our own module, and a folder that is in the registry
        [sys.executable, "-m", "training.trainer.sample.chat_child", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=settings.BASE_DIR,
        env=inherited,
        start_new_session=True,
    )
    child = Child(folder, process)
    assert process.stdout is not None
    json_lines.listen(
        process.stdout, on_line=child.lines.put, on_end=lambda: child.lines.put(ENDED)
    )
    return child
