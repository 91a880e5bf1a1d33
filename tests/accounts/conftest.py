"""A webhook and the server that receives it."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import LazySettings

from accounts.models import User, Webhook
from tests.accounts.webhooks.webhook_receiver import Receiver, make


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.WEBHOOKS_MAY_STAY_INSIDE = True
    has_ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            own.came.append((dict(self.headers), body))
            if own.is_slow:
                self.answer_a_letter_at_a_time()
                return
            self.send_response(own.status, own.reason or None)
            if own.location:
                self.send_header("Location", own.location)
            self.end_headers()

        def answer_a_letter_at_a_time(self) -> None:
            with suppress(OSError):
                while not has_ended.wait(0.05):
                    self.wfile.write(b"H")

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    own = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield own
    has_ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook(receiver: Receiver, alice: User) -> Webhook:
    return make(receiver.url, alice)[0]
