"""Two-factor authentication that a role requires: what opens before it is set up, and after."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.login import tokens
from accounts.models import AuditEvent, User
from labeling.models import Rater
from tests.accounts.login.identity_provider import Company, Configure, arrive
from tests.accounts.test_two_factor import log_in, turn_on

SignedIn = Callable[..., Client]
SET_UP = "/account/two-factor/"


@pytest.fixture(autouse=True)
def _admins_need_it(settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({"admin"})
    cache.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("empty_queue")
def test_an_admin_sets_it_up_before_anything_else_opens(alice: User) -> None:
    client, _answer = log_in(alice)

    led = [client.get(path) for path in ("/", "/campaigns/", "/profile/", "/people/")]
    posted = client.post("/people/new/", {"name": "Eve"})
    page = client.get(SET_UP).text

    assert [answer.headers["Location"] for answer in [*led, posted]] == [SET_UP] * 5
    assert "Your role requires two-factor authentication." in page
    turn_on(client)
    assert client.get("/campaigns/").status_code == 200
    assert "Your role requires" not in client.get(SET_UP).text


def test_people_of_other_roles_need_none(rosa: Rater, noor: User, signed_in: SignedIn) -> None:
    assert signed_in(rosa).get("/my-work/").status_code == 200
    assert signed_in(noor).get("/runs/").status_code == 200


def test_a_superuser_counts_as_an_admin(noor: User, signed_in: SignedIn) -> None:
    User.objects.filter(pk=noor.pk).update(is_superuser=True)

    assert signed_in(noor).get("/runs/").headers["Location"] == SET_UP


def test_who_is_led_there_can_still_log_out_and_change_the_language(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    assert client.post("/language/", {"language": "de"}).headers["Location"] != SET_UP
    assert client.post("/account/logout/").headers["Location"] == "/account/login/"


def test_a_fragment_leads_the_whole_page_there(alice: User, signed_in: SignedIn) -> None:
    answer = signed_in(alice).get("/search/", headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == SET_UP


def test_the_api_refuses_such_a_session_but_not_a_token(alice: User, signed_in: SignedIn) -> None:
    """A program has no second factor: its token was made, and can be revoked, by a person."""
    _token, secret = tokens.create_token(
        user=alice, name="job", scopes=["labeling:read"], n_days=7, now=timezone.now()
    )

    session = signed_in(alice).get("/api/v1/campaigns")
    token = Client().get("/api/v1/campaigns", headers={"Authorization": f"Bearer {secret}"})

    assert (session.status_code, session.headers["Content-Type"]) == (
        403,
        "application/problem+json",
    )
    assert "requires two-factor" in session.json()["detail"]
    assert token.status_code == 200


@pytest.mark.parametrize(("asks", "leads_to"), [("1", "/"), ("0", SET_UP)])
def test_a_provider_that_asks_for_a_second_factor_is_enough(
    client: Client,
    alice: User,
    company: Company,
    single_sign_on_with: Configure,
    asks: str,
    leads_to: str,
) -> None:
    single_sign_on_with(SECOND_FACTOR=asks)
    company.knows("m-1", email=alice.email, email_verified=True)

    arrive(client, "m-1")

    answer = client.get("/campaigns/")
    assert answer.headers.get("Location", "/") == leads_to


def test_an_operator_turns_it_off_for_an_admin_whom_no_admin_can_help(alice: User) -> None:
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={})
    said = StringIO()

    call_command("turn_off_two_factor", "Alice@example.org", stdout=said)
    call_command("turn_off_two_factor", alice.email, stdout=said)

    assert said.getvalue().splitlines() == [
        "Two-factor authentication is off for alice@example.org.",
        "Two-factor authentication was off for alice@example.org already.",
    ]
    assert not Authenticator.objects.exists()
    assert AuditEvent.objects.filter(by=None, action="two_factor_off", target_id=alice.pk).exists()
    with pytest.raises(CommandError, match="has no account"):
        call_command("turn_off_two_factor", "nobody@example.org")


def test_on_a_site_without_passwords_nobody_is_asked_for_one(
    alice: User, signed_in: SignedIn, settings: Any
) -> None:
    settings.PASSWORDS = False
    client = signed_in(alice)

    page = client.get("/account/two-factor/totp/activate/")

    assert (page.status_code, 'id="totp-key"' in page.text) == (200, True)
