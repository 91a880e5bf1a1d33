"""The client that blocks."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

import httpx2

from preferably_client import connection, dataset
from preferably_client.bars import Bars, bars_of
from preferably_client.core import (
    Call,
    Download,
    Listing,
    Request,
    Wait,
    answer_of,
    pause_after,
    pause_without_response,
)
from preferably_client.following import Following
from preferably_client.operation import Connected
from preferably_client.operations import Operations
from preferably_client.records import Campaigns, Runs, Snapshots

T = TypeVar("T")


class Rows(Iterator[T]):
    """Rows of a list, read page by page as they are used."""

    def __init__(self, driver: "Driver", listing: Listing[T]) -> None:
        self._row = listing.row
        self._found = driver.walk(listing)

    def __next__(self) -> T:
        return next(self._found)

    def to_list(self) -> list[T]:
        return list(self)

    def to_dataset(self) -> Any:
        """All remaining rows as a `datasets.Dataset`; needs `preferably-client[datasets]`."""
        return dataset.dataset_of(self._row, self)

    def push_to_hub(self, repository: str, *, private: bool = True, **options: Any) -> object:
        """Sends all remaining rows to a hub as a dataset, with your login of `huggingface_hub`.
        `options`: the other arguments of `datasets.Dataset.push_to_hub`.
        """
        return self.to_dataset().push_to_hub(repository, private=private, **options)


class Driver:
    """Runs calls, one at a time."""

    def __init__(self, http: httpx2.Client, *, pause: Callable[[float], None], bars: Bars) -> None:
        self.http, self.pause, self.bars = http, pause, bars

    def run(self, call: Call[T]) -> T:
        return call.read(self.answer(call.request))

    def rows(self, listing: Listing[T]) -> Rows[T]:
        return Rows(self, listing)

    def walk(self, listing: Listing[T]) -> Iterator[T]:
        steps, answer = listing.steps(), None
        with self.bars.start(listing.unit) as bar:
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration:
                    return
                answer = None
                if isinstance(step, Request):
                    answer = self.answer(step)
                elif isinstance(step, Wait):
                    self.pause(step.seconds)
                else:
                    for row in step:
                        bar.update(1)
                        yield row

    def answer(self, request: Request) -> object:
        attempt = 0
        while True:
            try:
                response = self._send(request)
            except httpx2.TransportError:
                pause_s = pause_without_response(request, attempt)
                if pause_s is None:
                    raise
            else:
                pause_s = pause_after(response, attempt)
                if pause_s is None:
                    return answer_of(response)
            self.pause(pause_s)
            attempt += 1

    def _send(self, request: Request) -> httpx2.Response:
        with request.opened() as options:
            return self.http.request(request.method, request.path, **options)

    def download(self, wanted: Download) -> int:
        request = wanted.request
        with self.http.stream(request.method, request.path, **request.options()) as response:
            if not response.is_success:
                response.read()
                answer_of(response)
            with (
                wanted.path.open("wb") as file,
                self.bars.start("B", total=connection.size_of(response)) as bar,
            ):
                for block in response.iter_bytes():
                    bar.update(file.write(block))
                return file.tell()


class Preferably(Operations, Following, Connected[Driver]):
    """One site, as one person. `verify` is a file of certificates, an `ssl.SSLContext`, or False to
    trust any. `progress` shows bars for long lists and files, and needs
    `preferably-client[progress]`. `transport` and `pause` replace the HTTP transport and the sleep
    between retries, in tests for example.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        verify: connection.Verify = True,
        timeout_s: float = 30.0,
        progress: bool = False,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        http = httpx2.Client(
            **connection.options(url, token=token, verify=verify, timeout_s=timeout_s),
            transport=transport,
        )
        self._driver = Driver(http, pause=pause, bars=bars_of(progress))
        self.campaigns, self.runs = Campaigns(self._driver), Runs(self._driver)
        self.snapshots = Snapshots(self._driver)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._driver.http.close()
