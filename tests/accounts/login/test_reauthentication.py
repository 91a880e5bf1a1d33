"""People without a password confirm who they are at their provider, before they create a token."""

import re
from html import unescape

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from accounts.models import ApiToken, User
from tests.accounts.login.identity_provider import Company, Configure, arrive

ALICE = {"email": "Alice@example.org", "email_verified": True, "name": "Alice A."}
TOKEN = {"token-name": "nightly", "token-scopes": ["labeling:read"], "token-n_days": "7"}


def five_minutes_pass(client: Client) -> None:
    session = client.session
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        record | {"at": record["at"] - 301} for record in records
    ]
    session.save()


def test_a_token_needs_a_log_in_at_the_provider_minutes_ago(
    client: Client,
    alice: User,
    company: Company,
    single_sign_on_with: Configure,
) -> None:
    single_sign_on_with(LABEL="Example Inc.")
    company.knows("t-1", **ALICE)
    arrive(client, "t-1")
    in_time = client.post("/profile/tokens/new", TOKEN)
    five_minutes_pass(client)

    late = client.post("/profile/tokens/new", TOKEN)

    assert '<code id="token">pfb_' in in_time.text
    assert late.status_code == 422
    assert "Log in with Example Inc. again first: the last time is too long ago." in late.text
    assert 'value="nightly"' in late.text
    assert ApiToken.objects.count() == 1


def test_the_log_in_before_a_token_asks_the_provider_not_to_use_its_session(
    client: Client,
    alice: User,
    company: Company,
    single_sign_on_with: Configure,
) -> None:
    single_sign_on_with()
    company.knows("t-2", **ALICE)
    arrive(client, "t-2")
    five_minutes_pass(client)
    page = client.get("/profile/").text
    (again,) = re.findall(r'href="(/account/oidc/company/login/[^"]+)"', page)

    assert "prompt=login" in client.get(unescape(again)).headers["Location"]
    back = arrive(client, "t-2", begin=unescape(again))

    assert back.headers["Location"] == "/profile/"
    assert '<code id="token">pfb_' in client.post("/profile/tokens/new", TOKEN).text
