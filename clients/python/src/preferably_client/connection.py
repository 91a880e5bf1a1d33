"""The wire: one HTTP connection to a site, its retries and its pages."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx2

from preferably_client.problem import Problem
from preferably_client.rows import read

Row = TypeVar("Row")
Json = dict[str, Any]

PAGE = 200
PAUSES_S = (0.5, 2.0, 8.0)
"""Seconds between retries of a call without a response."""
TRY_AGAIN = (429, 502, 503, 504)


class Connection:
    """One site, as one person. `transport` and `pause` replace the HTTP transport and the sleep
    between retries, in tests for example.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        timeout_s: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx2.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout_s,
            transport=transport,
        )
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def _rows(self, row: type[Row], path: str, query: Json) -> Iterator[Row]:
        cursor: int | None = None
        while True:
            page = self._get(path, query | {"cursor": cursor, "limit": PAGE})
            yield from (read(row, raw) for raw in page["results"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _feed(self, row: type[Row], path: str, query: Json, cursor: int) -> Iterator[Row]:
        """Oldest first; a feed has a cursor on its last page too."""
        has_more = True
        while has_more:
            page = self._get(path, query | {"cursor": cursor, "limit": PAGE})
            yield from (read(row, raw) for raw in page["results"])
            cursor, has_more = page["next_cursor"], page["has_more"]

    def _get(self, path: str, query: Json | None = None) -> Json:
        return self._call(
            "GET",
            path,
            params={key: value for key, value in (query or {}).items() if value is not None},
        )

    def _post(self, path: str, body: Json | None = None) -> Json:
        return self._call("POST", path, json=body or {}, headers={"Idempotency-Key": str(uuid4())})

    def _call(self, method: str, path: str, **options: Any) -> Json:
        """Retries when there is no response, which is safe: reads change nothing, and writes carry
        a key.
        """
        for pause_s in (*PAUSES_S, None):
            try:
                response = self._http.request(method, path, **options)
            except httpx2.TransportError:
                if pause_s is None:
                    raise
            else:
                if pause_s is None or response.status_code not in TRY_AGAIN:
                    return answer_of(response)
                pause_s = float(response.headers.get("Retry-After", pause_s))
            self._pause(pause_s)
        raise AssertionError  # the last try returns or raises


def answer_of(response: httpx2.Response) -> Json:
    """The JSON of a response. Raises Problem for a refusal."""
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    body: Json = response.json() if is_json else {}
    if response.is_success and is_json:
        return body
    raise Problem(
        response.status_code,
        body.get("detail", "The site gave no answer of the API."),
        body.get("errors"),
    )
