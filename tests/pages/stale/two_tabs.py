"""Two tabs of one page: what the second does, and what a form of the first does after it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import form_browser
from django.apps import apps
from django.test import Client
from django.urls import Resolver404, resolve

from accounts.models import User
from labeling.models import Rater

Fields = Mapping[str, str | Sequence[str]]
Fixture = Callable[[str], Any]
NOT_COMPARED = {"django_session", "accounts_loginsession"}


@dataclass(frozen=True)
class Edit:
    """A form that shows what is there, to be changed."""

    by: User | Rater
    page: str
    theirs: Fields
    """What somebody else saves meanwhile; at least one field that `mine` changes, and others."""
    mine: Fields
    has: str = ""
    """A field of the form, if the page has several that post to the same URL."""


@dataclass
class Tab:
    client: Client
    url_name: str
    page: form_browser.Page
    has: str = ""

    @classmethod
    def opened(cls, client: Client, path: str, url_name: str, has: str = "") -> "Tab":
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return cls(client, url_name, page_of(answer, path), has)

    @property
    def form(self) -> form_browser.Form:
        for form in self.page.forms:
            fits = not self.has or self.has in form.values or self.has in form.options
            if form.is_post and fits and posts_to(form, self.page) == self.url_name:
                return form
        raise AssertionError(f"{self.page.address} has no form for {self.url_name}")

    def send(self, changed: Fields) -> form_browser.Page:
        form = self.form
        target = urljoin(self.page.address, form.action or self.page.address)
        answer = self.client.post(target, form.values | as_lists(changed), follow=True)
        assert answer.status_code < 500, (target, answer.status_code)
        return page_of(answer, target)


def posts_to(form: form_browser.Form, page: form_browser.Page) -> str:
    target = urljoin(page.address, form.action or page.address)
    try:
        return resolve(urlsplit(target).path).url_name or ""
    except Resolver404:
        return ""


def page_of(answer: Any, path: str) -> form_browser.Page:
    chain = getattr(answer, "redirect_chain", [])
    address = chain[-1][0] if chain else path
    return form_browser.Page(address, answer.status_code, answer.content.decode() or "<p></p>")


def as_lists(fields: Fields) -> dict[str, list[str]]:
    return {
        name: [value] if isinstance(value, str) else list(value) for name, value in fields.items()
    }


def stored(only: Collection[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but for sessions; of the tables `only` if some are named."""
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.managed
        and model._meta.db_table not in NOT_COMPARED
        and (not only or model._meta.db_table in only)
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """The rows that were added or changed, by table."""
    return {
        table: [row for row in after[table] if row not in before[table]] or ["rows are gone"]
        for table in after
        if after[table] != before[table]
    }
