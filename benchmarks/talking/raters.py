"""Raters who talk: each holds a conversation over HTTP as its pages do, one request at a time."""

import asyncio
import json
import time
from dataclasses import dataclass, field

from benchmarks.fixtures.desk_clients import ACTIVE_S, DeskRater, Refused

POLL_S = 1.0
"""How often the page asks whether the answers are there."""
PATIENCE_S = 120.0
RECORD = {
    "active_s": ACTIVE_S,
    "seconds": {"A": 20, "B": 20},
    "views": {},
    "opened": [],
    "viewport": [1440, 900],
}


@dataclass
class TalkingRater(DeskRater):
    """A rater in a conversation campaign with two answers a turn."""

    address: str = ""
    """path of the conversation"""
    stored: list[str] = field(default_factory=list)
    """leases of the turns that the site said it has"""
    waits_s: list[float] = field(default_factory=list)
    """from sending a message to the answers on the page"""
    n_polls: int = 0

    async def begin(self) -> None:
        """Takes an item and starts the conversation about it."""
        taken = await self.post(f"/desk/{self.campaign}/next", {}, is_fragment=False)
        item = await self.get(taken.headers["location"])
        self.address = item.headers["location"]
        await self.get(self.address)
        await self._send("start", {})

    async def poll(self) -> bool:
        """Whether the answers are there."""
        self.n_polls += 1
        answer = await self.get(f"{self.address}answers")
        return "hx-redirect" in answer.headers

    async def talk(self, *, n_turns: int) -> None:
        """Rates `n_turns`, the first of which has been asked for, and finishes."""
        for number in range(1, n_turns + 1):
            await self._rate(await self._answers())
            if number < n_turns:
                fields = {"number": str(number + 1), "text": f"Tell me more, part {number}."}
                await self._send("write", fields)
        await self._send("finish", {"goal_rating": "6", "remark": ""})

    async def _answers(self) -> str:
        """Waits as the page does; returns the turn's path."""
        begun = time.perf_counter()
        while not await self.poll():
            if time.perf_counter() - begun > PATIENCE_S:
                raise Refused(f"{self.address}: no answers within {PATIENCE_S:.0f} s")
            await asyncio.sleep(POLL_S)
        page = await self.get(self.address)
        turn = page.headers["location"]
        await self.get(turn)
        self.waits_s.append(time.perf_counter() - begun)
        return turn

    async def _rate(self, turn: str) -> None:
        best = self._chance.choice("AB")
        fields = {"record": json.dumps(RECORD), "reason": "It is clearer.", "edit_of": ""}
        for letter in "AB":
            rank, rating = ("1", "6") if letter == best else ("2", "3")
            fields |= {f"rank-{letter}": rank, f"rate-{letter}-overall": rating}
        answer = await self.post(f"{turn}submit", fields | {"step": "submit"}, is_fragment=False)
        if answer.headers.get("location") != self.address:
            raise Refused(f"{turn}submit: {answer.status} to {answer.headers.get('location')}")
        self.stored.append(turn.split("/")[3])
        await self.get(self.address)

    async def _send(self, name: str, fields: dict[str, str]) -> None:
        answer = await self.post(f"{self.address}{name}", fields, is_fragment=False)
        if answer.status != 302:
            raise Refused(f"{self.address}{name}: {answer.status}")
        if name != "finish":
            await self.get(answer.headers["location"])
