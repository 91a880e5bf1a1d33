"""Logging in with a provider of OpenID Connect: who comes in, as whom, with which roles."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from config.third_party import single_sign_on
from labeling.models import Pool, Rater
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from tests.accounts.login.identity_provider import BACK, Company, Configure, arrive
from tests.cast import login_of

ALICE = {"email": "Alice@example.org", "email_verified": True, "name": "Alice A."}
NEW = {"email": "nina@example.org", "email_verified": True, "name": "Nina"}


def who(client: Client) -> User | None:
    return User.objects.filter(pk=client.session.get("_auth_user_id", 0)).first()


def reasons() -> list[tuple[str, str]]:
    """Address and reason of each refusal."""
    refused = AuditEvent.objects.filter(action="log_in_failed").order_by("pk")
    return [(event.words.split()[0], event.after["reason"]) for event in refused]


# --- who comes in ---------------------------------------------------------------------------------


def test_an_existing_account_is_found_by_its_verified_address(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()
    company.knows("a-1", **ALICE)

    answer = arrive(client, "a-1", begin="/account/oidc/company/login/?next=/pools/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/pools/")
    assert who(client) == alice
    alice.refresh_from_db()
    assert alice.has_usable_password(), "nobody but an admin has set her address"
    (link,) = SocialAccount.objects.all()
    assert (link.user, link.provider, link.uid, link.extra_data) == (alice, "company", "a-1", {})
    logged = AuditEvent.objects.filter(target_id=alice.pk).exclude(action="create")
    assert [(event.action, event.after) for event in logged.order_by("pk")] == [
        ("link", {"provider": "company"}),
        ("log_in", {"provider": "company"}),
    ]


def test_from_then_on_the_login_counts_and_not_the_address(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()
    company.knows("a-2", **ALICE)
    arrive(client, "a-2")
    company.knows("a-2", email="alice@new.example.org", email_verified=False)

    again = Client()
    arrive(again, "a-2")

    assert who(again) == alice
    assert SocialAccount.objects.get().extra_data == {}


def test_an_address_that_is_not_verified_opens_nothing(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(SIGN_UP="1")
    company.knows("a-3", **ALICE | {"email_verified": "false"})

    answer = arrive(client, "a-3")

    assert (answer.status_code, who(client)) == (403, None)
    assert "Company has not verified your e-mail address." in answer.text
    assert reasons() == [("alice", "unverified")]


def test_a_provider_whose_addresses_are_trusted_need_not_verify_them(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(TRUST_EMAIL="1")
    company.knows("a-4", email="alice@example.org")

    arrive(client, "a-4")

    assert who(client) == alice


def test_an_address_that_somebody_else_got_does_not_open_the_old_account(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()
    company.knows("a-5", **ALICE)
    company.knows("a-6", **ALICE)
    arrive(client, "a-5")
    admin = client

    other = Client()
    answer = arrive(other, "a-6")
    assert (who(other), "belongs to a different login at Company" in answer.text) == (None, True)

    page = admin.get(f"/people/{alice.pk}/").text
    assert "Logs in with" in page
    admin.post(f"/people/{alice.pk}/unlink")
    arrive(other, "a-6")

    assert who(other) == alice
    assert AuditEvent.objects.filter(by=alice, action="unlink", target_id=alice.pk).exists()


def test_a_stranger_is_refused_with_a_sentence(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with()
    company.knows("n-1", **NEW)

    answer = arrive(client, "n-1")

    assert (answer.status_code, who(client), User.objects.exists()) == (403, None, False)
    assert "nina@example.org has no account here." in answer.text
    assert reasons() == [("nina@example.org", "no_account")]


def test_where_accounts_are_created_a_stranger_gets_one(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with(SIGN_UP="1")
    company.knows("n-2", **NEW)

    arrive(client, "n-2")

    nina = who(client)
    assert nina is not None
    assert (nina.name, nina.email, nina.roles) == ("Nina", "nina@example.org", frozenset())
    assert not nina.has_usable_password()


def test_an_invitation_to_a_pool_lets_its_person_in(
    client: Client, day_shift: Pool, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()
    (sent,) = invitations_services.invite_to_pool(
        pool=day_shift,
        invitees=[Invitee("nina@example.org", "Nina")],
        by=None,
        now=timezone.now(),
    )
    join = f"/join/{sent.secret}/"
    company.knows("n-3", **NEW)

    page = client.get(join).text
    arrive(client, "n-3", begin=f"/account/oidc/company/login/?next={join}")
    client.post(join)

    assert f"/account/oidc/company/login/?next={join}" in page
    nina = who(client)
    assert nina is not None
    assert day_shift.memberships.filter(rater__user=nina, is_active=True).exists()


def test_only_people_of_the_allowed_groups_and_domains_come_in(
    company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with(SIGN_UP="1", ALLOWED_GROUPS="label,ml", ALLOWED_DOMAINS="Example.org")
    company.knows("n-4", **NEW, groups=["sales"])
    company.knows("n-5", **NEW | {"email": "nina@example.com"}, groups=["ml"])
    company.knows("n-6", **NEW, groups=["ml", "sales"])

    others = [arrive(Client(), "n-4"), arrive(Client(), "n-5")]
    nina = Client()
    arrive(nina, "n-6")

    assert "Your groups at Company" in others[0].text
    assert "Only verified e-mail addresses at example.org" in others[1].text
    assert reasons() == [("nina@example.org", "group"), ("nina@example.com", "domain")]
    assert who(nina) is not None


def test_who_has_left_the_allowed_group_is_refused_at_the_next_login(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(ALLOWED_GROUPS="label")
    company.knows("a-7", **ALICE, groups="label")
    arrive(client, "a-7")
    assert who(client) == alice

    company.knows("a-7", **ALICE)
    later = Client()
    answer = arrive(later, "a-7")

    assert (answer.status_code, who(later)) == (403, None)


def test_a_closed_account_stays_closed(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with()
    company.knows("a-8", **ALICE)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    answer = arrive(client, "a-8")

    assert (answer.status_code, who(client)) == (403, None)
    assert "This account is closed." in answer.text
    assert not SocialAccount.objects.exists()


# --- roles and pools ------------------------------------------------------------------------------


def test_roles_and_pools_come_and_go_with_groups(
    client: Client, day_shift: Pool, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(
        SIGN_UP="1",
        GROUPS_CLAIM="realm_access.roles",
        ROLES="leads=admin,leads=researcher,staff=rater",
        POOLS="day=Day shift,night=Night shift",
    )
    company.knows("n-7", **NEW, realm_access={"roles": ["leads", "staff", "day", "other"]})
    arrive(client, "n-7")
    nina = who(client)
    assert nina is not None
    assert nina.roles == {"admin", "researcher", "rater"}
    assert day_shift.memberships.filter(rater__user=nina, is_active=True).exists()

    company.knows("n-7", **NEW, realm_access={"roles": ["staff"]})
    arrive(client, "n-7")

    nina.refresh_from_db()
    assert nina.roles == {"rater"}
    assert not day_shift.memberships.filter(rater__user=nina, is_active=True).exists()
    events = AuditEvent.objects.filter(action__in=["change", "add_raters", "remove_raters"])
    assert [event.action for event in events.order_by("pk")] == [
        "change",
        "add_raters",
        "change",
        "remove_raters",
    ]


def test_a_role_that_no_group_gives_is_left_to_admins(
    client: Client, rosa: Rater, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(ROLES="leads=admin")
    company.knows("r-1", email="rosa@example.org", email_verified=True)

    arrive(client, "r-1")

    assert login_of(rosa).roles == {"rater"}
    assert rosa.memberships.filter(is_active=True).count() == 1


def test_a_superuser_keeps_their_roles(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(ROLES="leads=admin")
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    company.knows("a-9", **ALICE)

    arrive(client, "a-9")

    alice.refresh_from_db()
    assert alice.is_admin


# --- what may go wrong on the way -----------------------------------------------------------------


def test_nobody_connects_a_login_to_an_account_by_a_link(
    signed_in: Any, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    """Somebody else may have sent it, and be logged in at the provider in this browser."""
    single_sign_on_with(SIGN_UP="1")
    company.knows("x-1", email="mallory@example.org", email_verified=True)
    client = signed_in(alice)

    answer = arrive(client, "x-1", begin="/account/oidc/company/login/?process=connect")

    assert (answer.status_code, SocialAccount.objects.exists()) == (403, False)


def test_a_cancelled_login_says_so(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with()
    away = client.get("/account/oidc/company/login/").headers["Location"]
    (state,) = [part for part in away.split("&") if part.startswith("state=")]

    answer = client.get(f"{BACK}?error=access_denied&{state}")

    assert (answer.status_code, "You cancelled the log-in at Company." in answer.text) == (
        403,
        True,
    )


def test_an_answer_that_nobody_asked_for_is_refused(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with()

    answer = client.get(f"{BACK}?code=stolen&state=guessed")

    assert (answer.status_code, "did not succeed" in answer.text) == (403, True)


def test_a_wrong_secret_is_a_sentence(
    client: Client, company: Company, single_sign_on_with: Configure, alice: User
) -> None:
    single_sign_on_with(CLIENT_SECRET="of another site")
    company.knows("a-10", **ALICE)

    answer = arrive(client, "a-10")

    assert (answer.status_code, "did not succeed" in answer.text) == (403, True)


def test_a_provider_that_is_away_is_a_sentence(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with(URL="http://127.0.0.1:9", LABEL="Example Inc.")

    answer = client.get("/account/oidc/company/login/")

    assert answer.status_code == 503
    assert "Example Inc. can&#x27;t be reached right now." in answer.text


def test_a_provider_that_is_not_set_up_has_no_page(client: Client, db: None) -> None:
    assert client.get("/account/oidc/company/login/").status_code == 404
    assert client.get(BACK).status_code == 404


# --- the log-in page, and a site without passwords ------------------------------------------------


def test_the_page_offers_both_ways(
    client: Client, company: Company, single_sign_on_with: Configure, db: None
) -> None:
    single_sign_on_with(LABEL="Example Inc.")

    page = client.get("/account/login/?next=/pools/").text

    assert "Log in with Example Inc." in page
    assert "/account/oidc/company/login/?next=/pools/" in page
    assert 'name="password"' in page


def test_a_site_without_passwords_takes_none(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure, settings: Any
) -> None:
    single_sign_on_with()
    settings.PASSWORDS = False
    company.knows("a-11", **ALICE)

    page = client.get("/account/login/").text
    fields = {"login": alice.email, "password": "correct horse battery"}
    tried = client.post("/account/login/", fields)
    reset = client.get("/account/password/reset/")

    assert 'name="password"' not in page
    assert (tried.status_code, who(client)) == (200, None)
    assert "This site does not use passwords." in tried.text
    assert reset.headers["Location"].startswith("/account/login/")
    arrive(client, "a-11")
    assert who(client) == alice
    assert client.get("/account/password/change/").status_code == 403
    assert "Send password link" not in client.get(f"/people/{alice.pk}/").text


def test_on_such_a_site_new_people_get_no_link_to_set_a_password(
    alice: User, rosa: Rater, signed_in: Any, settings: Any
) -> None:
    settings.PASSWORDS = False
    client = signed_in(alice)
    fields = {"name": "Nina", "email": NEW["email"], "roles": ["rater"], "time_zone": "UTC"}

    page = client.post("/people/new/", fields | {"is_active": "on"}, follow=True).text
    asked = client.post(f"/api/v1/people/{login_of(rosa).pk}/invite")

    assert "Nina now has an account" in page
    assert (asked.status_code, asked.json()["detail"]) == (409, "This site does not use passwords.")
    assert not AuditEvent.objects.filter(action="invite").exists()


def test_after_a_log_out_the_page_leads_to_the_providers(
    client: Client, alice: User, company: Company, single_sign_on_with: Configure
) -> None:
    single_sign_on_with(SIGN_OUT_URL="https://login.example.org/logout")
    company.knows("a-12", **ALICE)
    arrive(client, "a-12")

    page = client.post("/account/logout/", follow=True)

    assert who(client) is None
    assert 'href="https://login.example.org/logout"' in page.text


# --- the settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "PREFERABLY_OIDC_CORP_URL is not set"),
        ({"URL": "http://corp.example.org"}, "has to begin with https://"),
        ({"ROLES": "leads=boss"}, "boss is not a role. Roles are rater, admin, researcher."),
        ({"POOLS": "day"}, "“day” is not group=name."),
        ({"SIGN_UP": "maybe"}, "PREFERABLY_OIDC_CORP_SIGN_UP='maybe' is not a yes or a no"),
        ({"COLOUR": "red"}, "PREFERABLY_OIDC_CORP_COLOUR is not a setting."),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], sentence: str
) -> None:
    full = {"URL": "https://corp.example.org", "CLIENT_ID": "site", "CLIENT_SECRET": "secret"}
    for name, value in (full | fields if fields else {"CLIENT_ID": "site"}).items():
        monkeypatch.setenv(f"PREFERABLY_OIDC_CORP_{name}", value)

    with pytest.raises(ImproperlyConfigured) as refused:
        single_sign_on.from_environment(needs_https=True)

    assert sentence in str(refused.value)


def test_the_guides_example_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "operators.md").read_text()
    for name, value in re.findall(r"^ {4,}(PREFERABLY_OIDC_COMPANY_\w+)=(.+)$", guide, re.M):
        monkeypatch.setenv(name, value.strip('"'))

    company = single_sign_on.from_environment(needs_https=True)["company"]

    assert (company.label, company.roles[0]) == ("Example Inc.", ("label-admins", "admin"))
    assert company.pools[1] == ("medical", "Medical answers")
    assert f"https://label.example.org{BACK}" in guide


def test_clicks_of_strangers_do_not_ask_the_provider_each_time(
    client: Client,
    company: Company,
    single_sign_on_with: Configure,
    db: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def send(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        asked.append(request.url)
        return _send(session, request, **options)

    _send = requests.Session.send
    single_sign_on_with()
    cache.clear()
    monkeypatch.setattr(requests.Session, "send", send)

    answers = [client.get("/account/oidc/company/login/") for _click in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert asked == [f"{company.url}/.well-known/openid-configuration"]

    single_sign_on_with(URL="http://127.0.0.1:9")
    asked.clear()
    answers = [client.get("/account/oidc/company/login/") for _click in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert asked == ["http://127.0.0.1:9/.well-known/openid-configuration"]
