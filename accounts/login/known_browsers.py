"""Guesses at one account from everywhere, and the browsers that they do not lock out.

Somebody who guesses from many addresses gets a hundred tries an hour. A browser in which the person
has logged in before counts on its own, so that nobody locks a person out by guessing; and whoever
has the person's mailbox or passkey gets in without a password.
"""

import secrets
from collections.abc import Mapping

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.models import User

COOKIE = "known_browser"
LASTS_S = 180 * 24 * 60 * 60
N_PEOPLE = 5
"""How many people one browser is known for."""
_LIMIT = {"guesses": "100/h/key"}


def consume(
    request: HttpRequest, *, email: str, user: User | None
) -> ratelimit.RateLimitUsage | None:
    """Counts a try before it is compared; None if there were too many. The same for an address that
    has no account.
    """
    nonce = _known(request).get(str(user.pk)) if user is not None else None
    return ratelimit.consume(
        request,
        app="accounts.login",
        action="guesses",
        config=_LIMIT,
        key=f"browser:{nonce}" if nonce else f"anywhere:{email}",
    )


def remember(request: HttpRequest, response: HttpResponse, *, user: User) -> None:
    others = {pk: nonce for pk, nonce in _known(request).items() if pk != str(user.pk)}
    latest = dict([*others.items()][1 - N_PEOPLE :]) | {str(user.pk): secrets.token_urlsafe(12)}
    response.set_cookie(
        COOKIE,
        signing.dumps(latest, salt=COOKIE, compress=True),
        max_age=LASTS_S,
        path="/account/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> Mapping[str, str]:
    """A person's id → what stands for this browser."""
    try:
        known: dict[str, str] = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=LASTS_S
        )
    except signing.BadSignature:
        return {}
    return known
