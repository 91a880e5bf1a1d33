"""A minimal hub over real HTTP, enough for huggingface_hub to create a repository and commit."""

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tooling.http_stub import Quiet, serving


@dataclass
class Hub:
    """`files` is what the last commit made visible; `refusal` a status to answer everything
    with.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    stored: dict[str, bytes] = field(default_factory=dict)
    refusal: int = 0


@contextlib.contextmanager
def hub_stub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hub.tokens.add(self.headers["Authorization"])
            if hub.refusal:
                self._send({"error": "You have no business here"}, hub.refusal)
            elif self.path == "/api/repos/create":
                hub.made.append(json.loads(body))
                self._send({"url": f"{hub.url}/{self._repository()}", "name": self._repository()})
            elif self.path == "/api/validate-yaml":
                self._send({"warnings": [], "errors": []})
            elif "/preupload/" in self.path:
                files = json.loads(body)["files"]
                seen = [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs"
                        if file["path"].endswith((".safetensors", ".parquet"))
                        else "regular",
                        "shouldIgnore": False,
                        "oid": None,
                    }
                    for file in files
                ]
                self._send({"files": seen})
            elif self.path.endswith("/info/lfs/objects/batch"):
                objects = json.loads(body)["objects"]
                seen = [
                    {
                        "oid": one["oid"],
                        "size": one["size"],
                        "authenticated": True,
                        "actions": {
                            "upload": {"href": f"{hub.url}/store/{one['oid']}", "header": {}}
                        },
                    }
                    for one in objects
                ]
                self._send({"transfer": "basic", "objects": seen})
            elif "/commit/" in self.path:
                self._commit(body)
            else:
                self._send({"error": f"what is {self.path}?"}, 404)

        def do_PUT(self) -> None:
            hub.stored[self.path.rsplit("/", 1)[1]] = self.rfile.read(
                int(self.headers["Content-Length"])
            )
            self._send({})

        def do_GET(self) -> None:
            hub.tokens.add(self.headers["Authorization"])
            about = f"/api/{self._repository()}" if hub.made else "none"
            path = self.path.partition("?")[0]
            if not path.startswith(about):
                self._send({"error": f"what is {path}?"}, 404, "RepoNotFound")
            elif "/tree/" not in path:
                self._send({"id": hub.made[-1]["name"], "sha": "0" * 40, "siblings": []})
            elif re.fullmatch(r"[^/]+", path.partition("/tree/")[2]):
                self._send([])  # of the root
            else:
                self._send({"error": "no such folder"}, 404, "EntryNotFound")

        def do_HEAD(self) -> None:
            """Of files: a new repository has none."""
            self._send({}, 404, "EntryNotFound")

        def _commit(self, body: bytes) -> None:
            for line in body.decode().splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    hub.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                elif entry["key"] == "lfsFile":
                    hub.files[entry["value"]["path"]] = hub.stored[entry["value"]["oid"]]
            address = f"{hub.url}/{self._repository()}/commit/abc"
            self._send({"success": True, "commitOid": "a" * 40, "commitUrl": address})

        def _repository(self) -> str:
            made = hub.made[-1]
            folder = "datasets/" if made.get("type") == "dataset" else ""
            return f"{folder}{made['organization']}/{made['name']}"

        def _send(self, body: Any, status: int = 200, problem: str = "") -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            # An open connection would keep a thread of this server.
            self.send_header("Connection", "close")
            if problem:
                self.send_header("X-Error-Code", problem)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with serving(Handler) as hub.url:
        yield hub
