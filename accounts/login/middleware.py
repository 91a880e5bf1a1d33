"""Leads people who need two-factor authentication to the page where they set it up, and notes which
sessions are in use.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.login import browser_sessions, second_factor
from config.roles import ANYONE

CONFIRM = "account_reauthenticate"


POLLS = "X-Polls"
"""Header of requests that a page sends on its own, such as a refresh (static/js/app.js)."""


class SessionsMiddleware:
    """Inside SessionMiddleware, which saves what this notes. A page that refreshes itself on the
    screen of somebody who has left is no use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and POLLS not in request.headers:
            browser_sessions.see(session=request.session, now=timezone.now())
        return response


class SecondFactorMiddleware:
    """Comes after PermissionMiddleware. Nothing else opens to a session that lacks a second factor
    which its person's role requires. API tokens are not sessions: a program has no second factor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        is_missing = second_factor.is_missing(request)
        request.needs_second_factor = is_missing  # type: ignore[attr-defined]  # for mfa/index.html
        is_api = request.path.startswith("/api/")
        if not is_missing or (not is_api and _is_open(request)):
            return None
        if is_api:
            return _problem()
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect("/account/two-factor/")
        return redirect("mfa_index")


def _is_open(request: HttpRequest) -> bool:
    match = request.resolver_match
    name = "" if match is None else match.view_name
    return (
        name == CONFIRM or name.startswith("mfa_") or settings.URL_PERMISSIONS.get(name) == ANYONE
    )


def _problem() -> HttpResponse:
    """In the format of accounts.api.problems."""
    return JsonResponse(
        {
            "type": "about:blank",
            "title": HTTPStatus.FORBIDDEN.phrase,
            "status": HTTPStatus.FORBIDDEN.value,
            "detail": _("Your role requires two-factor authentication. Set it up first."),
        },
        status=HTTPStatus.FORBIDDEN,
        content_type="application/problem+json",
    )
