"""Servers that answer like no hub and no endpoint should: each of their answers has a name, which
stands in the path of the request.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.labeling.data.formats.containers import jsonl
from tests.tooling.http_stub import Quiet, serving

_LEVELS = 100_000
_ALIASES = "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'lol'}]" for n in range(10)
)
CARDS: dict[str, str] = {
    "a card with aliases of aliases": f"---\n{_ALIASES}\nconfigs: *a9\n---\n",
    "a card that holds itself": "---\nconfigs: &a [*a]\n---\n",
    "a card that is deep": f"---\nconfigs: {'[' * 50_000}\n---\n",
    "a card with a pattern of stars": (
        f"---\nconfigs:\n- config_name: default\n  data_files: '{'*a' * 200}b'\n---\n"
    ),
    "a card with a bad pattern": "---\nconfigs:\n- config_name: a\n  data_files: '[z-a]'\n---\n",
    "a card beside a file that drips": "---\nlicense: cc0-1.0\n---\n",
    "a card with 100,000 configurations": "---\nconfigs:\n"
    + "- config_name: a\n" * 100_000
    + "---\n",
}
"""Front matter beside which a hub has one good file."""
DRIPPING = "a card beside a file that drips"


def completion(content: object) -> bytes:
    choice = {"message": {"content": content}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


WHOLE: dict[str, Callable[[], bytes]] = {
    "a page of HTML": lambda: b"<html><body>Log in</body></html>",
    "nothing": lambda: b"",
    "noise": lambda: bytes(range(256)) * 100,
    "null": lambda: b"null",
    "a number": lambda: b"7",
    "JSON that is deep": lambda: b"[" * _LEVELS + b"]" * _LEVELS,
    "JSON that is cut off": lambda: b'{"choices": [{"message": {"content": "a',
    "a number of 100,000 digits": lambda: b"1" * 100_000,
    "choices that are no list": lambda: b'{"choices": {"a": 1}, "siblings": 7}',
    "a list of wrong things": lambda: b'{"choices": [7], "siblings": [7, null]}',
    "content that is a list": lambda: completion([{"type": "text", "text": "a"}]),
}
ANSWERS = (
    *WHOLE,
    "a gigabyte",
    "a drip",
    "a gigabyte in gzip",
    "a redirect to the inside",
    "a cut line",
)


@contextmanager
def hostile_server() -> Iterator[str]:
    """Its address. A client names the wanted answer in the path."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            name = next((name for name in (*ANSWERS, *CARDS) if f"/{name}/" in path), "")
            if name in CARDS:
                self._be_a_hub(path, name)
            elif name in WHOLE:
                self._send(WHOLE[name]())
            else:
                self._be_odd(name)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def _be_a_hub(self, path: str, name: str) -> None:
            if "/resolve/" not in path:
                files = [{"rfilename": "README.md", "size": 9}, {"rfilename": "a.jsonl", "size": 9}]
                self._send(json.dumps({"sha": "c" * 40, "siblings": files}).encode())
            elif path.endswith("README.md"):
                self._send(CARDS[name].encode())
            elif name == DRIPPING:
                self._flow(is_drip=True)
            else:
                self._send(jsonl([{"prompt": "Why?"}]))

        def _be_odd(self, name: str) -> None:
            if name == "a redirect to the inside":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:9/latest/meta-data")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif name == "a cut line":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices"')
                self.close_connection = True
            elif name == "a gigabyte in gzip":
                packed = gzip.compress(b"a" * 2**28, 1)
                self._send(packed, encoding="gzip")
            elif name in ("a gigabyte", "a drip"):
                self._flow(is_drip=name == "a drip")
            else:
                self._send(b"{}", status=404)

        def _flow(self, *, is_drip: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(2**30))
            self.end_headers()
            piece = b'"' if is_drip else b"a" * 2**20
            try:
                for _n in range(2**30 // len(piece)):
                    self.wfile.write(piece)
                    time.sleep(0.1 * is_drip)
            except OSError:
                self.close_connection = True  # the client has had enough

        def _send(self, content: bytes, *, status: int = 200, encoding: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as url:
        yield url
