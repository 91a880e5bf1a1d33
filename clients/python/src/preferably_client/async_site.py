"""The client for asyncio and trio. Its methods are those of `Preferably`, awaited; its lists are
read with `async for`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self, TypeVar

import anyio
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


class AsyncRows(AsyncIterator[T]):
    """Rows of a list, read page by page as they are used."""

    def __init__(self, driver: "AsyncDriver", listing: Listing[T]) -> None:
        self._row = listing.row
        self._found = driver.walk(listing)

    async def __anext__(self) -> T:
        return await anext(self._found)

    async def to_list(self) -> list[T]:
        return [row async for row in self]

    async def to_dataset(self) -> Any:
        """All remaining rows as a `datasets.Dataset`; needs `preferably-client[datasets]`."""
        return dataset.dataset_of(self._row, await self.to_list())

    async def push_to_hub(self, repository: str, *, private: bool = True, **options: Any) -> object:
        """Sends all remaining rows to a hub as a dataset, with your login of `huggingface_hub`.
        `options`: the other arguments of `datasets.Dataset.push_to_hub`.
        """
        found = await self.to_dataset()
        return await anyio.to_thread.run_sync(
            lambda: found.push_to_hub(repository, private=private, **options)
        )


class AsyncDriver:
    """Runs calls; several may be on their way at once."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        pause: Callable[[float], Awaitable[None]],
        bars: Bars,
    ) -> None:
        self.http, self.pause, self.bars = http, pause, bars

    async def run(self, call: Call[T]) -> T:
        return call.read(await self.answer(call.request))

    def rows(self, listing: Listing[T]) -> AsyncRows[T]:
        return AsyncRows(self, listing)

    async def walk(self, listing: Listing[T]) -> AsyncIterator[T]:
        steps, answer = listing.steps(), None
        with self.bars.start(listing.unit) as bar:
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration:
                    return
                answer = None
                if isinstance(step, Request):
                    answer = await self.answer(step)
                elif isinstance(step, Wait):
                    await self.pause(step.seconds)
                else:
                    for row in step:
                        bar.update(1)
                        yield row

    async def answer(self, request: Request) -> object:
        attempt = 0
        while True:
            try:
                response = await self._send(request)
            except httpx2.TransportError:
                pause_s = pause_without_response(request, attempt)
                if pause_s is None:
                    raise
            else:
                pause_s = pause_after(response, attempt)
                if pause_s is None:
                    return answer_of(response)
            await self.pause(pause_s)
            attempt += 1

    async def _send(self, request: Request) -> httpx2.Response:
        with request.opened() as options:
            return await self.http.request(request.method, request.path, **options)

    async def download(self, wanted: Download) -> int:
        request = wanted.request
        async with self.http.stream(request.method, request.path, **request.options()) as response:
            if not response.is_success:
                await response.aread()
                answer_of(response)
            with self.bars.start("B", total=connection.size_of(response)) as bar:
                async with await anyio.open_file(wanted.path, "wb") as file:
                    async for block in response.aiter_bytes():
                        bar.update(await file.write(block))
                    return await file.tell()


class AsyncPreferably(Operations, Following, Connected[AsyncDriver]):
    """One site, as one person, for asyncio and trio. The arguments are those of `Preferably`."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        verify: connection.Verify = True,
        timeout_s: float = 30.0,
        progress: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        http = httpx2.AsyncClient(
            **connection.options(url, token=token, verify=verify, timeout_s=timeout_s),
            transport=transport,
        )
        self._driver = AsyncDriver(http, pause=pause, bars=bars_of(progress))
        self.campaigns, self.runs = Campaigns(self._driver), Runs(self._driver)
        self.snapshots = Snapshots(self._driver)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._driver.http.aclose()
