"""What tests of pages read from an answer of Django's test client."""

from html import unescape
from typing import Protocol


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


def words(answer: Answer) -> str:
    """The page's source as a person would write it: characters in place of entities, each run of white space one blank."""
    return " ".join(unescape(answer.content.decode()).split())
