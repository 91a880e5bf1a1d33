"""A hub whose answers do not end: they are given up, however slowly they come."""

import itertools
import time
from http.server import BaseHTTPRequestHandler

import pytest

from labeling.data.hub import places
from labeling.data.hub.places import HubAway, Wanted
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
