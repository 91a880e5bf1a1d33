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
from config.roles import Role

TAKE_FILES = frozenset({"POST api_imports", "POST api_import_preview"})
"""Calls with a file of any size. Other bodies of calls are JSON, with the limit of a form."""


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
        return _too_large()
    if not hasattr(match.func, "cls"):
        return None if _may_send(request, match, n_bytes) else _too_large()
    return _refusal_of_call(request, match)


def _may_send(request: HttpRequest, match: ResolverMatch, n_bytes: int) -> bool:
    """Files of any size come from admins; other people's limit is that of a form."""
    roles = accounts_access.roles_of(request.user)
    is_member = Role.MEMBER in roles and accounts_access.may_open(match.view_name, roles)
    is_form = n_bytes <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return is_member and (is_form or Role.ADMIN in roles)


def _refusal_of_call(request: HttpRequest, match: ResolverMatch) -> HttpResponse | None:
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
    call = f"{request.method} {match.view_name}"
    if request.content_type == "multipart/form-data" and call not in TAKE_FILES:
        return _problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("This endpoint takes no files. Send JSON.")
        )
    return None


def _too_large() -> HttpResponse:
    return HttpResponse(
        _("This is too large. Sign in to upload files.\n"),
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
