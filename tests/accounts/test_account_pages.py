"""Signing in and out, passwords, the profile, and accounts created by an admin."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.accounts.sent_tasks import letters, run_sent
from tests.cast import PASSWORD

pytestmark = pytest.mark.usefixtures("empty_queue")

SignedIn = Callable[..., Client]
MAIL_LINK = "accounts.tasks.mail_password_link"
NEW_PASSWORD = "seven green kettles"


@pytest.fixture(autouse=True)
def _no_failures_remembered() -> None:
    """Failed logins are counted in the shared cache, which outlives a test."""
    cache.clear()


def log_in(client: Client, *, email: str, password: str) -> Any:
    return client.post("/account/login/", {"login": email, "password": password})


def mailed_link(start: str = "/") -> str:
    """The path of the first link with this start in the first message."""
    found = re.search(rf"http://testserver({start}\S+)", str(letters()[0].body))
    assert found is not None
    return found.group(1)


def person_fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Quin",
        "email": "quin@example.org",
        "roles": ["rater"],
        "time_zone": "Europe/Berlin",
        "is_active": "on",
    } | changes


# Signing in and out


def test_the_right_password_leads_home(alice: User, client: Client) -> None:
    response = log_in(client, email="alice@example.org", password=PASSWORD)

    assert response.headers["Location"] == "/"


def test_the_case_of_the_address_does_not_matter(alice: User, client: Client) -> None:
    response = log_in(client, email="Alice@Example.org", password=PASSWORD)

    assert response.status_code == 302


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_a_wrong_login_gets_one_sentence_whether_or_not_the_address_exists(
    alice: User, client: Client, email: str
) -> None:
    response = log_in(client, email=email, password="wrong")

    assert "Wrong e-mail or password." in response.text


def test_a_closed_login_is_only_named_with_the_right_password(alice: User, client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    response = client.post(
        "/account/login/", {"login": "alice@example.org", "password": PASSWORD}, follow=True
    )

    assert "This account is closed" in response.text


def test_a_login_leads_back_to_the_page_that_asked_for_it(alice: User, client: Client) -> None:
    response = client.get("/people/")
    address = response.headers["Location"]

    response = client.post(address, {"login": "alice@example.org", "password": PASSWORD})

    assert address == "/account/login/?next=/people/"
    assert response.headers["Location"] == "/people/"


def test_a_login_never_leads_to_another_site(alice: User, client: Client) -> None:
    response = client.post(
        "/account/login/?next=https://evil.example/",
        {"login": "alice@example.org", "password": PASSWORD},
    )

    assert response.headers["Location"] == "/"


def test_the_sixth_wrong_password_in_five_minutes_closes_the_login_even_to_the_right_one(
    alice: User, client: Client
) -> None:
    for _attempt in range(5):
        log_in(client, email="alice@example.org", password="wrong")

    response = log_in(client, email="alice@example.org", password=PASSWORD)

    assert "Too many failed attempts." in response.text


def test_failures_are_counted_by_login_and_not_by_address(
    alice: User, noor: User, client: Client
) -> None:
    for _attempt in range(6):
        log_in(client, email="alice@example.org", password="wrong")

    response = log_in(client, email="noor@example.org", password=PASSWORD)

    assert response.status_code == 302


def test_logging_out_takes_a_post(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)

    assert client.get("/account/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    client.post("/account/logout/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up_by_themselves(client: Client, db: None, method: str) -> None:
    fields = {"email": "x@example.org", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    response = getattr(client, method)("/account/signup/", fields)

    assert "Ask an admin" in response.text
    assert not User.objects.exists()


# Passwords


def test_a_forgotten_password_is_set_by_a_link_that_works_once(
    alice: User, client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client.post("/account/password/reset/", {"email": "alice@example.org"})
    run_sent(MAIL_LINK)
    link = mailed_link("/account/password/reset/key/")

    page = client.get(link, follow=True)
    chosen = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page.request["PATH_INFO"], chosen)
    alice.refresh_from_db()

    assert alice.check_password(NEW_PASSWORD)
    assert "This link no longer works" in Client().get(link, follow=True).text
    # To the visitor of the link, who is not logged in.
    assert "The password for alice@example.org was just changed." in letters()[-1].body


def test_an_unknown_address_gets_the_same_page_and_no_mail(client: Client, db: None) -> None:
    response = client.post("/account/password/reset/", {"email": "nobody@example.org"}, follow=True)
    run_sent(MAIL_LINK)

    assert "If this address has an account" in response.text
    assert letters() == []


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_the_answer_waits_for_no_mail_whether_or_not_the_address_exists(
    alice: User, client: Client, email: str
) -> None:
    run_sent(MAIL_LINK)

    client.post("/account/password/reset/", {"email": email})

    assert mail.outbox == []
    assert run_sent(MAIL_LINK) == [{"email": email, "site": "http://testserver"}]


def test_a_closed_account_gets_no_link(alice: User, client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    client.post("/account/password/reset/", {"email": alice.email})
    run_sent(MAIL_LINK)

    assert letters() == []


def test_a_link_is_mailed_in_the_persons_language(alice: User, client: Client) -> None:
    User.objects.filter(pk=alice.pk).update(language="de")

    client.post("/account/password/reset/", {"email": "Alice@Example.org"})
    run_sent(MAIL_LINK)

    assert "Passwort" in letters()[0].subject


def test_a_changed_password_keeps_the_session_and_notifies_its_owner(
    alice: User, signed_in: SignedIn, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = signed_in(alice)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            "/account/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )

    assert client.get("/profile/").status_code == 200
    assert "was changed" in letters()[0].subject


def test_a_weak_password_gets_a_reason(alice: User, signed_in: SignedIn) -> None:
    response = signed_in(alice).post(
        "/account/password/change/",
        {"oldpassword": PASSWORD, "password1": "12345", "password2": "12345"},
    )

    assert "too short" in response.text


# The way home


def test_each_role_starts_where_its_work_is(
    alice: User, noor: User, rosa: Rater, signed_in: SignedIn
) -> None:
    starts = [signed_in(person).get("/").headers["Location"] for person in (alice, noor, rosa)]

    assert starts == ["/campaigns/", "/lines/", "/desk/"]


def test_a_person_without_a_role_sees_what_to_do(alice: User, signed_in: SignedIn) -> None:
    User.objects.filter(pk=alice.pk).update(is_admin=False)

    assert "No role yet" in signed_in(alice).get("/").text


# The profile


def test_a_profile_says_name_time_zone_and_language(alice: User, signed_in: SignedIn) -> None:
    signed_in(alice).post(
        "/profile/", {"name": "Alice B", "time_zone": "Asia/Tokyo", "language": "de"}
    )

    alice.refresh_from_db()
    assert (alice.name, alice.time_zone, alice.language) == ("Alice B", "Asia/Tokyo", "de")


def test_a_time_zone_that_does_not_exist_is_refused(alice: User, signed_in: SignedIn) -> None:
    response = signed_in(alice).post(
        "/profile/", {"name": "Alice", "time_zone": "Mars/Olympus", "language": "en"}
    )

    assert response.status_code == 422


@pytest.mark.parametrize("typed", ["America/New_York", "new york", " america/new york "])
def test_a_time_zone_is_found_by_its_city(alice: User, signed_in: SignedIn, typed: str) -> None:
    signed_in(alice).post("/profile/", {"name": "Alice", "time_zone": typed, "language": "en"})

    alice.refresh_from_db()
    assert alice.time_zone == "America/New_York"


def test_two_cities_of_one_name_are_not_told_apart(alice: User, signed_in: SignedIn) -> None:
    """America/Louisville and America/Kentucky/Louisville."""
    page = signed_in(alice).post(
        "/profile/", {"name": "Alice", "time_zone": "Louisville", "language": "en"}
    )

    assert "Choose a time zone from the list." in page.text


def test_times_are_shown_in_the_readers_time_zone(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    User.objects.filter(pk=alice.pk).update(time_zone="Asia/Tokyo")

    assert "2026-03-02T21:00:00+09:00" in signed_in(alice).get(f"/people/{noor.pk}/").text


def test_the_language_of_the_menu_stays_with_the_person(alice: User, signed_in: SignedIn) -> None:
    signed_in(alice).post("/language/", {"language": "de", "next": "/profile/"})

    assert '<html lang="de"' in signed_in(alice).get("/profile/").text


def test_a_visitor_chooses_a_language_too(client: Client, db: None) -> None:
    client.post("/language/", {"language": "de", "next": "/account/login/"})

    assert '<html lang="de"' in client.get("/account/login/").text


# People


def test_a_new_person_gets_a_link_by_mail_and_the_admin_sees_it_once(
    alice: User, signed_in: SignedIn, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    admin = signed_in(alice)
    with django_capture_on_commit_callbacks(execute=True):
        response = admin.post("/people/new/", person_fields())
    link = mailed_link()

    first, second = admin.get(response.headers["Location"]), admin.get(response.headers["Location"])

    assert letters()[0].to == ["quin@example.org"]
    assert link in first.text
    assert link not in second.text


def test_the_link_sets_a_password_and_opens_the_desk(
    alice: User,
    client: Client,
    signed_in: SignedIn,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(alice).post("/people/new/", person_fields())
    link = mailed_link()

    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert client.get("/").headers["Location"] == "/desk/"


def test_a_new_rater_can_be_put_into_a_pool_at_once(alice: User, signed_in: SignedIn) -> None:
    signed_in(alice).post("/people/new/", person_fields())

    assert Rater.everyone.filter(user__email="quin@example.org").exists()


def test_a_second_login_for_an_address_is_refused_whatever_its_case(
    alice: User, signed_in: SignedIn
) -> None:
    response = signed_in(alice).post("/people/new/", person_fields(email="ALICE@example.org"))

    assert "alice@example.org already has an account." in response.text
    assert User.objects.count() == 1


def test_a_person_cannot_sign_in_before_setting_a_password(
    alice: User, signed_in: SignedIn, client: Client
) -> None:
    signed_in(alice).post("/people/new/", person_fields())

    assert log_in(client, email="quin@example.org", password="").status_code == 200


def test_a_change_is_written_down_with_before_and_after(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    fields = person_fields(
        name="Noor", email="noor@example.org", roles=["researcher", "rater"], time_zone="UTC"
    )
    signed_in(alice).post(f"/people/{noor.pk}/", fields)

    event = AuditEvent.objects.get(action="change", target_type="accounts.user", target_id=noor.pk)
    assert (event.by, event.before, event.after) == (
        alice,
        {"roles": ["researcher"]},
        {"roles": ["rater", "researcher"]},
    )


def test_saving_without_a_change_writes_nothing_down(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    signed_in(alice).post(
        f"/people/{noor.pk}/",
        person_fields(name="Noor", email="noor@example.org", roles=["researcher"], time_zone="UTC"),
    )

    assert not AuditEvent.objects.filter(action="change").exists()


@pytest.mark.parametrize("change", [{"roles": ["rater"]}, {"is_active": ""}])
def test_an_admin_cannot_lock_the_site_from_inside(
    alice: User, signed_in: SignedIn, change: dict[str, Any]
) -> None:
    fields = person_fields(name="Alice", email="alice@example.org", roles=["admin"]) | change
    response = signed_in(alice).post(f"/people/{alice.pk}/", fields)

    alice.refresh_from_db()
    assert "Ask another admin." in response.text
    assert alice.is_admin
    assert alice.is_active


def test_closing_a_login_ends_the_sessions_of_that_person(
    alice: User, noor: User, signed_in: SignedIn
) -> None:
    hers = signed_in(noor)
    signed_in(alice).post(
        f"/people/{noor.pk}/",
        person_fields(name="Noor", email="noor@example.org", roles=["researcher"], is_active=""),
    )

    assert hers.get("/profile/").headers["Location"] == "/account/login/?next=/profile/"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Alice", "Noor", "Rosa"]),
        ("?q=ros", ["Rosa"]),
        ("?role=admin", ["Alice"]),
        ("?state=closed", []),
        ("?role=x", ["Alice", "Noor", "Rosa"]),
    ],
)
def test_people_are_found_by_words_role_and_state(
    alice: User, noor: User, rosa: Rater, signed_in: SignedIn, query: str, names: list[str]
) -> None:
    response = signed_in(alice).get(f"/people/{query}")

    assert [person.name for person in response.context["page"]] == names


def test_the_list_of_people_takes_the_same_queries_for_one_as_for_thirty(
    alice: User, signed_in: SignedIn, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    User.objects.bulk_create(
        User(email=f"{number}@example.org", name=f"Person {number}") for number in range(30)
    )
    client = signed_in(alice)

    with django_assert_max_num_queries(5):
        client.get("/people/")
