"""Runs a slow call in a thread that never keeps the process alive, such as a transfer from the
store.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(call: Callable[[], T], *, name: str) -> "Future[T]":
    """Returns a future with the call's result or error. The thread ends with the process.

    An executor would not do: the process waits for its threads before it exits.
    """
    done: Future[T] = Future()
    threading.Thread(target=_settle, args=[done, call], name=name, daemon=True).start()
    return done


def _settle(done: "Future[T]", call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except Exception as problem:  # noqa: BLE001  # raised by done.result()
        done.set_exception(problem)
