"""A minimal hub with datasets over real HTTP: what its API says of a repository, and its files."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.tooling.http_stub import Quiet, serving

COMMIT = "c" * 40


@dataclass
class DatasetHub:
    """`files` by repository and name. A repository in `private` needs the token."""

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    revisions: tuple[str, ...] = ("main", "v1")
    asked: list[str] = field(default_factory=list)
    refusal: int = 0


@contextlib.contextmanager
def dataset_hub() -> Iterator[DatasetHub]:
    hub = DatasetHub()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(path)
            if hub.refusal:
                self._send(b"{}", hub.refusal)
                return
            for repository, files in hub.files.items():
                revision = path.removeprefix(f"/api/datasets/{repository}/revision/")
                is_open = (
                    repository not in hub.private
                    or self.headers["Authorization"] == "Bearer hf_secret"
                )
                if is_open and revision in hub.revisions:
                    siblings = [
                        {"rfilename": name, "size": len(content)} for name, content in files.items()
                    ]
                    self._send(json.dumps({"sha": COMMIT, "siblings": siblings}).encode())
                    return
                name = path.removeprefix(f"/datasets/{repository}/resolve/{COMMIT}/")
                if is_open and name in files:
                    self._send(files[name])
                    return
            self._send(b"{}", 404)

        def _send(self, content: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as hub.url:
        yield hub
