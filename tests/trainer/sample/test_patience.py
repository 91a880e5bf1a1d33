"""How long a busy, slow or endless server is waited for, over real HTTP."""

import contextlib
import email.utils
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.tooling.http_stub import Quiet, serving
from training.processes import completions
from training.processes.completions import CompletionFailed, Piece, Sampling, Server
from training.trainer.sample import remote

NOW = "Tue, 01 Dec 2026 08:00:00 GMT"
WHOLE = json.dumps(
    {"choices": [{"message": {"content": "At last."}, "finish_reason": "stop"}]}
).encode()


@contextlib.contextmanager
def limited(n_busy: int, retry_after: Callable[[], str], status: int = 429) -> Iterator[str]:
    """A server that is busy for its first requests."""
    left = [n_busy]

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            is_busy, content = left[0] > 0, WHOLE
            if is_busy:
                left[0] -= 1
                content = b'{"error": {"message": "rate limit"}}'
            self.send_response(status if is_busy else 200)
            if is_busy and (when := retry_after()):
                self.send_header("Retry-After", when)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as url:
        yield url


def asked(url: str) -> Piece:
    with completions.client() as client:
        return remote.complete_patiently(
            client, Server(url, "any"), [{"role": "user", "content": "Hello"}], Sampling()
        )


def streamed(url: str) -> list[Piece]:
    with completions.client() as client:
        return list(completions.stream(client, Server(url, "any"), [], Sampling()))


def in_seven_seconds() -> str:
    return email.utils.formatdate(time.time() + 7, usegmt=True)


@pytest.mark.parametrize("when", [lambda: "7", in_seven_seconds], ids=["seconds", "date"])
def test_a_busy_server_is_asked_again_when_it_says(
    when: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)

    with limited(1, when) as url:
        assert asked(url).text == "At last."

    assert len(waits) == 1
    assert waits[0] == pytest.approx(7, abs=1.1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_more_often_than_one_that_fails(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "FIRST_RETRY_DELAY_S", 0.001)

    with limited(remote.N_TRIES + 3, lambda: "", status) as url:
        assert asked(url).text == "At last."


def test_a_wait_beyond_the_budget_is_not_begun_and_the_sentence_says_both() -> None:
    started_at = time.monotonic()

    with limited(1, lambda: "86400") as url, pytest.raises(CompletionFailed) as failure:
        asked(url)

    assert "429: rate limit It asks for 86400 s." in str(failure.value)
    assert "waited for no longer than 180 s" in str(failure.value)
    assert time.monotonic() - started_at < 5


def test_a_server_that_stays_busy_fails_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_WAIT_S", 0.3)
    monkeypatch.setattr(remote, "FIRST_RETRY_DELAY_S", 0.01)

    with limited(10_000, lambda: "") as url, pytest.raises(CompletionFailed, match="429"):
        asked(url)


@pytest.mark.parametrize("header", ["", "soon", "-1", "1.5", "Wed, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing_is_not_obeyed(header: str) -> None:
    assert completions.retry_after_s(header, NOW) is None


def test_a_date_in_the_past_is_no_wait() -> None:
    assert completions.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT", NOW) == 0


@pytest.mark.parametrize("part", ["status line", "headers", "body"])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
def test_an_answer_that_drips_is_cut_off(
    part: str, is_streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "ANSWER_TIMEOUT_S", 0.2)
    monkeypatch.setattr(remote, "N_TRIES", 1)
    is_over = threading.Event()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if part != "status line":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            if part == "body":
                self.wfile.write(b"1\r\nContent-Length: 100000\r\n\r\n")
            drip = b"HTTP/1.1 200 OK" if part == "status line" else b" " * 500
            with contextlib.suppress(OSError):
                for byte in drip:
                    if is_over.wait(0.02):
                        break
                    self.wfile.write(bytes([byte]))
                is_over.wait(5)

    started_at = time.monotonic()
    ask: Callable[[str], object] = streamed if is_streamed else asked
    with serving(Handler) as url, pytest.raises(CompletionFailed, match=r"cut off after 0\.2 s"):
        ask(url)
    assert time.monotonic() - started_at < 4
    is_over.set()
