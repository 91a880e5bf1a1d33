"""What tests of pages read from an answer of Django's test client."""

from html import unescape
from typing import Protocol

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


def words(answer: Answer) -> str:
    """The page's source as a person would write it: characters in place of entities, each run of
    white space one blank.
    """
    return " ".join(unescape(answer.content.decode()).split())


def streamed(answer: HttpResponseBase) -> StreamingHttpResponse:
    """An answer that comes in pieces: what one iterates over."""
    assert isinstance(answer, StreamingHttpResponse)
    return answer


def downloaded(answer: HttpResponseBase) -> bytes:
    """The whole of an answer that comes in pieces."""
    return streamed(answer).getvalue()
