"""A server of a judge's model: it decides by what it is sent, as a model would, or misbehaves."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tooling.http_stub import Quiet, serving


@dataclass(frozen=True)
class Sent:
    """A server's whole answer."""

    content: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def completion(text: str | None, *, tokens: tuple[int, int] | None = (100, 1), **more: Any) -> Sent:
    """As an OpenAI-compatible server sends it. `more` is put into its choice."""
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    body: dict[str, Any] = {"choices": [choice]}
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return Sent(json.dumps(body).encode())


def error(status: int, message: str = "no", **headers: str) -> Sent:
    content = json.dumps({"error": {"message": message}}).encode()
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Sent(content, status, named)


def data_of(body: dict[str, Any]) -> dict[str, Any]:
    """The conversation and the answers that a request contains."""
    data: dict[str, Any] = json.loads(body["messages"][1]["content"])
    return data


def shorter(body: dict[str, Any]) -> Sent:
    """A judge that looks at the answers and not at their order."""
    data = data_of(body)
    if data["A"] == data["B"]:
        return completion("TIE")
    return completion("A" if (len(data["A"]), data["A"]) < (len(data["B"]), data["B"]) else "B")


@dataclass
class JudgeStub:
    """`asked` is every request; `decide` returns what is sent for one, or raises to hang up."""

    url: str = ""
    decide: Callable[[dict[str, Any]], Sent] = shorter
    asked: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class HangUp(Exception):
    """The server closes the connection in the middle."""


@contextlib.contextmanager
def judge_stub() -> Iterator[JudgeStub]:
    stub = JudgeStub()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with stub.lock:
                stub.asked.append(body)
            try:
                sent = stub.decide(body)
            except HangUp:
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices": [')
                return
            self.send_response(sent.status)
            for name, value in sent.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent.content)))
            self.end_headers()
            self.wfile.write(sent.content)

    with serving(Handler) as address:
        stub.url = f"{address}/v1"
        yield stub
