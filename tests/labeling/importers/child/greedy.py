"""Readers that take more than they may, or break: what a hostile file makes of a good one."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Other:
    n: int


@dataclass(frozen=True)
class Part:
    name: str
    at: datetime | None = None
    parts: tuple[Other, ...] = ()


def takes_memory(*, megabytes: int) -> int:
    return len(b"a" * (megabytes * 1024**2))


def takes_time() -> int:
    n = 0
    while True:
        n += 1


def aborts() -> int:
    os.abort()


def is_killed() -> int:
    os.kill(os.getpid(), 9)
    return 0


def sleeps() -> int:
    time.sleep(60)
    return 0


def breaks(*, text: str) -> int:
    raise LookupError(text)


def has_one_large_entry(*, megabytes: int) -> str:
    return "a" * (megabytes * 1024**2)


def counts(*, n: int) -> Iterator[int]:
    yield from range(n)


def names_of_variables() -> list[str]:
    return sorted(os.environ)


def same(*, part: Part, path: Path, parts: list[Part]) -> Iterator[Part | Other]:
    yield part
    yield from parts
    yield Other(len(path.parts))


def writes_forever(*, path: Path) -> Iterator[int]:
    """Its own pid, then without end."""
    path.write_text(str(os.getpid()))
    while True:
        yield 1
