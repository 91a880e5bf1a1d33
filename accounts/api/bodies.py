"""Which requests may bring a large body. Answered before a byte of it is read: Django writes files
to the disk as soon as anything looks at a form, and that is before it asks for rights.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import access as accounts_access
from accounts.login import tokens
from config.api_permissions import Scope
from config.performance import upload_limits
from config.roles import Role


class BodyMiddleware:
    """Refuses a large body from nobody in particular, and from people and tokens that may not send
    it there. It stands above every middleware that looks at a form once the view is known.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        n_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
        if n_bytes > settings.ANONYMOUS_BODY_BYTES and (why := _refusal(request, n_bytes)):
            return why
        return self.get_response(request)


def _refusal(request: HttpRequest, n_bytes: int) -> HttpResponse | None:
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return _too_large(request, settings.ANONYMOUS_BODY_BYTES)
    if hasattr(match.func, "cls"):
        return _refusal_of_call(request, match, n_bytes)
    most = _most_of_page(request, match)
    return _too_large(request, most) if n_bytes > most else None


def _most_of_page(request: HttpRequest, match: ResolverMatch) -> int:
    """How many bytes this person may send there."""
    roles = accounts_access.roles_of(request.user)
    if Role.MEMBER not in roles or not accounts_access.may_open(match.view_name, roles):
        return settings.ANONYMOUS_BODY_BYTES
    large = upload_limits.LARGE.get(match.view_name)
    if large is None or large.roles.isdisjoint(roles):
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return large.n_bytes


def _refusal_of_call(
    request: HttpRequest, match: ResolverMatch, n_bytes: int
) -> HttpResponse | None:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    person, scopes = request.user, [scope.value for scope in Scope]
    if scheme.lower() == "bearer":
        try:
            token = tokens.check(secret=secret.strip(), now=timezone.now())
        except tokens.TokenRefused as problem:
            return _problem(HTTPStatus.UNAUTHORIZED, str(problem))
        person, scopes = token.user, token.scopes
    elif scheme or not person.is_authenticated:
        return _problem(
            HTTPStatus.UNAUTHORIZED, _("The API requires a token: Authorization: Bearer pfb_…")
        )
    grant = accounts_access.grant_for(method=request.method or "", url_name=match.view_name)
    roles = accounts_access.roles_of(person)
    if not accounts_access.may_call(grant, scopes=scopes, roles=roles):
        return _problem(HTTPStatus.FORBIDDEN, _("Your roles or this token don't allow this."))
    if request.content_type != "multipart/form-data":
        return None  # its parser limits JSON
    large = upload_limits.LARGE.get(match.view_name) if request.method == "POST" else None
    if large is None:
        return _problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("This endpoint takes no files. Send JSON.")
        )
    if n_bytes > large.n_bytes:
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _limit_in_words(large.n_bytes))
    return None


def _limit_in_words(n_bytes: int) -> str:
    sentence = _("This is too large. You can send at most %(n)d MB here.")
    return sentence % {"n": n_bytes // upload_limits.MB}


def _too_large(request: HttpRequest, most: int) -> HttpResponse:
    is_signed_in = request.user.is_authenticated
    anonymous = _("This is too large. Log in to upload files.\n")
    return HttpResponse(
        f"{_limit_in_words(most)}\n" if is_signed_in else anonymous,
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        content_type="text/plain; charset=utf-8",
    )


def _problem(status: HTTPStatus, detail: str) -> HttpResponse:
    """As every other problem of the API."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JsonResponse(
        body | {"errors": {}},
        status=status,
        content_type="application/problem+json",
        headers={"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {},
    )
