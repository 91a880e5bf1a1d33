"""What a process is working on: the request or task, and for whom. Log lines and reports name it.

People are named by a pseudonym. It differs from the one in exports, so that nobody can connect a
rater's answers with the times at which they worked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from django.utils.crypto import salted_hmac

SENT = ("request_id", "person")
"""What a message takes along to a worker."""
_SALT = "config.monitoring.person"
_N_CHARACTERS = 12


@dataclass
class Work:
    """One request or task. Empty: not known."""

    request_id: str = ""
    person: str = ""
    route: str = ""
    task: str = ""
    task_id: str = ""

    def headers(self) -> dict[str, str]:
        """For messages to workers, so that their log lines name the request and the person."""
        return {name: value for name in SENT if (value := getattr(self, name))}


_current: ContextVar[Work | None] = ContextVar("work", default=None)


def current() -> Work:
    return _current.get() or Work()


@contextmanager
def working_on(work: Work) -> Iterator[Work]:
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)


def begin(work: Work) -> None:
    """As `working_on`, where beginning and end are two calls."""
    _current.set(work)


def end() -> None:
    _current.set(None)


@lru_cache(maxsize=10_000)
def pseudonym(user_id: int) -> str:
    """Equal for one person as long as PREFERABLY_SECRET_KEY is."""
    return salted_hmac(_SALT, str(user_id)).hexdigest()[:_N_CHARACTERS]
