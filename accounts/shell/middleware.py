"""Decides for every request whether its URL is open to the person, activates their language and
time zone, and keeps pages private.
"""

from collections.abc import Callable
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts import access as accounts_access
from accounts.models import User
from arithmetic import plain_text

UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)
"""Features of browsers that no page uses."""
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED)
Response = Callable[[HttpRequest], HttpResponseBase]


class PermissionMiddleware:
    """Closes every URL that config.permissions does not open to this person."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is not None and accounts_access.may_open(
            match.view_name, accounts_access.roles_of(request.user)
        ):
            return None
        if request.user.is_authenticated:
            raise PermissionDenied
        return _to_login(request)


class InputMiddleware:
    """NUL in a query, which no database can look for, becomes U+FFFD. The API answers it itself."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            query = request.META.get("QUERY_STRING", "")
            request.META["QUERY_STRING"] = query.replace("%00", quote(plain_text.REPLACEMENT))
        return self.get_response(request)


class PrivacyMiddleware:
    """No browser or proxy stores what a signed-in person sees, and no page may use a camera."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        is_stored = "no-store" not in response.headers.get("Cache-Control", "")
        if is_stored and request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store"
        return response


class ReaderMiddleware:
    """Activates the reader's language and time zone."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if isinstance(request.user, User):
            timezone.activate(ZoneInfo(request.user.time_zone))
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        else:
            timezone.deactivate()
        return self.get_response(request)


def _to_login(request: HttpRequest) -> HttpResponse:
    """Redirects to the login. For a fragment of a page whose session has ended, redirects the whole
    page and returns to it after the login. A form leads back to the page that it was on.
    """
    if request.method == "POST" and not getattr(request, "htmx", False):
        return redirect_to_login(_page_of(request))
    if not getattr(request, "htmx", False):
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]  # django_htmx sets it
    return HttpResponseClientRedirect(redirect_to_login(page).url)


def _page_of(request: HttpRequest) -> str:
    """The page of this site with the form that was sent; many forms go to a URL without a page."""
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}):
        return "/"
    return urlsplit(referrer)._replace(scheme="", netloc="", fragment="").geturl() or "/"
