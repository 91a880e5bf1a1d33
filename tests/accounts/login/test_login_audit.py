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
from tests.accounts.login.identity_provider import BACK, Company, Configure, arrive
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

    assert actions() == [("log_in_failed", None, None)]
    (event,) = AuditEvent.objects.values()
    assert "secret" not in str(event)
    assert event["address"] == "127.0.0.1"


def test_a_sweep_over_many_addresses_leaves_a_trace_and_no_flood(
    alice: User, settings: LazySettings
) -> None:
    """One entry a minute for each network, however many addresses are tried."""
    settings.PROXIES = 1
    AuditEvent.objects.all().delete()

    for number in range(60):
        visitor = Client(headers={"X-Forwarded-For": f"203.0.113.{number % 3}"})
        log_in(visitor, email=f"{number}@example.org", password="guess")

    assert actions() == [("log_in_failed", None, None)] * 3
    assert set(AuditEvent.objects.values_list("address", flat=True)) == {
        f"203.0.113.{number}" for number in range(3)
    }


def test_log_ins_and_failures_have_the_address_they_came_from(
    alice: User, settings: LazySettings
) -> None:
    settings.PROXIES = 1
    visitor = Client(headers={"X-Forwarded-For": "192.0.2.1, 2001:db8::7"})
    AuditEvent.objects.all().delete()

    log_in(visitor, password="wrong")
    log_in(visitor)
    new = {"password1": "seven green kettles", "password2": "seven green kettles"}
    visitor.post("/account/password/change/", {"oldpassword": PASSWORD} | new)

    seen = AuditEvent.objects.order_by("pk").values_list("action", "address")
    assert list(seen) == [
        ("log_in_failed", "2001:db8::7"),
        ("log_in", "2001:db8::7"),
        ("change_password", "2001:db8::7"),
    ]


def test_refusals_after_a_provider_have_the_address_they_came_from(
    settings: LazySettings, db: None, company: Company, single_sign_on_with: Configure
) -> None:
    settings.PROXIES = 1
    single_sign_on_with()
    company.knows("n-audit", email="nina@example.org", email_verified=True, name="Nina")
    visitor = Client(headers={"X-Forwarded-For": "192.0.2.1, 2001:db8::7"})

    arrive(visitor, "n-audit")
    visitor.get(BACK, {"error": "server_error", "state": "made-up"})

    seen = AuditEvent.objects.order_by("pk").values_list("action", "address", "after")
    assert list(seen) == [
        ("log_in_failed", "2001:db8::7", {"provider": "company", "reason": "no_account"}),
        ("log_in_failed", "2001:db8::7", {"provider": "company", "reason": "provider"}),
    ]


def test_a_sweep_over_the_way_back_from_a_provider_leaves_no_flood(
    client: Client, db: None, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()

    for number in range(9):
        client.get(BACK, {"error": "access_denied", "state": f"made-up-{number}"})

    assert actions() == [("log_in_failed", None, None)]


def test_admins_see_the_address_and_nobody_else_does(alice: User, client: Client) -> None:
    log_in(client)

    assert "127.0.0.1" in client.get("/audit/").text
    called = client.get("/api/v1/audit-events?action=log_in").json()
    assert called["results"][0]["address"] == "127.0.0.1"


@pytest.mark.parametrize(("keep_days", "address"), [(0, "127.0.0.1"), (9, "127.0.0.1"), (7, None)])
def test_a_setting_says_how_long_addresses_are_kept(
    alice: User, client: Client, settings: LazySettings, keep_days: int, address: str | None
) -> None:
    log_in(client)
    AuditEvent.objects.update(at=timezone.now() - timedelta(days=8))
    settings.KEEP_AUDIT_DAYS, settings.KEEP_ADDRESSES_DAYS = 0, keep_days

    tasks.tidy_by_night()

    assert AuditEvent.objects.get(action="log_in").address == address


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
