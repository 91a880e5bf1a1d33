"""All error responses have one format, problem details (RFC 9457): a sentence, and the fields it is
about.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.refusals import Refusal
from accounts.shell import failures

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
NO_TYPE = "about:blank"
"""The problem is the status itself (RFC 9457, section 4.2.1)."""
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""Of the RateLimit header fields (draft-ietf-httpapi-ratelimit-headers-10)."""


class Unable(APIException):
    """A service refused the request in the current state; the text is its own."""

    status_code = status.HTTP_409_CONFLICT


class OtherRequest(APIException):
    """The Idempotency-Key was used for a different request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class BodyTooLarge(APIException):
    """The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE; it was not read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class DiskFull(APIException):
    """Nothing was stored, because there is no room."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE


class ProblemSerializer(serializers.Serializer[object]):
    """Problem details, as RFC 9457 has them. `errors` maps each invalid field, with inner ones in
    dotted notation, to its messages.
    """

    type = serializers.CharField(
        help_text="`about:blank`, or for a 429 the URL of `quota-exceeded`.",
    )
    title = serializers.CharField(help_text="The name of the status.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, as a sentence.")
    errors = serializers.DictField(  # type: ignore[assignment]  # shadows Serializer.errors
        child=serializers.ListField(child=serializers.CharField())
    )


def described(statuses: Iterable[int]) -> dict[tuple[int, str], type[ProblemSerializer]]:
    """The schema's responses for these statuses."""
    return {(status, MEDIA_TYPE): ProblemSerializer for status in statuses}


def as_response(problem: Exception, context: dict[str, object]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER."""
    if isinstance(problem, Refusal):
        problem = Unable(problem.sentence)
    elif isinstance(problem, IntegrityError):
        # Services check first, so this is a concurrent call that just took the same name.
        logger.warning("A call conflicted with a concurrent one.", exc_info=problem)
        problem = Unable(
            _("Another request just took this name. Check what exists, then try again.")
        )
    elif failures.is_full_disk(problem):
        logger.error("The disk is full.", exc_info=problem)
        problem = DiskFull(failures.full_disk())
    elif isinstance(problem, RequestDataTooBig):
        n_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2
        problem = BodyTooLarge(
            _("The body is larger than %(n)s MB. Send fewer rows at once.") % {"n": n_mb}
        )
    elif isinstance(problem, Http404):
        problem = NotFound()  # Django's own sentence names the class
    response = exception_handler(problem, context)
    if response is None:
        return None
    errors = _flat(response.data) if isinstance(problem, ValidationError) else {}
    response.data = {
        "type": QUOTA_EXCEEDED if isinstance(problem, Throttled) else NO_TYPE,
        "title": HTTPStatus(response.status_code).phrase,
        "status": response.status_code,
        "detail": _("Some values are invalid.") if errors else str(response.data["detail"]),
        "errors": errors,
    }
    response.content_type = MEDIA_TYPE
    return response


def _flat(data: Any, path: str = "") -> dict[str, list[str]]:
    """{"messages.0.content": ["…"]} from REST framework's nested lists and dicts."""
    if isinstance(data, dict):
        parts = [(str(key), value) for key, value in data.items()]
    elif any(isinstance(item, dict | list) for item in data):
        parts = [(str(number), value) for number, value in enumerate(data) if value]
    else:
        return {path or "body": [str(item) for item in data]}
    sentences: dict[str, list[str]] = {}
    for key, value in parts:
        sentences |= _flat(value, key if not path or key == "non_field_errors" else f"{path}.{key}")
    return sentences
