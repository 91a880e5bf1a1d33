"""Log-ins, failures and new passwords are in the audit log."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import AuditEvent, User
from tests.cast import PASSWORD


@pytest.fixture(autouse=True)
def _no_failures_remembered() -> None:
    cache.clear()


def actions() -> list[tuple[str, int | None, int | None]]:
    return [(event.action, event.by_id, event.target_id) for event in AuditEvent.objects.all()]


def log_in(client: Client, *, email: str = "alice@example.org", password: str = PASSWORD) -> None:
    client.post("/account/login/", {"login": email, "password": password})


def test_a_login_is_recorded(alice: User, client: Client) -> None:
    AuditEvent.objects.all().delete()

    log_in(client)

    assert actions() == [("log_in", alice.pk, alice.pk)]


def test_a_failed_login_is_recorded_with_the_person(alice: User, client: Client) -> None:
    AuditEvent.objects.all().delete()

    log_in(client, password="wrong")

    assert actions() == [("log_in_failed", None, alice.pk)]


def test_what_is_typed_for_nobodys_address_is_not_recorded(alice: User, client: Client) -> None:
    AuditEvent.objects.all().delete()

    log_in(client, email="my-secret-password@example.org", password="wrong")

    assert actions() == []


def test_a_new_password_is_recorded(alice: User, client: Client) -> None:
    log_in(client)
    AuditEvent.objects.all().delete()
    new = {"password1": "seven green kettles", "password2": "seven green kettles"}

    client.post("/account/password/change/", {"oldpassword": PASSWORD} | new)

    assert actions() == [("change_password", alice.pk, alice.pk)]


def test_sessions_that_have_ended_are_deleted_by_night(alice: User) -> None:
    ended, open_ = Client(), Client()
    for client in (ended, open_):
        log_in(client)
    Session.objects.filter(session_key=ended.session.session_key).update(
        expire_date=timezone.now() - timedelta(minutes=1)
    )

    tasks.tidy_by_night()

    assert [one.session_key for one in Session.objects.all()] == [open_.session.session_key]


@pytest.mark.parametrize(("keep_days", "n_left"), [(0, 2), (9, 2), (7, 1)])
def test_a_setting_says_how_long_the_audit_log_is_kept(
    alice: User, client: Client, settings: LazySettings, keep_days: int, n_left: int
) -> None:
    AuditEvent.objects.all().delete()
    log_in(client)
    AuditEvent.objects.update(at=timezone.now() - timedelta(days=8))
    log_in(Client())
    settings.KEEP_AUDIT_DAYS = keep_days

    tasks.tidy_by_night()

    assert AuditEvent.objects.count() == n_left
