"""A page waits for PostgreSQL only so long, whatever stands still. A job waits as long as it
needs.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection, create_server, socket
from typing import Any

import pytest
import services
from django.conf import LazySettings
from django.conf import settings as site
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.utils import OperationalError

from config.third_party import page_limits

ROOT = Path(__file__).resolve().parents[3]
SHOW = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"


class Line:
    """A TCP line to PostgreSQL that can stop passing anything on, and stays open."""

    def __init__(self) -> None:
        self.server = create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.passes = threading.Event()
        self.passes.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        there = site.DATABASES["default"]
        with suppress(OSError):
            while True:
                near, _address = self.server.accept()
                far = create_connection(
                    (str(there["HOST"] or "127.0.0.1"), int(str(there["PORT"])))
                )
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket, target: socket) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                self.passes.wait()
                target.sendall(received)
        target.close()


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.passes.set()
    line.server.close()


@contextmanager
def as_a_web_process(settings: LazySettings, *, limit_s: int) -> Iterator[None]:
    before = dict(connection.settings_dict["OPTIONS"])
    settings.PAGE_LIMIT_S = limit_s
    page_limits.apply()
    try:
        yield
    finally:
        connection_created.disconnect(dispatch_uid="page_limits")
        connection.settings_dict["OPTIONS"] = before


@contextmanager
def another(**changes: Any) -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own, as the next request of this process opens one."""
    new = connections["default"].copy()
    new.settings_dict.update(changes)
    with closing(new):
        yield new


def limits_of(wrapper: BaseDatabaseWrapper) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(SHOW)
        return cursor.fetchone()


@pytest.mark.django_db
def test_only_a_web_process_has_limits_for_statements_and_locks(settings: LazySettings) -> None:
    with another() as job:
        of_a_job = limits_of(job)
    with as_a_web_process(settings, limit_s=20), another() as page:
        of_a_page = limits_of(page)

    assert of_a_job == ("0", "0")
    assert of_a_page == ("20s", "10s")


@pytest.mark.django_db
def test_a_statement_that_takes_too_long_ends(settings: LazySettings) -> None:
    with (
        as_a_web_process(settings, limit_s=1),
        another() as page,
        page.cursor() as cursor,
        pytest.raises(OperationalError, match="statement timeout"),
    ):
        cursor.execute("SELECT pg_sleep(60)")


@pytest.mark.django_db
def test_a_page_gives_up_a_database_that_answers_nothing(
    settings: LazySettings, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stays open, so that no limit of the network ends it."""
    monkeypatch.setattr(page_limits, "GRACE_S", 0.2)
    with as_a_web_process(settings, limit_s=1), another(HOST="127.0.0.1", PORT=line.port) as page:
        assert limits_of(page) == ("1s", "1s")
        line.passes.clear()
        began = time.monotonic()
        with pytest.raises(OperationalError, match="does not answer"):
            limits_of(page)
        with pytest.raises(OperationalError):
            limits_of(page)

        assert time.monotonic() - began < 5
        assert page_limits._is_refused(), "others do not wait as well"
        line.passes.set()
    with as_a_web_process(settings, limit_s=1), another() as page:
        limits_of(page)
        assert not page_limits._is_refused()


@pytest.mark.slow
@pytest.mark.django_db
def test_a_web_server_lives_on_while_its_database_answers_nothing(
    line: Line, tmp_path: Path
) -> None:
    """More people ask for pages than there are threads."""
    there, port = site.DATABASES["default"], services.free_port()
    url = f"postgres://{there['USER']}:{there['PASSWORD']}@127.0.0.1:{line.port}/{there['NAME']}"
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    environment = os.environ | {
        "DATABASE_URL": url,
        "PREFERABLY_HOME": str(tmp_path),
        "PREFERABLY_PAGE_LIMIT_S": "1",
    }
    with subprocess.Popen(
        [*command, "--threads", "2", "--no-control-socket"],
        cwd=ROOT,
        env=environment,
        preexec_fn=services.die_with_parent,
    ) as server:
        services.wait(lambda: services.listens(port), server)
        assert status(port, "/livez") == 200
        status(port, "/desk/", cookie="sessionid=" + "x" * 32)
        line.passes.clear()
        for _number in range(6):
            threading.Thread(
                target=status, args=(port, "/desk/", "sessionid=" + "x" * 32), daemon=True
            ).start()
        time.sleep(0.5)

        began = time.monotonic()
        answer = status(port, "/livez")

        server.terminate()
    assert answer == 200
    assert time.monotonic() - began < 15


def status(port: int, path: str, cookie: str = "") -> int:
    asking = HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(asking):
        asking.request("GET", path, headers={"Cookie": cookie})
        return asking.getresponse().status
