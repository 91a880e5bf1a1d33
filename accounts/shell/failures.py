"""What people and programs are told when the site fails, has no room left, or has nothing at an
address.
"""

import errno
import sys
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from accounts import access as accounts_access
from config.monitoring import context

FULL = 507
"""Insufficient Storage (RFC 4918, section 11.5)."""
_FULL_DATABASES = ("no space left on device", "database or disk is full", "could not extend file")


def server_error(request: HttpRequest) -> HttpResponse:
    """Names the request, whose id is in each line of the log that it caused. Reads nothing else,
    because anything may have failed.
    """
    is_full = is_full_disk(sys.exc_info()[1])
    status = FULL if is_full else 500
    if request.path.startswith("/api/"):
        return _problem(status, full_disk() if is_full else _("The site failed. Try again."))
    words = {"request_id": context.current().request_id, "full": full_disk() if is_full else ""}
    return HttpResponse(render_to_string("500.html", words), status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A form that finds nothing at its address was opened before its object went. What was typed
    into it comes back, to be copied.
    """
    is_form = request.method == "POST"
    words = {
        "is_form": is_form,
        "typed": list(_texts(request.POST)) if is_form else [],
        "list_url": _page_above(request) if is_form else None,
    }
    return render(request, "404.html", words, status=404)


def _texts(posted: QueryDict) -> Iterator[str]:
    """What has words: neither choices nor numbers nor the secrets of a form."""
    for name, values in posted.lists():
        if "password" not in name:
            yield from (value for value in values if " " in value.strip())


def _page_above(request: HttpRequest) -> str | None:
    """The nearest page above the address that names no object, and is open to the person."""
    parts = request.path.strip("/").split("/")
    for n_parts in range(len(parts) - 1, 0, -1):
        path = "/" + "/".join(parts[:n_parts]) + "/"
        try:
            match = resolve(path)
        except Resolver404:
            continue
        roles = accounts_access.roles_of(request.user)
        if not match.kwargs and accounts_access.may_open(match.view_name, roles):
            return path
    return None


def is_full_disk(error: BaseException | None) -> bool:
    """Whether the error, or what led to it, is that a disk or its quota is full: also the one
    below the database.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(words in str(error).lower() for words in _FULL_DATABASES):
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk() -> str:
    return _(
        "The disk of the site is full, so nothing was stored. Try again later, or ask an admin to"
        " make room."
    )


def _problem(status: int, detail: str) -> JsonResponse:
    """As accounts.api.problems makes them."""
    titles = {FULL: "Insufficient Storage", 500: "Internal Server Error"}
    body = {
        "type": "about:blank",
        "title": titles[status],
        "status": status,
        "detail": detail,
        "errors": {},
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")
