"""A server that answers as no OpenAI-compatible server should; the model's name says how."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tooling.http_stub import Quiet, serving


def event(choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def said(text: str, reason: str | None = None) -> bytes:
    return event({"delta": {"content": text}, "finish_reason": reason})


DONE = event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"
STREAMS = {
    "nothing": DONE,
    "only spaces": said(" \n\t") + DONE,
    "only unseen characters": said("\u200b\x00\x1b\u2060") + DONE,
    "100 kB": said("word " * 20_000) + DONE,
    "invalid UTF-8": b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n' + DONE,
    "garbage": b"data: {not json\n\n",
    "a page": b"<html><body>Bad gateway</body></html>",
    "an error in the middle": said("It") + b'data: {"error": {"message": "overloaded"}}\n\n',
    "text in the wrong place": event({"delta": "It is zero."}) + DONE,
    "a list for a text": event({"delta": {"content": [{"type": "text"}]}}) + DONE,
    "closes in the middle": said("It is"),
    "no answer at all": b"",
}
"""What each model streams before it closes the connection."""
ODD = said("It\x00 is\x1b[31m zero\x07 \ud800!\tYes.\n") + DONE
"""Control characters, and half of an escape sequence."""


@contextlib.contextmanager
def bad_endpoint() -> Iterator[str]:
    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
            if model.isdecimal():
                self.send_error(int(model))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have had enough
                if model == "forever":
                    while True:
                        self.wfile.write(said("and so on "))
                self.wfile.write(ODD if model == "odd" else STREAMS[model])

    with serving(Handler) as address:
        yield f"{address}/v1"
