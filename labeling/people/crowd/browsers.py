"""Which raters a browser has worked as: a signed cookie for each, sent to crowd links only."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from labeling.models import Rater

PREFIX = "crowd-"
LIVES = timedelta(days=365)
MOST = 50
"""Cookies read of one request."""


def known_raters(request: HttpRequest) -> frozenset[int]:
    """Those of its cookies, and the one who is signed in."""
    names = [name for name in request.COOKIES if name.startswith(PREFIX)][:MOST]
    cookies = {_number(name): request.get_signed_cookie(name, default="") or "" for name in names}
    raters = Rater.people.filter(pk__in=cookies, user__isnull=False).select_related("user")
    proven = {
        rater.pk for rater in raters if constant_time_compare(cookies[rater.pk], _value(rater))
    }
    signed_in = Rater.people.filter(user=request.user.pk).values_list("pk", flat=True)
    return frozenset(proven.union(signed_in))


def remember(response: HttpResponse, *, rater: Rater) -> None:
    response.set_signed_cookie(
        f"{PREFIX}{rater.pk}",
        _value(rater),
        max_age=int(LIVES.total_seconds()),
        path="/crowd/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _value(rater: Rater) -> str:
    """Changes when the rater's sessions are ended."""
    assert rater.user is not None
    return rater.user.get_session_auth_hash()


def _number(name: str) -> int:
    number = name.removeprefix(PREFIX)
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0
