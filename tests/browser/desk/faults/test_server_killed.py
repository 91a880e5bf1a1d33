"""The server is killed (kill -9) during a submit and restarted: the answer is stored once, and the
desk continues.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest
import services
from django.db import connection, transaction
from django.db.models import Model
from playwright.sync_api import expect

from labeling.models import Campaign, Judgment, QueuePlace, Rater, Slot
from tests.browser.conftest import ROOT
from tests.browser.desk.hands import OpenPage, press

ANSWER = "Yeast gives off gas and gluten holds it. " * 4


class Site:
    """The site in its own processes, on the tests' database. It can be killed and restarted at the
    same address.
    """

    def __init__(self) -> None:
        self.port = services.free_port()
        self.address = f"http://localhost:{self.port}"
        self.start()

    def start(self) -> None:
        options = (
            f"--bind localhost:{self.port} --workers 1 --threads 4 --no-control-socket --log-level"
            " error"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", *options.split()],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": self._database},
            preexec_fn=services.die_with_parent,
            process_group=0,
        )
        services.wait(self._answers, self.process)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def _database(self) -> str:
        return (
            os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
        )

    def _answers(self) -> bool:
        try:
            return bool(urllib.request.urlopen(f"{self.address}/healthz", timeout=10).status == 200)  # noqa: S310  # our own
        except OSError:  # not there yet, or too busy to answer in time
            return False


@pytest.fixture
def site(transactional_db: None) -> Iterator[Site]:
    started = Site()
    yield started
    started.kill()


@contextmanager
def locked(rows: type[Model]) -> Iterator[None]:
    """What a request does to these rows waits until this is over."""
    with transaction.atomic():
        list(rows._default_manager.select_for_update())
        yield


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def waits() -> bool:
    """Whether a statement of the site waits for a lock. Asked inside a transaction, which keeps its
    first look at the others.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname ="
            " current_database()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("at", "rows", "n_stored"),
    [
        ("before it", None, 0),
        ("while it is being stored", Slot, 0),
        ("when it is stored and not answered", QueuePlace, 1),
    ],
)
def test_a_server_killed_around_a_submit_stores_the_answer_once_and_the_desk_goes_on(
    at: str,
    rows: type[Model] | None,
    n_stored: int,
    open_page: OpenPage,
    rosa: Rater,
    writing: Campaign,
    site: Site,
) -> None:
    page = open_page(f"{site.address}/desk/", rosa, may_be_away=True)
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".desk[data-mounted]")
    first = page.url
    page.keyboard.type(ANSWER)
    press(page, "Control+Enter")
    expect(page.locator("[data-review][data-state=ready]")).to_be_visible()

    with locked(rows) if rows else nullcontext():
        if rows is None:
            site.kill()
        press(page, "Control+Enter")
        if rows is not None:
            until(waits)
            site.kill()
        expect(page.locator("[data-trouble]")).to_contain_text("Can't reach the server.")
        assert Judgment.of_people.count() == n_stored
    site.start()
    page.wait_for_url(lambda url: url != first, timeout=90_000)
    page.wait_for_selector(".desk[data-mounted]")

    judgment = Judgment.of_people.get()
    assert judgment.demonstration.text == ANSWER
    assert not judgment.is_extra
    expect(page.locator("#text")).to_have_value("")
    assert Slot.objects.get(rater=rosa, state=Slot.State.LEASED).lease is not None
