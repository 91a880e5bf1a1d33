"""A pool of loaded models, each in a child process of its own: torch never enters this process."""

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

CLEANUP_INTERVAL_S = 2.0
ENDED: dict[str, object] = {"error": ""}
"""The last line from a child that died."""


@dataclass
class Child:
    """A process of training.trainer.sample.chat_child with one model. It answers one question at a
    time.
    """

    folder: str
    process: "subprocess.Popen[str]"
    lines: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    is_borrowed: bool = True
    is_ready: bool = False
    is_idle: bool = True
    """Whether it has finished its last answer."""
    used_at: float = field(default_factory=time.monotonic)

    def ask(self, question: dict[str, object]) -> None:
        self.is_idle = self.is_idle and "stop" in question
        with suppress(OSError):  # it died: next_line() returns ENDED
            assert self.process.stdin is not None
            json_lines.write(self.process.stdin, question)

    def next_line(self, *, wait_s: float) -> dict[str, Any] | None:
        """None if there is none within `wait_s`."""
        with suppress(queue.Empty):
            line = self.lines.get(timeout=wait_s)
            self.is_ready = self.is_ready or "ready" in line
            self.is_idle = self.is_idle or "end" in line or "error" in line
            return line
        return None

    def kill(self) -> None:
        self.process.kill()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None


class ModelPool:
    """At most TRY_MODELS_WARM children; the least recently used one makes room for a new one.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._changed = threading.Condition()

    @contextmanager
    def borrow(self, folder: str, *, wait_s: float) -> Iterator[Child | None]:
        """A child with this model, which may still be loading; None when all stay in use. A child
        that did not finish properly is removed afterwards.
        """
        child = self._take(folder, wait_s)
        try:
            yield child
        finally:
            if child is not None:
                self._put_back(child)

    def end_unused(self, *, after_s: float) -> None:
        """Removes children that nobody has used for `after_s` seconds."""
        with self._changed:
            for child in [process for process in self._children if not process.is_borrowed]:
                if time.monotonic() - child.used_at >= after_s or not child.is_alive:
                    self._remove(child)

    def _take(self, folder: str, wait_s: float) -> Child | None:
        deadline = time.monotonic() + wait_s
        with self._changed:
            while True:
                free = [process for process in self._children if not process.is_borrowed]
                for child in free:
                    if child.folder == folder and child.is_alive:
                        child.is_borrowed = True
                        return child
                if len(self._children) < settings.TRY_MODELS_WARM:
                    return self._start(folder)
                if free:
                    self._remove(min(free, key=lambda process: process.used_at))
                elif (
                    not self._changed.wait(timeout=max(0.0, deadline - time.monotonic()))
                    and time.monotonic() >= deadline
                ):
                    return None

    def _start(self, folder: str) -> Child:
        child = start(folder)
        self._children.append(child)
        return child

    def _put_back(self, child: Child) -> None:
        with self._changed:
            child.is_borrowed, child.used_at = False, time.monotonic()
            if not (child.is_alive and child.is_ready and child.is_idle):
                self._remove(child)
            self._changed.notify_all()

    def _remove(self, child: Child) -> None:
        child.kill()
        child.process.wait()
        self._children.remove(child)


POOL = ModelPool()


def start_cleanup() -> None:
    """Removes unused children until the process ends. Call it once per worker."""
    threading.Thread(target=_clean_up, name="model-cleanup", daemon=True).start()


def _clean_up() -> None:
    pause = threading.Event()
    while not pause.wait(CLEANUP_INTERVAL_S):
        POOL.end_unused(after_s=settings.TRY_KEEPS_WARM_S)


def start(folder: str) -> Child:
    """Starts a process that loads the model; its first line says when it is ready. It ends with
    this process, when its stdin closes.
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
