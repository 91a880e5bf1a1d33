"""A button that is pressed in a tab whose page is stale: what that stores, and what the page that
answers says.
"""

import copy
import functools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import form_browser
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import Resolver404, resolve

from tests.pages.stale.two_tabs import NOT_COMPARED, Fields, as_lists, page_of

WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) \"(\w+)\"")
DRAFTS = "labeling_draft"
THEIRS, OURS = "of the other tab", "of this tab"
SAYS = (
    "//*[@role='alert' or @role='status' or contains(@class, 'toast') or contains(@class, 'notice')"
    " or contains(@class, 'callout') or contains(@class, 'field-error')]"
    "[not(ancestor-or-self::*[@hidden or self::template])]"
)


OUTSIDE: list[object] = []
"""Stubs of other sites, on which something is done too."""


class _Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile was never there."""
    cache.clear()
    before = [copy.deepcopy(vars(stub)) for stub in OUTSIDE]
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        for stub, values in zip(OUTSIDE, before, strict=True):
            vars(stub).update(values)


@dataclass(frozen=True)
class Button:
    """A way to send a form of a page."""

    url_name: str
    page: str
    target: str
    name: str
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.url_name, self.name, re.sub(r"\d+", "", self.value)

    @property
    def sends(self) -> tuple[str, str, str]:
        """The same on whatever page it stands."""
        return self.target, self.name, self.value


@dataclass(frozen=True)
class Press:
    tables: set[str]
    """that it wrote to"""
    page: form_browser.Page
    """that answered"""

    @property
    def is_kept(self) -> bool:
        """Whether the text that this tab has sent is in the answer, or in a draft."""
        return OURS in self.page.html or DRAFTS in self.tables

    def says(self, stale: form_browser.Page) -> bool:
        """Whether the answer has a sentence that the page did not have on which it was pressed.
        Who has logged out is asked to log in.
        """
        is_refused = self.page.status >= 400 or self.page.address.startswith("/account/login/")
        return is_refused or bool(sentences(self.page) - sentences(stale))


@functools.cache
def url_name_of(path: str) -> str:
    try:
        return resolve(urlsplit(path).path).view_name
    except Resolver404:
        return ""


@contextmanager
def tables_written() -> Iterator[set[str]]:
    """Those with a row that was added, changed or deleted meanwhile."""
    tables: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        match = WRITES.match(str(sql))
        if match and context["cursor"].rowcount and match[2] not in NOT_COMPARED:
            tables.add(match[2])
        return result

    with connection.execute_wrapper(watch):
        yield tables


def press(client: Client, button: Button, fields: Fields, *, follows: bool = True) -> Press:
    """What is stored, and the page that answers; without `follows` a redirect does."""
    with tables_written() as tables:
        answer = client.post(button.target, as_lists(fields), follow=follows)
    assert answer.status_code < 500, button
    return Press(tables, page_of(answer, button.target))


def sentences(page: form_browser.Page) -> set[str]:
    if page.html.startswith("{"):
        answer = json.loads(page.html)
        return {str(answer[name]) for name in ("error", "said", "is_gone") if name in answer}
    return {form_browser.text_of(element) for element in page.root.xpath(SAYS)} - {""}
