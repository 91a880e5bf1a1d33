"""A minimal OpenAI-compatible server over real HTTP: it answers with the words of the last message
in reverse order.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tooling.http_stub import Quiet, serving


@dataclass
class Stub:
    """`asked` is every body it was sent, `keys` every Authorization. `refusals`: statuses to answer
    first, one a request. What `is_silent` says of a body gets an answer whose content is null.
    `parts` are in each message or first piece of one, beside its content.
    """

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    location: str = ""
    is_silent: Callable[[dict[str, Any]], bool] = lambda _body: False
    parts: dict[str, Any] = field(default_factory=dict)
    holds: threading.Event = field(default_factory=threading.Event)
    """Cleared, a streamed answer waits after its first word."""

    def __post_init__(self) -> None:
        self.holds.set()


@contextlib.contextmanager
def openai_stub() -> Iterator[Stub]:
    stub = Stub()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.keys.append(self.headers["Authorization"])
            if stub.refusals:
                status = stub.refusals.pop(0)
                self._send(
                    status,
                    json.dumps(
                        {"error": {"message": f"no, {self.headers['Authorization']}"}}
                    ).encode(),
                )
                return
            stub.asked.append(body)
            words = body["messages"][-1]["content"].split()[::-1]
            if body.get("stream"):
                self._stream(words)
            else:
                text = " ".join(words) + f" {body.get('seed')}"
                content = None if stub.is_silent(body) else text
                message = {"role": "assistant", "content": content} | stub.parts
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                self._send(200, json.dumps({"choices": [choice]}).encode())

        def _stream(self, words: list[str]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may disconnect in the middle
                if stub.parts:
                    self._event({"choices": [{"delta": stub.parts, "finish_reason": None}]})
                for number, word in enumerate(words):
                    self._event(
                        {
                            "choices": [
                                {
                                    "delta": {"content": ("" if number == 0 else " ") + word},
                                    "finish_reason": None,
                                }
                            ]
                        }
                    )
                    stub.holds.wait(60)
                self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
                self._event({"choices": [], "usage": {"total_tokens": 3}})
                self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, data: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
            self.wfile.flush()

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if stub.location:
                self.send_header("Location", stub.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as address:
        stub.url = f"{address}/v1"
        try:
            yield stub
        finally:
            stub.holds.set()
