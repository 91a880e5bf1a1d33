"""Many raters in one process who send the same HTTP requests as the desk's page, for benchmarks.

One asyncio loop writes HTTP/1.1 itself, without a client library. Each rater keeps one connection
open, as a browser does. The clients only parse what the next request needs, so they use little
processor time compared with the server.
"""

import asyncio
import json
import random
import time
import zlib
from dataclasses import dataclass, field
from urllib.parse import urlencode

HOST = "127.0.0.1"
LETTERS = "ABCD"
ACTIVE_S = 90
"""What each page says it was looked at: long enough to have read four responses."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes
    """the body as it came, compressed or not"""

    @property
    def body(self) -> bytes:
        return (
            zlib.decompress(self.raw, wbits=31)
            if self.headers.get("content-encoding") == "gzip"
            else self.raw
        )


class Refused(Exception):
    """A response that a page would have shown as an error; `status` is that of HTTP."""

    def __init__(self, sentence: str, status: int = 200) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass
class Given:
    """The result of one judgment; `lease` is the lease it was submitted under."""

    lease: str
    took_s: float
    """from the submit to the next item's arrival"""
    next_bytes: int
    """bytes of the answers that brought the next item, as sent"""


@dataclass
class DeskRater:
    """One rater's browser: a session, a token, a connection, and the current item."""

    port: int
    campaign: int
    session: str
    seed: int
    token: str = "t" * 32
    item: str = ""
    """path of the current item"""
    given: list[Given] = field(default_factory=list)
    reviews: bool = True
    n_drafts: int = 0
    cookies: str = ""
    """more of them: "; name=value"."""
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    async def start(self) -> Answer:
        """Takes an item from the desk: presses the button and loads the page it leads to."""
        taken = await self.post(f"/desk/{self.campaign}/next", {}, is_fragment=False)
        self.item = taken.headers["location"]
        return await self.get(self.item)

    @property
    def is_done(self) -> bool:
        return not self.item.startswith("/desk/item/")

    async def judge(self, *, is_last: bool = False) -> Given:
        """Ranks the current item, reviews and submits it, and has the next item on return."""
        item, fields = self.item, self._answer()
        if self.reviews:
            review = json.loads(
                (await self.post(f"{item}submit", fields | {"step": "review"})).body
            )
            if not review["is_ready"]:
                raise Refused(review["review"])
        start = time.perf_counter()
        answer = await self.post(
            f"{item}submit", fields | {"step": "stop" if is_last else "submit"}
        )
        stored, size = json.loads(answer.body), len(answer.raw)
        if "next" not in stored:
            raise Refused(str(stored))
        self.item = stored["next"]
        if "html" not in stored and not self.is_done:
            size += len((await self.get(self.item)).raw)
        given = Given(item.split("/")[3], time.perf_counter() - start, size)
        self.given.append(given)
        return given

    async def save_draft(self) -> None:
        """Saves the current item as the page does two seconds after somebody has typed."""
        self.n_drafts += 1
        fields = self._answer()
        draft = {
            "revision": self.n_drafts,
            "version": 0,
            "record": fields.pop("record"),
            "fields": {name: [value] for name, value in fields.items()},
        }
        headers = self._headers("application/json") | {"X-Desk": "fragment"}
        await self._ask("POST", f"{self.item}draft", json.dumps(draft).encode(), headers)

    def _answer(self) -> dict[str, str]:
        """Any order except the one shown, and ratings that match it."""
        order = list(LETTERS)
        while order == list(LETTERS):
            self._chance.shuffle(order)
        record = {
            "active_s": ACTIVE_S,
            "seconds": dict.fromkeys(LETTERS, 20),
            "views": {},
            "opened": [],
            "viewport": [1440, 900],
        }
        fields = {
            "record": json.dumps(record),
            "reason": "The first is clearer.",
            "edit_of": "",
            "edit": "",
        }
        for rank, letter in enumerate(order, 1):
            fields |= {f"rank-{letter}": str(rank), f"rate-{letter}-overall": str(7 - rank)}
        return fields

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path, b"", {})

    async def post(self, path: str, fields: dict[str, str], *, is_fragment: bool = True) -> Answer:
        headers = self._headers("application/x-www-form-urlencoded")
        if is_fragment:
            headers["X-Desk"] = "fragment"
        return await self._ask("POST", path, urlencode(fields).encode(), headers)

    def _headers(self, content_type: str) -> dict[str, str]:
        return {
            "Content-Type": content_type,
            "X-CSRFToken": self.token,
            "Origin": f"https://{HOST}:{self.port}",
        }

    async def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {HOST}:{self.port}",
            "X-Forwarded-Proto: https",
            "Accept-Encoding: gzip",
        ]
        lines += ["Accept: text/html", "User-Agent: Mozilla/5.0", "Accept-Language: en"]
        lines.append(f"Cookie: sessionid={self.session}; csrftoken={self.token}{self.cookies}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        answer = await self._exchange(request)
        if answer.status >= 400:
            words = f"{method} {path}: {answer.status} {answer.body[:2000]!r}"
            raise Refused(words, answer.status)
        return answer

    async def _exchange(self, request: bytes) -> Answer:
        """Uses the open connection, or a new one if the server closed it while idle, as browsers
        do.
        """
        for is_new in (self._writer is None, True):
            if is_new:
                self._reader, self._writer = await asyncio.open_connection(
                    HOST, self.port, limit=1 << 22
                )
            assert self._reader is not None
            assert self._writer is not None
            self._writer.write(request)
            try:
                head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()
                if is_new:
                    raise
        assert self._reader is not None
        status, *lines = head[:-4].split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        if headers.get("transfer-encoding") == "chunked":
            raw = await self._chunks()
        else:
            raw = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(status.split()[1]), headers, raw)

    async def _chunks(self) -> bytes:
        assert self._reader is not None
        chunks = []
        while size := int(await self._reader.readline(), 16):
            chunks.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return b"".join(chunks)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def work_together(raters: list[DeskRater], *, seconds: float, pause_s: float = 0.0) -> float:
    """All `raters` work for `seconds`, or until no items are left. Returns how long it took. Each
    still holds an item at the end.
    """
    start = time.perf_counter()

    async def work(rater: DeskRater) -> None:
        await asyncio.sleep(pause_s * rater._chance.random())
        while time.perf_counter() - start < seconds and not rater.is_done:
            await rater.judge()
            if pause_s:
                await asyncio.sleep(pause_s)

    await asyncio.gather(*(work(rater) for rater in raters))
    return time.perf_counter() - start
