"""`Idempotency-Key`: a repeated POST does its work once and gets the same response.

The key, the work and the response are written in one transaction. A concurrent copy waits at the
unique key until the first is done, and after a crash neither work nor key remain. Only successful
calls are stored: a refused call may be sent again.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.problems import OtherRequest
from accounts.models import IdempotentCall, User

HEADER = "Idempotency-Key"
PATTERN = r"^[A-Za-z0-9._:-]{1,200}$"
REMEMBERED = timedelta(days=1)

Handler = Callable[..., Response]


def once(handler: Handler, *, is_remembered: bool = True) -> Handler:
    """Decorates a view's `post`. With `is_remembered=False` the key is only checked, because a
    response with a secret is not stored.
    """

    @wraps(handler)
    def answer(view: object, request: Request, *args: object, **kwargs: object) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not re.fullmatch(PATTERN, key):
            raise ValidationError(
                {HEADER: [_("Use up to 200 letters, digits and . _ : - such as a UUID.")]}
            )
        if not is_remembered:
            return handler(view, request, *args, **kwargs)
        return _answer_once(request, key, lambda: handler(view, request, *args, **kwargs))

    return answer


def _answer_once(request: Request, key: str, act: Callable[[], Response]) -> Response:
    now, fingerprint = timezone.now(), _fingerprint(request)
    assert isinstance(request.user, User)
    calls = IdempotentCall.objects.filter(user=request.user)
    with transaction.atomic():
        calls.filter(at__lt=now - REMEMBERED).delete()
        call, is_new = calls.get_or_create(
            user=request.user, key=key, defaults={"request_sha256": fingerprint, "at": now}
        )
        if is_new:
            response = act()
            body = json.loads(JSONRenderer().render(response.data))
            calls.filter(pk=call.pk).update(status=response.status_code, body=body)
            return response
    if call.request_sha256 != fingerprint:
        raise OtherRequest(
            _("This Idempotency-Key was already used for a different request. Use a new key.")
        )
    return Response(call.body, status=call.status, headers={"Idempotency-Replayed": "true"})


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True, default=_file_sum)
    return sha256(f"{request.method} {request.path}\n{body}".encode()).hexdigest()


def _file_sum(upload: "UploadedFile[bytes]") -> str:
    digest = sha256((upload.name or "").encode())
    for chunk in upload.chunks():
        digest.update(chunk)
    return digest.hexdigest()
