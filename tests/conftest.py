"""Fixtures for every test. scripts/run_with_services.py (`make test`) starts the services before
pytest.
"""

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone, translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from whitenoise.middleware import WhiteNoiseMiddleware

if not os.environ.get("DATABASE_URL"):
    pytest.exit(
        "Tests run on a real PostgreSQL: use `make test`, or scripts/run_with_services.py pytest …",
        returncode=4,
    )

# Each worker of Celery, and each process of its pool, would check the whole site, which is half of
# its start. tests/house/test_configuration.py checks it once.
os.environ["CELERY_SKIP_CHECKS"] = "true"

from client_build.generate import write_missing_client
from tests.accounts import sent_tasks
from tests.accounts.login.identity_provider import company, single_sign_on_with  # noqa: F401
from tests.cast import (  # noqa: F401
    alice,
    comparison_campaign,
    day_shift,
    demonstration_campaign,
    guideline,
    noor,
    raul,
    rita,
    rosa,
    signed_in,
)
from tests.tooling import databases, recordings, schedule, selection, times

# In a checkout where nothing has made it yet.
write_missing_client()

# A busy machine is no reason to fail: without CI=true, hypothesis allows an example 200 ms.
hypothesis_settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy machine")
hypothesis_settings.register_profile(
    "quick", hypothesis_settings.get_profile("busy machine"), max_examples=30
)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """A hook of pytest, so early that these plugins can add options."""
    for plugin in (recordings, schedule, selection, times):
        pluginmanager.register(plugin)


def pytest_configure(config: pytest.Config) -> None:
    """A hook of pytest: `make test` tries more examples than `make quick`."""
    if config.getoption("--quick"):
        hypothesis_settings.load_profile("quick")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """In place of pytest-django's own: copies a template instead of migrating in each process."""
    with django_db_blocker.unblock():
        databases.set_up()
        migrated = databases.n_rows()

    def empty(self: TransactionTestCase) -> None:
        databases.empty()
        assert databases.n_rows() == migrated, f"Not every row of {databases.WITH_ROWS} is there."

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield
    with django_db_blocker.unblock():
        databases.tear_down()


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_found_once() -> Iterator[None]:
    """Each test client builds the middleware again, and with it WhiteNoise's list of 300 files."""
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add_files_from_finders(self: WhiteNoiseMiddleware) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files = dict(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files_from_finders)
        yield


@pytest.fixture(autouse=True)
def _nobodys_language() -> Iterator[None]:
    """Resets the thread's language and time zone after a test: a request leaves its reader's."""
    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(autouse=True)
def _others_are_done(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before the database is emptied for the next test: a process that was killed may have a
    statement running there.
    """
    marker = request.node.get_closest_marker("django_db")
    is_marked = marker is not None and marker.kwargs.get("transaction", False)
    is_emptied = is_marked or not {"transactional_db", "live_server"}.isdisjoint(
        request.fixturenames
    )
    if is_emptied:
        request.getfixturevalue(
            "transactional_db"
        )  # begun before this, so that it is emptied after this
    yield
    deadline = time.monotonic() + 60
    while is_emptied and _someone_else_is_busy():
        assert time.monotonic() < deadline, (
            "Someone still works on the database of a test that is over."
        )
        time.sleep(0.05)


def _someone_else_is_busy() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid"
            " <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle')"
        )
        return bool(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _figures_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a page counts is not kept for its next look;
    tests/labeling/quality/test_figure_cache.py keeps it.
    """
    monkeypatch.setattr("labeling.quality.figure_cache.QUICK_S", math.inf)


@pytest.fixture
def empty_queue() -> None:
    """No message to a worker is left of other tests."""
    sent_tasks.drop_sent()
