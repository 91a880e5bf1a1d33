"""Every task that is sent by name is registered in a worker."""

import ast
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.celery import TASK_ROOMS, app

ROOT = Path(__file__).resolve().parents[2]
CODE = ("accounts", "arithmetic", "config", "labeling", "pages", "training")
SENDERS = {"broker.send", "app.send_task"}


def sent_names() -> list[str]:
    """The first argument of every call that sends a task by name."""
    names = []
    for path in (path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))):
        text = path.read_text()
        if not any(sender in text for sender in SENDERS):
            continue  # parsing every file would take half a second in each test process
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in SENDERS:
                first = node.args[0]
                # config/broker.py passes on the name that it was called with.
                if path != ROOT / "config" / "broker.py":
                    assert isinstance(first, ast.Constant), f"{path}:{node.lineno}"
                    names.append(str(first.value))
    return sorted(set(names))


@pytest.fixture(scope="module")
def registered() -> set[str]:
    app.loader.import_default_modules()
    return set(app.tasks)


def test_every_package_with_tasks_is_searched_for_them() -> None:
    with_tasks = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for folder in CODE
        for path in (ROOT / folder).rglob("tasks.py")
    }

    assert set(TASK_ROOMS) == with_tasks


@pytest.mark.parametrize("name", sent_names())
def test_a_task_that_the_code_sends_is_registered(name: str, registered: set[str]) -> None:
    assert name in registered


@pytest.mark.parametrize("entry", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_a_task_of_the_beat_is_registered(entry: str, registered: set[str]) -> None:
    assert settings.CELERY_BEAT_SCHEDULE[entry]["task"] in registered


@pytest.mark.parametrize("name", sorted(settings.CELERY_TASK_ROUTES))
def test_a_task_with_a_queue_of_its_own_is_registered(name: str, registered: set[str]) -> None:
    assert name in registered


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
