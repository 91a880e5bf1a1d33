"""A hub whose answers do not end: they are given up, however slowly they come."""

import itertools
import json
import re
import time
from http.server import BaseHTTPRequestHandler

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.data.hub import jobs, places
from labeling.data.hub.places import HubAway, Wanted
from tests.cast import NOON
from tests.tooling.http_stub import Quiet, serving


class Dripping(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000000")
        self.end_headers()
        try:
            for _n in itertools.count():
                self.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:
            self.close_connection = True  # nobody reads any more


class DrippingFile(Dripping):
    """The listing is right; the file comes a byte at a time."""

    def do_GET(self) -> None:
        if "/resolve/" in self.path:
            super().do_GET()
            return
        files = [{"rfilename": "train.jsonl", "size": 10**9}]
        listing = json.dumps({"sha": "c" * 40, "siblings": files}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(listing)))
        self.end_headers()
        self.wfile.write(listing)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limit", "least", "sentence"),
    [
        ("RATE_S", 1_000, r"fewer than 1 KB a second.*upload them here"),
        ("DOWNLOAD_S", 0, r"takes more than .* hours.*upload them here"),
    ],
)
def test_a_file_that_drips_is_given_up(
    alice: User,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    least: int,
    sentence: str,
) -> None:
    monkeypatch.setattr(places, limit, 1.5)
    monkeypatch.setattr(places, "LEAST_RATE", least)
    options = {"source_name": "stranger", "licence": "CC0-1.0"}
    with serving(DrippingFile) as settings.HUB_URL:
        download = jobs.request_download(
            repository="team/data", options=options, by=alice, now=NOON
        )
        started = time.monotonic()
        jobs.DOWNLOADS.run(download.pk, clock=lambda: NOON)

    assert time.monotonic() - started < 20
    download.refresh_from_db()
    assert download.state == download.State.FAILED
    assert re.search(sentence, download.error)
    assert download.bytes_read > 0, "it is alive as long as bytes come"


@pytest.mark.slow
def test_a_listing_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ANSWER_TIMEOUT_S", 0.5)
    started = time.monotonic()

    with (
        serving(Dripping) as url,
        pytest.raises(HubAway, match="does not end"),
        places.on_hub(Wanted("team/data"), hub=url, token=""),
    ):
        pass

    assert time.monotonic() - started < 20


def test_a_download_that_begins_fast_and_then_drips_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gigabyte at once would make up for a day at 10 KB a second."""
    seconds = itertools.count(0.0, 10.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    pace = places._Pace(0.0)
    pace.begin()
    pace.add(10**9)

    with pytest.raises(HubAway, match="fewer than 10 KB a second"):
        drip(pace)


def drip(pace: places._Pace) -> None:
    for _part in range(20):
        pace.add(1)
