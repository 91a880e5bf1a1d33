"""What a call sends and how its response is read, without a connection. Two drivers run the calls:
one that blocks (preferably_client.site) and one for asyncio (preferably_client.async_site).
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import datetime
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

import httpx2

from preferably_client.problem import Problem
from preferably_client.reading import read

T = TypeVar("T")
Json = dict[str, Any]


class Unset(Enum):
    """The value of an argument that is left out, where None would be sent as null."""

    UNSET = "unset"


UNSET = Unset.UNSET
PAGE = 200
PAUSES_S = (0.5, 2.0, 8.0)
"""Seconds between retries of a call without a response."""
TRY_AGAIN = (429, 502, 503, 504)
JSON = ("application/json", "application/problem+json")


@dataclass(frozen=True)
class Request:
    """One HTTP request below the API's address. With `files`, it is a form whose other fields are
    `body`.
    """

    method: str
    path: str
    query: Json = field(default_factory=dict)
    body: Json | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    """Whether it may be sent again when no response arrived."""

    def options(self) -> dict[str, Any]:
        """The arguments of httpx2's `request`, without the files."""
        given: dict[str, Any] = {"headers": dict(self.headers)}
        if self.query:
            given["params"] = self.query
        if self.body is not None:
            given["data" if self.files else "json"] = self.body
        return given

    @contextmanager
    def opened(self) -> Iterator[dict[str, Any]]:
        """The arguments with the files, which are open within the block."""
        with ExitStack() as stack:
            files = {
                name: (path.name, stack.enter_context(path.open("rb")))
                for name, path in self.files.items()
            }
            yield self.options() | ({"files": files} if files else {})


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and how its response is read."""

    request: Request
    read: Callable[[object], T]


@dataclass(frozen=True)
class Download:
    """A response that is written to a file."""

    request: Request
    path: Path


@dataclass(frozen=True)
class Wait:
    """A step of a listing: pause."""

    seconds: float


Steps = Generator[Request | Wait | list[T], Any, None]
"""What a listing does: it yields requests and gets their JSON, and yields lists of rows."""


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Rows from any number of requests. `unit` is what a progress bar counts."""

    row: type[T]
    steps: Callable[[], Steps[T]]
    unit: str = "rows"


# --- making calls ---------------------------------------------------------------------------------


def get(row: type[T], path: str, **query: object) -> Call[T]:
    return Call(Request("GET", path, query=_query(query)), lambda raw: read(row, raw))


def post(
    row: type[T], path: str, body: Json | None = None, *, is_repeatable: bool = True
) -> Call[T]:
    """Has a key of its own, so that a repeated call is done once."""
    request = Request(
        "POST", path, body=_plain(body or {}), headers=_key(), is_repeatable=is_repeatable
    )
    return Call(request, lambda raw: read(row, raw))


def upload(
    row: type[T], path: str, files: Mapping[str, str | PathLike[str] | Unset], fields: Json
) -> Call[T]:
    """Sends files as a form. Objects among its fields are JSON."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(_plain(value))
        for name, value in fields.items()
    }
    paths = {name: Path(file) for name, file in files.items() if not isinstance(file, Unset)}
    request = Request("POST", path, body=texts, files=paths, headers=_key())
    return Call(request, lambda raw: read(row, raw))


def patch(row: type[T], path: str, body: Json | None = None) -> Call[T]:
    request = Request("PATCH", path, body=_plain(body or {}), headers=_key())
    return Call(request, lambda raw: read(row, raw))


def delete(path: str) -> Call[None]:
    return Call(Request("DELETE", path), lambda _raw: None)


def fetch(path: str, to: str | PathLike[str], **query: object) -> Download:
    return Download(Request("GET", path, query=_query(query)), Path(to))


def pages(row: type[T], path: str, **query: object) -> Listing[T]:
    """Newest first, over all pages."""

    def steps() -> Steps[T]:
        cursor: int | None = None
        while True:
            page = yield Request(
                "GET", path, query=_query(query | {"cursor": cursor, "limit": PAGE})
            )
            yield [read(row, raw) for raw in page["results"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    return Listing(row, steps)


def feed(row: type[T], path: str, *, cursor: int, **query: object) -> Listing[T]:
    """Oldest first. A feed has a cursor on its last page too."""

    def steps() -> Steps[T]:
        at, has_more = cursor, True
        while has_more:
            page = yield Request("GET", path, query=_query(query | {"cursor": at, "limit": PAGE}))
            yield [read(row, raw) for raw in page["results"]]
            at, has_more = page["next_cursor"], page["has_more"]

    return Listing(row, steps)


def given(fields: Mapping[str, object]) -> Json:
    """The fields that are not left out."""
    return {name: value for name, value in fields.items() if value is not UNSET}


def _query(query: Json) -> Json:
    return {
        key: str(value).lower() if isinstance(value, bool) else _plain(value)
        for key, value in query.items()
        if value is not None
    }


def _plain(value: object) -> Any:
    """As JSON has it. Rows are sent as the objects that they were."""
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


# --- responses and retries ------------------------------------------------------------------------


def answer_of(response: httpx2.Response) -> object:
    """The JSON of a response, None if it is empty. Raises Problem for a refusal."""
    is_json = response.headers.get("Content-Type", "").partition(";")[0] in JSON
    if response.is_success and (is_json or not response.content):
        return response.json() if response.content else None
    body: Json = response.json() if is_json else {}
    raise Problem(
        response.status_code,
        body.get("detail", "This is not a response of the API. Check the site's address."),
        body.get("errors"),
        type=body.get("type", "about:blank"),
        title=body.get("title", response.reason_phrase),
    )


def pause_after(response: httpx2.Response, attempt: int) -> float | None:
    """Seconds until the same request is sent again; None if this is its response. These statuses
    are sent before anything is done, so every request may be repeated.
    """
    if response.status_code not in TRY_AGAIN or attempt >= len(PAUSES_S):
        return None
    stated = response.headers.get("Retry-After", "")  # a proxy may send a date
    return float(stated) if stated.isdecimal() else PAUSES_S[attempt]


def pause_without_response(request: Request, attempt: int) -> float | None:
    """Seconds until it is sent again; None to give up. Reads change nothing, writes have a key, and
    changes and deletions say what to reach, so a repetition is safe.
    """
    return PAUSES_S[attempt] if request.is_repeatable and attempt < len(PAUSES_S) else None
