"""A slow call in a thread that nobody has to wait for, such as a transfer from the store."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(call: Callable[[], T], *, name: str) -> "Future[T]":
    """The result, or the error, of `call`. Its thread ends with the process.

    An executor's threads would not: the process waits for them before it exits.
    """
    done: Future[T] = Future()
    threading.Thread(target=_settle, args=[done, call], name=name, daemon=True).start()
    return done


def _settle(done: "Future[T]", call: Callable[[], T]) -> None:
    try:
        done.set_result(call())
    except Exception as problem:  # noqa: BLE001  # raised again where the result is read
        done.set_exception(problem)
