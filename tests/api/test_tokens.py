"""Tokens: which ones open the API, and which no longer do."""

import time
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from django.test import Client
from django.utils import timezone

from accounts.login import tokens
from accounts.models import ApiToken, AuditEvent, User
from config.api_permissions import Scope
from tests.api.conftest import client_with, secret_of
from tests.cast import PASSWORD

SignedIn = Callable[..., Client]
NEW = {
    "token-name": "nightly export",
    "token-scopes": [Scope.LABELING_READ.value],
    "token-n_days": "90",
}


def test_a_token_opens_the_api(alice: User) -> None:
    assert client_with(secret_of(alice)).get("/api/v1/prompts").status_code == 200


def test_without_a_token_the_api_asks_for_one(db: None) -> None:
    response = Client().get("/api/v1/prompts")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["errors"] == {}


def test_only_the_hash_of_a_secret_is_stored(alice: User) -> None:
    secret = secret_of(alice)

    stored = ApiToken.objects.values().get()

    assert secret not in str(stored)
    assert stored["secret_sha256"] == sha256(secret.encode()).hexdigest()
    assert secret.startswith(stored["prefix"])


def test_a_wrong_secret_opens_nothing(alice: User) -> None:
    response = client_with(secret_of(alice)[:-1] + "!").get("/api/v1/prompts")

    assert (response.status_code, response.json()["detail"]) == (
        401,
        "Unknown token. Create one on your profile page.",
    )


def test_a_revoked_token_opens_nothing(alice: User) -> None:
    client = client_with(secret_of(alice))
    assert tokens.revoke_token(user=alice, pk=ApiToken.objects.get().pk, now=timezone.now())

    assert client.get("/api/v1/prompts").status_code == 401


def test_an_expired_token_says_so(alice: User) -> None:
    client = client_with(secret_of(alice))
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    response = client.get("/api/v1/prompts")

    assert (response.status_code, response.json()["detail"]) == (
        401,
        "This token has expired. Create a new one on your profile page.",
    )


def test_a_token_of_a_closed_login_opens_nothing(alice: User) -> None:
    client = client_with(secret_of(alice))
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert client.get("/api/v1/prompts").status_code == 401


def test_a_token_loses_what_its_person_loses(alice: User) -> None:
    client = client_with(secret_of(alice))
    User.objects.filter(pk=alice.pk).update(is_admin=False)

    response = client.get("/api/v1/prompts")

    assert (response.status_code, response.json()["detail"]) == (
        403,
        "Your roles don't allow this.",
    )


def test_a_password_in_place_of_a_token_gets_a_sentence(alice: User) -> None:
    response = Client(headers={"Authorization": "Basic YWxpY2U6eA=="}).get("/api/v1/prompts")

    assert (response.status_code, response.json()["detail"]) == (
        401,
        "The API requires a token: Authorization: Bearer pfb_…",
    )


def test_the_last_use_is_noted_once_a_minute(alice: User) -> None:
    now = timezone.now()
    _token, secret = tokens.create_token(
        user=alice, name="x", scopes=[Scope.LABELING_READ], n_days=1, now=now
    )

    for seconds in (0, 30, 61):
        tokens.check(secret=secret, now=now + timedelta(seconds=seconds))

    assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=61)


def test_making_and_revoking_are_in_the_audit_log(alice: User) -> None:
    secret_of(alice)
    tokens.revoke_token(user=alice, pk=ApiToken.objects.get().pk, now=timezone.now())

    assert list(
        AuditEvent.objects.filter(target_type="accounts.apitoken")
        .order_by("pk")
        .values_list("action", flat=True)
    ) == [
        "create",
        "revoke",
    ]


@pytest.mark.parametrize("n_days", [0, 400])
def test_a_token_lives_between_a_day_and_a_year(alice: User, n_days: int) -> None:
    with pytest.raises(tokens.UnableToCreateToken, match="between 1 day and 1 year"):
        tokens.create_token(
            user=alice, name="x", scopes=[Scope.LABELING_READ], n_days=n_days, now=timezone.now()
        )


def test_nobody_gets_a_scope_that_their_roles_do_not_open(alice: User) -> None:
    with pytest.raises(tokens.UnableToCreateToken, match="permissions that your roles allow"):
        tokens.create_token(
            user=alice, name="x", scopes=[Scope.TRAINING_READ], n_days=1, now=timezone.now()
        )


# The profile page


def confirmed(client: Client) -> Client:
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def test_the_password_is_asked_before_a_token_is_created_and_nothing_is_typed_again(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    asked = client.post("/profile/tokens/new", NEW)
    assert not ApiToken.objects.exists()
    wrong = client.post(asked.headers["Location"], {"password": "wrong"})
    assert ("Wrong password." in wrong.text, ApiToken.objects.exists()) == (True, False)
    address = asked.headers["Location"].partition("?")
    made = client.post(address[0], {"password": PASSWORD, "next": "/profile/tokens/new"})

    assert '<code id="token">pfb_' in made.text
    assert ApiToken.objects.get().name == "nightly export"


def test_a_password_of_five_minutes_ago_is_asked_again(
    alice: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = confirmed(signed_in(alice))
    late = time.time() + 301
    monkeypatch.setattr("time.time", lambda: late)

    asked = client.post("/profile/tokens/new", NEW)

    assert asked.headers["Location"].startswith("/account/reauthenticate/")
    assert not ApiToken.objects.exists()


def test_the_secret_is_shown_when_it_is_made_and_never_again(
    alice: User, signed_in: SignedIn
) -> None:
    client = confirmed(signed_in(alice))

    made = client.post("/profile/tokens/new", NEW)
    profile = client.get("/profile/")

    token = ApiToken.objects.get()
    assert f'<code id="token">{token.prefix}' in made.text
    assert "no-store" in made.headers["Cache-Control"]
    assert f'<code class="quiet">{token.prefix}…</code>' in profile.text
    assert made.text.partition('<code id="token">')[2].partition("<")[0] not in profile.text


def test_the_profile_offers_what_the_roles_open(noor: User, signed_in: SignedIn) -> None:
    page = signed_in(noor).get("/profile/").text

    assert [scope for scope in Scope if f'value="{scope}"' in page] == [
        Scope.LABELING_READ,
        Scope.TRAINING_READ,
        Scope.TRAINING_WRITE,
    ]


def test_a_rater_sees_nothing_of_tokens(rosa: object, signed_in: SignedIn) -> None:
    assert 'id="tokens"' not in signed_in(rosa).get("/profile/").text


def test_a_token_that_may_do_nothing_is_refused_beside_its_field(
    alice: User, signed_in: SignedIn
) -> None:
    response = signed_in(alice).post("/profile/tokens/new", NEW | {"token-scopes": []})

    assert response.status_code == 422
    assert "Select at least one permission." in response.text


def test_revoking_takes_a_token_out_of_the_list(alice: User, signed_in: SignedIn) -> None:
    client = confirmed(signed_in(alice))
    client.post("/profile/tokens/new", NEW)
    token = ApiToken.objects.get()

    page = client.post(f"/profile/tokens/{token.pk}/revoke", follow=True)

    assert token.prefix not in page.text
    assert "Token revoked" in page.text


def test_nobody_revokes_the_token_of_another(alice: User, noor: User, signed_in: SignedIn) -> None:
    secret_of(alice)

    signed_in(noor).post(f"/profile/tokens/{ApiToken.objects.get().pk}/revoke")

    assert ApiToken.objects.get().revoked_at is None
