"""What leaves the site for Sentry: where something happened, and no texts."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.tooling.http_stub import Quiet, serving

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow  # a process with its own settings
SITE = """
import logging, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from django.urls import path
from config import urls
from config.celery import app
from config.monitoring import context

def fail(request, token):
    written = "WRITTEN by a rater"
    raise ValueError(f"cannot store {written}")

urls.urlpatterns.insert(0, path("fails/<str:token>/", fail, name="livez"))

@app.task(name="at.work")
def at_work(**arguments):
    logging.getLogger("some.task").error("Refused: %s", "WRITTEN in a log")
    raise ValueError("WRITTEN by a task")

ask = Client(raise_request_exception=False, headers={"X-Request-ID": "id-of-the-request"})
ask.post("/fails/SECRET-TOKEN/?q=WRITTEN", {"text": "WRITTEN in a form"})
ask.get("/join/SECRET-TOKEN")
at_work.apply(
    kwargs={"text": "WRITTEN as an argument"},
    headers={"request_id": "id-of-the-request", "person": "feed"},
)
print("sentry_sdk" in sys.modules)
if "sentry_sdk" in sys.modules:
    import sentry_sdk
    sentry_sdk.flush(timeout=60)
"""
Received = list[bytes]


class Service(Quiet, BaseHTTPRequestHandler):
    received: Received

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, wbits=31)
        self.received.append(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def received() -> Iterator[Received]:
    """What a site with the setting has sent."""
    sent: Received = []
    with serving(type("Handler", (Service,), {"received": sent})) as address:
        run_site(
            PREFERABLY_SENTRY_DSN=address.replace("http://", "http://key@") + "/7",
        )
        yield sent


def run_site(**reports: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", SITE],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"} | reports,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_without_the_setting_sentry_is_not_even_imported() -> None:
    assert run_site() == "False\n"


def test_no_word_of_anybody_is_sent(received: Received) -> None:
    sent = b"".join(received)

    assert sent
    assert b"WRITTEN" not in sent
    assert b"SECRET-TOKEN" not in sent


def events_in(received: Received) -> list[dict[str, Any]]:
    """An envelope is lines of JSON: its head, then each item's head and the item."""
    return [
        json.loads(line)
        for body in received
        for line in body.splitlines()
        if b'"event_id"' in line and b'"platform"' in line
    ]


def test_sentry_gets_errors_with_their_place(received: Received) -> None:
    events = events_in(received)
    (failed,) = [event for event in events if event["transaction"] == "livez"]
    (logged,) = [event for event in events if "logentry" in event and "exception" not in event]
    assert failed["exception"]["values"][-1]["type"] == "ValueError"
    assert failed["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "fail"
    assert failed["tags"]["request_id"] == "id-of-the-request"
    assert (logged["transaction"], logged["user"]) == ("at.work", {"id": "feed"})
    assert logged["logentry"] == {"message": "Refused: %s"}
