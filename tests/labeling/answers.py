"""Reads responses of Django's test client."""

from html import unescape

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from tests.html import Answer, page_of


def words(answer: Answer) -> str:
    """The page's source with characters instead of entities."""
    return " ".join(unescape(page_of(answer)).split())


def streamed(answer: HttpResponseBase) -> StreamingHttpResponse:
    """An answer that comes in pieces: what one iterates over."""
    assert isinstance(answer, StreamingHttpResponse)
    return answer


def downloaded(answer: HttpResponseBase) -> bytes:
    """The whole of an answer that comes in pieces."""
    return streamed(answer).getvalue()
