"""Where people are logged in: listed, noted when used, and ended from elsewhere."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from accounts.login import browser_sessions
from accounts.models import AuditEvent, LoginSession, User
from config import env
from labeling.models import Rater
from tests.cast import PASSWORD, login_of

SignedIn = Callable[..., Client]
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"


@pytest.fixture(autouse=True)
def _nobody_is_limited(settings: Any) -> None:
    settings.PROXIES = 0
    cache.clear()


def browser(person: User, user_agent: str = LAPTOP) -> Client:
    client = Client(headers={"User-Agent": user_agent})
    answer = client.post("/account/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_the_page_lists_the_browsers_of_a_person_and_nobody_elses(alice: User, noor: User) -> None:
    laptop = browser(alice)
    browser(alice, PHONE)
    browser(noor, "curl/8")

    page = laptop.get("/profile/sessions/").text

    assert "Firefox on Linux" in page
    assert "Safari on iOS" in page
    assert "Unknown browser" not in page
    assert "127.0.0.1" in page
    assert page.count("This browser") == 1


def test_a_person_logs_out_on_a_lost_phone(alice: User) -> None:
    laptop, phone = browser(alice), browser(alice, PHONE)
    lost = LoginSession.objects.get(user_agent=PHONE)

    laptop.post(f"/profile/sessions/{lost.pk}/end")

    assert (is_in(laptop), is_in(phone)) == (True, False)
    assert LoginSession.objects.filter(user=alice).count() == 1
    ended = AuditEvent.objects.get(action="end_sessions")
    assert (ended.by, ended.after) == (alice, {"n_sessions": 1})


def test_nobody_ends_the_session_of_somebody_else_by_its_number(alice: User, noor: User) -> None:
    hers, other = browser(alice), browser(noor)
    session = LoginSession.objects.get(user=alice)

    other.post(f"/profile/sessions/{session.pk}/end")

    assert is_in(hers)


def test_everywhere_else_includes_sessions_that_are_not_listed(
    alice: User, signed_in: SignedIn
) -> None:
    laptop, phone, older = browser(alice), browser(alice, PHONE), signed_in(alice)

    page = laptop.post("/profile/sessions/end", follow=True).text

    assert "Logged out in 2 other browsers." in page
    assert [is_in(client) for client in (laptop, phone, older)] == [True, False, False]


def test_an_admin_logs_a_person_out_everywhere(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    person = login_of(rosa)
    phone, admin = browser(person, PHONE), signed_in(alice)
    assert "in 1 browser" in admin.get(f"/people/{person.pk}/").text

    page = admin.post(f"/people/{person.pk}/log-out", follow=True).text

    assert "Logged out in 1 browser." in page
    assert (is_in(phone), is_in(admin)) == (False, True)
    assert AuditEvent.objects.filter(by=alice, action="end_sessions", target_id=person.pk).exists()


def test_use_is_noted_every_ten_minutes(alice: User) -> None:
    client = browser(alice)
    session, now = client.session, timezone.now()

    for minutes in (5, 11):
        browser_sessions.see(session=session, now=now + timedelta(minutes=minutes))

    seen_at = LoginSession.objects.get().seen_at
    assert seen_at == now + timedelta(minutes=11)


def test_a_session_keeps_its_place_in_the_list_with_a_new_password(alice: User) -> None:
    client = browser(alice)
    new = "seven green kettles"

    client.post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    page = client.get("/profile/sessions/").text

    assert (page.count("Firefox on Linux"), page.count("This browser")) == (1, 1)


def test_a_session_that_has_ended_is_not_listed_and_is_deleted_at_night(alice: User) -> None:
    browser(alice)
    Session.objects.update(expire_date=timezone.now() - timedelta(hours=1))

    assert browser_sessions.sessions_of(user=alice, now=timezone.now()) == []
    Session.objects.all().delete()
    browser_sessions.clear_ended()
    assert not LoginSession.objects.exists()


# The end of a session that nobody uses


def visit(client: Client, *, minutes: int, **headers: str) -> int:
    """The status of a page, when so many minutes more have passed."""
    passed = timedelta(minutes=minutes)
    session = client.session
    key, seen_at = session[browser_sessions.LISTED]
    session[browser_sessions.LISTED] = [key, seen_at - passed.total_seconds()]
    ends_at = Session.objects.get(session_key=key).expire_date - passed
    session.save()
    Session.objects.filter(session_key=key).update(expire_date=ends_at)
    return client.get("/profile/", headers=headers).status_code


def test_a_session_ends_when_nobody_has_used_it_for_twelve_hours(alice: User) -> None:
    client = browser(alice)

    assert visit(client, minutes=11 * 60) == 200
    assert visit(client, minutes=12 * 60) == 302


def test_whoever_works_stays_logged_in_for_days(alice: User) -> None:
    client = browser(alice)

    assert [visit(client, minutes=60) for _hour in range(40)] == [200] * 40


def test_a_page_that_refreshes_itself_keeps_nobody_logged_in(alice: User) -> None:
    client = browser(alice)
    polls = {"X-Polls": "1", "HX-Request": "true"}

    answers = [visit(client, minutes=60, **polls) for _hour in range(12)]

    assert answers[:11] == [200] * 11
    assert client.get("/profile/").status_code == 302


def test_a_shorter_limit_holds_for_sessions_that_have_begun(alice: User, settings: Any) -> None:
    client = browser(alice)
    settings.SESSION_COOKIE_AGE = 30 * 60
    visit(client, minutes=4)

    assert [visit(client, minutes=minutes) for minutes in (4, 4, 4, 26)] == [200] * 4
    assert visit(client, minutes=30) == 302


def test_a_limit_that_logs_readers_out_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFERABLY_IDLE_MINUTES", "2")

    with pytest.raises(ImproperlyConfigured, match="'2' is not a whole number from 5 on"):
        env.integer("PREFERABLY_IDLE_MINUTES", "", "720", least=5)
