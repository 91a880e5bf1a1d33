"""Workers have a task for each message, and beat sends only tasks that exist."""

import ast
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from config.celery import ROOMS, app
from jobs import tasks as jobs_tasks
from jobs.messages import DECLARED

ROOT = Path(__file__).resolve().parents[2]
SENDERS = {"broker.send", "app.send_task", "apply_async", "delay"}


@pytest.fixture(scope="module")
def registered() -> set[str]:
    app.loader.import_default_modules()
    return set(app.tasks)


def test_every_message_has_a_task(registered: set[str]) -> None:
    assert DECLARED.keys() - registered == set()


def test_only_a_declared_message_sends_a_task_by_its_name() -> None:
    """The contracts of imports cannot see a name in a string."""
    senders = [
        path.relative_to(ROOT).as_posix()
        for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
        if any(sender in path.read_text() for sender in SENDERS)
        and any(
            isinstance(node, ast.Call)
            and {ast.unparse(node.func), ast.unparse(node.func).rpartition(".")[2]} & SENDERS
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]

    assert senders == ["jobs/messages.py"]


@pytest.mark.parametrize("entry", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_a_task_of_the_beat_is_registered(entry: str, registered: set[str]) -> None:
    assert settings.CELERY_BEAT_SCHEDULE[entry]["task"] in registered


@pytest.mark.django_db
def test_messages_of_the_beat_do_not_pile_up_while_no_worker_runs() -> None:
    """Each is dropped when the next is due."""
    for name, declared in settings.CELERY_BEAT_SCHEDULE.items():
        ModelEntry.from_entry(name, app=app, **declared)

    entries = {entry.name: entry for entry in PeriodicTask.objects.all()}

    assert entries.keys() == settings.CELERY_BEAT_SCHEDULE.keys()
    for name, entry in entries.items():
        every = entry.interval.schedule.run_every if entry.interval else timedelta(hours=12)
        assert timedelta(seconds=entry.expire_seconds or 0) == every, name


@pytest.mark.django_db
def test_beat_forgets_what_an_earlier_release_has_scheduled(registered: set[str]) -> None:
    """Celery beat keeps its schedule in the database, and would send it for ever."""
    every = IntervalSchedule.objects.create(every=30, period="seconds")
    for name in ("labeling.data.imports.tasks.ring_imports", "jobs.tasks.wake_waiting"):
        PeriodicTask.objects.create(name=name, task=name, interval=every)

    jobs_tasks.forget_old_entries()

    assert [entry.task for entry in PeriodicTask.objects.all()] == ["jobs.tasks.wake_waiting"]


@pytest.mark.django_db
def test_a_task_that_no_longer_exists_is_not_scheduled() -> None:
    """Celery beat keeps in the database what a release has scheduled; a migration removes it."""
    PeriodicTask.objects.create(
        name="precompute-texts",
        task="labeling.desk.tasks.precompute_texts",
        interval=IntervalSchedule.objects.create(every=30, period="seconds"),
    )

    migration = import_module("labeling.migrations.0004_squashed_0016_red_teaming")
    migration.remove_schedule(apps, None)

    assert not PeriodicTask.objects.filter(name="precompute-texts").exists()
