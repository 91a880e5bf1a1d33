"""Messages to workers: one entry of the beat sends again what was lost, and none pile up."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import services as servers
from django.core.cache import cache

from config.celery import app
from jobs import tasks
from jobs.messages import DECLARED, Message
from tests.config.own_redis import Redis

app.loader.import_default_modules()
WOKEN = [message for message in DECLARED.values() if message.every is not None]


@pytest.mark.django_db
@pytest.mark.parametrize("message", WOKEN, ids=lambda message: message.task)
def test_the_beat_finds_what_waits_for_every_message(message: Message) -> None:
    """On a site without a row, nothing does."""
    assert message.waiting(now=datetime.fromisoformat("2026-01-01T12:00:00Z")) == []
    assert message.argument


def noting(asked: list[str], name: str, *, now: datetime) -> list[int]:
    asked.append(name)
    return []


@pytest.mark.django_db
def test_one_entry_of_the_beat_wakes_every_kind_at_its_own_pace(own_redis: Redis) -> None:
    asked: list[str] = []
    for name, every in ("often", timedelta(seconds=5)), ("seldom", timedelta(hours=1)):
        message = Message(f"tests.{name}", limit=timedelta(seconds=1), argument="pk")
        message.wakes(partial(noting, asked, name), every=every)
    cache.clear()
    try:
        tasks.wake_waiting()
        cache.delete("woken:tests.often")  # as after its pause
        tasks.wake_waiting()
    finally:
        del DECLARED["tests.often"], DECLARED["tests.seldom"]

    assert asked == ["often", "seldom", "often"]


def test_without_a_broker_a_person_waits_less_than_two_seconds_and_no_error_is_raised() -> None:
    address = f"redis://127.0.0.1:{servers.free_port()}/0"
    code = (
        "import time, django; django.setup(); from training.processes.messages import RUNS;"
        " from config import broker; started = time.monotonic();"
        " print(RUNS.wake(1), broker.n_waiting(RUNS.queue), time.monotonic() - started < 2)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ | {"REDIS_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.strip() == "False 0 True"
    assert "The beat sends it again" in done.stderr
