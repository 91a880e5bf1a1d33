"""The one place where a URL is opened or closed to a person, and where their time zone is switched on."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

Response = Callable[[HttpRequest], HttpResponseBase]


def roles_of(user: Any) -> frozenset[str]:
    if not user.is_authenticated:
        return frozenset({"anyone"})
    return frozenset({"anyone", "member"}) | user.roles


def may_open(url_name: str, roles: frozenset[str]) -> bool:
    """Whether somebody with `roles` may open the URL called `url_name`; closed when the table does not name it."""
    table = settings.URL_PERMISSIONS
    allowed = table.get(url_name) or table.get(url_name.split(":")[0] + ":*") or frozenset()
    return bool(allowed & roles)


class PermissionMiddleware:
    """Closes every URL that config.permissions does not open to this person."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is not None and may_open(match.view_name, roles_of(request.user)):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied


class TimezoneMiddleware:
    """Times on a page are the reader's own."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            timezone.activate(ZoneInfo(request.user.time_zone))
        else:
            timezone.deactivate()
        return self.get_response(request)
