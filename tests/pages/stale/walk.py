"""Every form on every page that a person of each role can reach by following links, and what a
stale tab does with it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import form_browser
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import Resolver404, resolve
from lxml.html import FormElement, HtmlElement

from accounts.models import User
from labeling.models import Rater
from tests.cast import cookies_of, login_of
from tests.pages.stale.two_tabs import NOT_COMPARED, Fields, as_lists, differences, stored

MOST = 3
"""Pages of one URL that are opened."""
WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) \"(\w+)\"")
DOWNLOADS = {"my_data_file", "run_archive", "model_archive"}
THEIRS, OURS = "of the other tab", "of this tab"


class _Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile was never there."""
    cache.clear()
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        return


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


@dataclass(frozen=True)
class Outcome:
    """What two tabs did, one after the other, with the same button."""

    is_first_stored: bool
    again: dict[str, list[Any]]
    """rows that the second one, whose page was stale, added or changed, by table"""
    is_typed: bool
    """whether the second one sent a text"""
    takes_text: bool
    """whether it could have"""
    is_kept: bool
    """whether that text is on the page that answered it"""
    status: int


def url_name_of(path: str) -> str:
    try:
        return resolve(urlsplit(path).path).view_name
    except Resolver404:
        return ""


class Walk:
    """All forms that `person` finds."""

    def __init__(self, person: User | Rater, first: list[str]) -> None:
        self.person = login_of(person) if isinstance(person, Rater) else person
        self.client = self.browser()
        self.waiting = ["/", *first]
        self.seen: set[str] = set()
        self.n_opened: Counter[str] = Counter()

    def browser(self) -> Client:
        client = Client()
        client.cookies = cookies_of(self.person)
        return client

    def buttons(self) -> Iterator[Button]:
        known = set()
        while self.waiting:
            path = self.waiting.pop(0)
            for button in self.buttons_on(path):
                if button.key not in known:
                    known.add(button.key)
                    yield button

    def outcomes(self, button: Button, values: Fields) -> Iterator[tuple[Button, Outcome]]:
        """Without and with texts in the fields that take one, and with `values` for what a person
        has to choose. What the second tab stores is compared row by row only if it writes.
        """
        for types in (False, True):
            with undone():
                outcome = self._press_twice(button, values, types=types, compares=False)
            if outcome.again:
                with undone():
                    outcome = self._press_twice(button, values, types=types, compares=True)
            yield button, outcome
            if not outcome.takes_text:
                return

    def _press_twice(
        self, button: Button, values: Fields, *, types: bool, compares: bool
    ) -> Outcome:
        client = self.browser()
        answer = client.get(button.page, follow=True)
        page = form_browser.Page(button.page, answer.status_code, answer.content.decode())
        form = form_of(page, button)
        fields = form_browser.read_form(form).values | as_lists(values)
        if button.name:
            fields |= {button.name: [button.value]}
        texts = [name for name in typed_fields(form) if name not in values]
        words = texts if types else []
        first, _answer = pressed(client, button, typed(fields, words, THEIRS))
        before = stored() if compares else {}
        tables, answer = pressed(client, button, typed(fields, words, OURS))
        again: dict[str, list[Any]] = {table: [] for table in tables}
        if compares:
            again = differences(before, stored())
        is_kept = OURS in answer.content.decode()
        return Outcome(bool(first), again, bool(words), bool(texts), is_kept, answer.status_code)

    def buttons_on(self, path: str) -> list[Button]:
        """None if enough pages of its kind were opened."""
        name = url_name_of(path)
        if path in self.seen or not name or name in DOWNLOADS or self.n_opened[name] >= MOST:
            return []
        self.seen.add(path)
        with undone():
            answer = self.client.get(path, follow=True)
        if answer.status_code != 200 or not answer.get("Content-Type", "").startswith("text/html"):
            return []
        self.n_opened[name] += 1
        page = form_browser.Page(path, 200, b"".join(answer).decode() or "<p></p>")
        address = answer.redirect_chain[-1][0] if answer.redirect_chain else path
        self.waiting += [urljoin(address, a.get("href")) for a in page.root.xpath("//a[@href]")]
        return list(buttons_of(page.root, address))


def buttons_of(root: HtmlElement, address: str) -> Iterator[Button]:
    for form in root.forms:
        if form.method == "POST":
            yield from buttons_in(form, address)


def buttons_in(form: FormElement, address: str) -> Iterator[Button]:
    pressed = form.xpath(".//button[not(@disabled)][not(@type) or @type='submit']")
    for button in pressed or [form]:
        action = button.get("formaction") or form.get("action") or address
        target = urljoin(address, action)
        name, value = button.get("name", "") if button is not form else "", button.get("value")
        yield Button(url_name_of(target), address, target, name, value or "")


def form_of(page: form_browser.Page, button: Button) -> FormElement:
    for form in page.root.forms:
        if any(other == button for other in buttons_in(form, button.page)):
            return form
    raise AssertionError(f"{button.page} no longer has a button {button.key}")


def typed_fields(form: FormElement) -> list[str]:
    """The fields of the form that take any text."""
    return [
        control.name
        for control in form.inputs
        if control.name
        and "disabled" not in control.attrib
        and (control.tag == "textarea" or control.get("type") == "text")
    ]


def typed(fields: dict[str, list[str]], names: list[str], text: str) -> dict[str, list[str]]:
    return fields | {name: [f"{fields.get(name, [''])[0]} {text}".strip()] for name in names}


def pressed(client: Client, button: Button, fields: dict[str, list[str]]) -> tuple[set[str], Any]:
    """The tables that it wrote to, and the page that answered."""
    tables: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        match = WRITES.match(str(sql))
        if match and context["cursor"].rowcount and match[2] not in NOT_COMPARED:
            tables.add(match[2])
        return result

    with connection.execute_wrapper(watch):
        answer = client.post(button.target, fields, follow=True)
    assert answer.status_code < 500, button
    return tables, answer


@dataclass(frozen=True)
class Scene:
    """A site on which something has happened, and pages that show it then."""

    name: str
    happens: Callable[[], tuple[User | Rater, list[str]]]
    """Who opens which pages."""

    def outcomes(self, values: Mapping[str, Fields]) -> Iterator[tuple[Button, Outcome]]:
        with undone():
            person, paths = self.happens()
            walk = Walk(person, [])
            for path in paths:
                for button in walk.buttons_on(path):
                    yield from walk.outcomes(button, values.get(button.url_name, {}))
