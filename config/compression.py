"""Compresses responses at a fast level, since each one is built once and sent once."""

import gzip
import secrets

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware as DjangoGZipMiddleware
from django.utils.cache import patch_vary_headers

LEVEL = 3
"""Takes half the time of level 6 for an eighth more bytes."""
SMALLEST = 200
_HEADER = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"
"""The header of a gzip file with a name."""


class GZipMiddleware(DjangoGZipMiddleware):
    """Django's middleware at a different level. Like Django's, it adds a file name of random length
    to hide how well a secret in the page compresses (BREACH).
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if (
            not isinstance(response, HttpResponse)
            or response.has_header("ETag")
            or response.has_header("Content-Encoding")
        ):
            return super().process_response(request, response)
        if len(response.content) < SMALLEST:
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            name = b"a" * secrets.randbelow(self.max_random_bytes) + b"\x00"
            response.content = (
                _HEADER
                + name
                + gzip.compress(response.content, compresslevel=LEVEL, mtime=0)[len(_HEADER) :]
            )
            response.headers["Content-Length"] = str(len(response.content))
            response.headers["Content-Encoding"] = "gzip"
        return response
