"""What people and programs are told when the site fails, or has no room left."""

import errno
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

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
