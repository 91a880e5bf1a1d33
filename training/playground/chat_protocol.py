"""Questions and answers between the playground page and its worker, kept in Redis for an hour and
nowhere else.

A question goes to one or two models. Each answer is a stream: the worker appends to it, and the
page reads it from any position, so a dropped connection loses nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from arithmetic.chats import Message

TTL_S = 3600
HEARTBEAT_TTL_S = 15
"""A worker or an answer without a heartbeat for this long is dead."""
LONGEST_WAIT_MS = 1000
ANSWER_S = LONGEST_WAIT_MS / 1000 + 1
"""How long to wait for Redis itself, beyond the wait that `read` asks it for."""
_PREFIX = "preferably:try"
RedisUnavailable = redis.RedisError
"""Raised by every call here if Redis does not answer."""


@dataclass(frozen=True)
class ModelQuestion:
    """The part of a question for one model. `messages` end with a user's turn."""

    answer: str
    model: int
    messages: list[Message]
    sampling: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """A piece of an answer. `kind` is state, text, end or failed; the last two end the answer.
    `place` is the position to continue from.
    """

    place: str
    kind: str
    data: dict[str, object]

    @property
    def is_last(self) -> bool:
        return self.kind in ("end", "failed")


def connection() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=ANSWER_S,
        socket_timeout=ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )


class Channel:
    """A connection to the questions and answers. Use it as a context manager."""

    def __init__(self) -> None:
        self._redis: Any = connection()

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, *_problem: object) -> None:
        self._redis.close()

    # --- the page's side --------------------------------------------------------------------------

    def ask(self, *, parts: Sequence[ModelQuestion], by: int) -> str:
        """Stores a question and returns its id. The caller still has to ring for a worker."""
        question = uuid4().hex
        with self._redis.pipeline() as pipe:
            pipe.set(
                _key("question", question), json.dumps([asdict(part) for part in parts]), ex=TTL_S
            )
            for part in parts:
                pipe.set(_key("owner", part.answer), by, ex=TTL_S)
            pipe.execute()
        return question

    def is_owner(self, *, answer: str, by: int) -> bool:
        return bool(self._redis.get(_key("owner", answer)) == str(by))

    def read(self, *, answer: str, after: str, wait_ms: int) -> list[Event]:
        """Events after the position `after` ("0" for all), waiting up to `wait_ms`, which is at
        most LONGEST_WAIT_MS; 0 does not wait.
        """
        streams = self._redis.xread({_key("said", answer): after}, block=wait_ms or None)
        return [
            Event(place, fields["kind"], json.loads(fields["data"]))
            for _stream, entries in streams or []
            for place, fields in entries
        ]

    def stop(self, *, answer: str) -> None:
        self._redis.set(_key("stop", answer), 1, ex=TTL_S)

    def is_in_progress(self, *, answer: str) -> bool:
        return bool(self._redis.exists(_key("alive", answer)))

    def age_s(self, *, answer: str) -> float:
        """Seconds since the question was asked."""
        left = int(self._redis.ttl(_key("owner", answer)))
        return TTL_S - left if left >= 0 else TTL_S

    def workers(self) -> list[str]:
        """The names of live workers."""
        start = _key("worker", "")
        return sorted(
            key.removeprefix(start) for key in self._redis.scan_iter(match=f"{start}*", count=500)
        )

    def warm_model(self) -> int | None:
        """The model that a worker used last, while it still has it in memory."""
        stored = self._redis.get(_key("warm", "model"))
        return int(stored) if stored else None

    # --- the worker's side ------------------------------------------------------------------------

    def record_worker(self, *, worker: str) -> None:
        self._redis.set(_key("worker", worker), 1, ex=HEARTBEAT_TTL_S)

    def remove_worker(self, *, worker: str) -> None:
        self._redis.delete(_key("worker", worker))

    def record_warm(self, *, model: int) -> None:
        self._redis.set(_key("warm", "model"), model, ex=settings.TRY_KEEPS_WARM_S)

    def take(self, *, question: str) -> list[ModelQuestion]:
        """The question, for the first caller only. Empty afterwards, or when it has expired."""
        stored = self._redis.getdel(_key("question", question))
        return [ModelQuestion(**part) for part in json.loads(stored)] if stored else []

    def send(self, *, answer: str, kind: str, **data: object) -> None:
        key = _key("said", answer)
        with self._redis.pipeline() as pipe:
            pipe.xadd(key, {"kind": kind, "data": json.dumps(data)})
            pipe.expire(key, TTL_S)
            pipe.execute()

    def keep_alive(self, *, answer: str) -> bool:
        """Sends a heartbeat for the answer. False when it should stop."""
        self._redis.set(_key("alive", answer), 1, ex=HEARTBEAT_TTL_S)
        return not self._redis.exists(_key("stop", answer))


def _key(what: str, which: str) -> str:
    return f"{_PREFIX}:{what}:{which}"
