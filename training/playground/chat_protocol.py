"""What passes between the page that tries models and the worker that answers: kept in Redis for an
hour, and nowhere else.

A question is one turn put to one or two models; each of its answers is a stream that the worker
writes and the page reads, from any place in it, so that a broken connection loses nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings

KEPT_S = 3600
WORKER_SILENT_S = 15
"""A worker that has not said for so long that it lives is gone, and so is an answer that nobody
writes on.
"""
_PREFIX = "preferably:try"
Away = redis.RedisError
"""What every call here raises when Redis does not answer."""


@dataclass(frozen=True)
class ModelQuestion:
    """One model's part of a question. `messages` end with a user's turn."""

    answer: str
    model: int
    messages: list[dict[str, str]]
    sampling: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """A piece of an answer. `kind`: state, text, end or failed; the last two close it. `place` is
    where to read on from.
    """

    place: str
    kind: str
    data: dict[str, Any]

    @property
    def is_last(self) -> bool:
        return self.kind in ("end", "failed")


def connection() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_connect_timeout=3)


class Channel:
    """A connection to the questions and answers in Redis. Use it as a context manager."""

    def __init__(self) -> None:
        self._redis: Any = connection()

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, *_problem: object) -> None:
        self._redis.close()

    # --- the page's side --------------------------------------------------------------------------

    def ask(self, *, asked: Sequence[ModelQuestion], by: int) -> str:
        """Writes a question down; the worker is still to be rung for. Returns its id."""
        question = uuid4().hex
        with self._redis.pipeline() as pipe:
            pipe.set(
                _key("question", question), json.dumps([asdict(one) for one in asked]), ex=KEPT_S
            )
            for one in asked:
                pipe.set(_key("owner", one.answer), by, ex=KEPT_S)
            pipe.execute()
        return question

    def is_owner(self, *, answer: str, by: int) -> bool:
        return bool(self._redis.get(_key("owner", answer)) == str(by))

    def read(self, *, answer: str, after: str, wait_ms: int) -> list[Event]:
        """What came after the place `after` ("0": from the beginning), waiting a while for it; 0
        does not wait.
        """
        found = self._redis.xread({_key("said", answer): after}, block=wait_ms or None)
        return [
            Event(place, fields["kind"], json.loads(fields["data"]))
            for _stream, entries in found or []
            for place, fields in entries
        ]

    def stop(self, *, answer: str) -> None:
        self._redis.set(_key("stop", answer), 1, ex=KEPT_S)

    def is_worked_on(self, *, answer: str) -> bool:
        return bool(self._redis.exists(_key("alive", answer)))

    def age_s(self, *, answer: str) -> float:
        """Since it was asked for."""
        left = int(self._redis.ttl(_key("owner", answer)))
        return KEPT_S - left if left >= 0 else KEPT_S

    def workers(self) -> list[str]:
        """The names of those that are alive."""
        start = _key("worker", "")
        return sorted(
            key.removeprefix(start) for key in self._redis.scan_iter(match=f"{start}*", count=500)
        )

    # --- the worker's side ------------------------------------------------------------------------

    def announce(self, *, worker: str) -> None:
        self._redis.set(_key("worker", worker), 1, ex=WORKER_SILENT_S)

    def withdraw(self, *, worker: str) -> None:
        self._redis.delete(_key("worker", worker))

    def take(self, *, question: str) -> list[ModelQuestion]:
        """The question, once: to whoever asks first. Empty afterwards, and when it is too old."""
        found = self._redis.getdel(_key("question", question))
        return [ModelQuestion(**one) for one in json.loads(found)] if found else []

    def say(self, *, answer: str, kind: str, **data: Any) -> None:
        key = _key("said", answer)
        with self._redis.pipeline() as pipe:
            pipe.xadd(key, {"kind": kind, "data": json.dumps(data)})
            pipe.expire(key, KEPT_S)
            pipe.execute()

    def go_on(self, *, answer: str) -> bool:
        """Says that the answer is being worked on. False when it is to stop."""
        self._redis.set(_key("alive", answer), 1, ex=WORKER_SILENT_S)
        return not self._redis.exists(_key("stop", answer))


def _key(what: str, which: str) -> str:
    return f"{_PREFIX}:{what}:{which}"
