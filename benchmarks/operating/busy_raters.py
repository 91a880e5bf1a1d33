"""Raters who work through an upgrade, as the desk's page does: what a script of the page sends is
sent again until the site answers, and what the browser itself asks for is asked once.
"""

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.fixtures.desk_clients import Answer, DeskRater, Refused

ANSWERS_WITHIN_S = 30.0
"""As in static/js/desk/submit/requests.js."""
AGAIN_S = 2.0
BROKEN = (OSError, EOFError, TimeoutError)


@dataclass
class BusyRater(DeskRater):
    """`failed` are the requests after which a person sees an error, in words."""

    n_requests: int = 0
    n_repeated: int = 0
    slowest_s: float = 0.0
    failed: list[str] = field(default_factory=list)

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        began = time.perf_counter()
        try:
            while True:
                self.n_requests += 1
                try:
                    return await asyncio.wait_for(
                        super()._ask(method, path, body, headers), ANSWERS_WITHIN_S
                    )
                except (*BROKEN, Refused) as problem:
                    self.close()
                    if "X-Desk" not in headers or getattr(problem, "status", 500) < 500:
                        raise
                    self.n_repeated += 1
                    await asyncio.sleep(AGAIN_S)
        finally:
            self.slowest_s = max(self.slowest_s, time.perf_counter() - began)

    async def _exchange(self, request: bytes) -> Answer:
        """Keeps the proxy's cookie, by which it sends a person to the same process."""
        answer = await super()._exchange(request)
        if given := re.search(r"\blb=[^;,]+", answer.headers.get("set-cookie", "")):
            self.cookies = f"; {given[0]}"
        return answer

    async def work(self, is_over: threading.Event, *, pause_s: float) -> None:
        """Takes an item, reloads its page, saves a draft, and submits."""
        await asyncio.sleep(pause_s * self._chance.random())
        while not is_over.is_set():
            try:
                if not self.item:
                    await self.start()
                await self.get(self.item)
                await self.save_draft()
                await asyncio.sleep(pause_s)
                await self.judge()
            except (*BROKEN, Refused) as problem:
                self.failed.append(f"{type(problem).__name__}: {problem}"[:500])
                self.item = ""
            if self.item and self.is_done:
                raise RuntimeError("No items are left: the campaign is too small.")
        self.close()


class Crowd:
    """All raters, in a thread of their own."""

    def __init__(
        self, *, port: int, campaign: int, sessions: Sequence[str], pause_s: float
    ) -> None:
        self._pause_s = pause_s
        self.raters = [
            BusyRater(port, campaign, session, seed) for seed, session in enumerate(sessions)
        ]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(timeout=120)

    def n_judged(self) -> int:
        return sum(len(rater.given) for rater in self.raters)

    def leases(self) -> list[str]:
        """Of the answers that a rater was told are stored."""
        return [given.lease for rater in self.raters for given in rater.given]

    def _work(self) -> None:
        async def everybody() -> None:
            await asyncio.gather(
                *(rater.work(self._is_over, pause_s=self._pause_s) for rater in self.raters)
            )

        asyncio.run(everybody())
