"""The table “Pages and endpoints” in docs/api.md: every page once, and every call exists."""

import re
from collections import Counter
from pathlib import Path

from django.urls import get_resolver

from config.api_permissions import API_TABLE
from config.permissions import TABLE

DOCS = Path(__file__).resolve().parents[2] / "docs/api.md"
HEADING = "\n## Pages and endpoints\n"
REASON, GAP = "none: ", "not yet"
MOST_GAPS = 0
"""Rows that are still to get a call. Lower it with them; a new page may not add one."""
API_NAMES = {line.partition(" ")[2] for line in API_TABLE}
CODE = re.compile(r"`([^`]+)`")
PARAMETER = re.compile(r"\{\w+\}|%\(\w+\)s")


def rows() -> list[tuple[list[str], str]]:
    """The pages and the second cell of each row."""
    part = DOCS.read_text().partition(HEADING)[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in part.splitlines() if line[:3] == "| `"]
    return [(CODE.findall(pages), calls) for pages, calls in cells]


def path_of(name: str, urls: str | None = None) -> str:
    """The path of a URL name, with {pk} for a parameter."""
    template, parameters = get_resolver(urls).reverse_dict.getlist(name)[0][0][0]
    return "/" + str(template) % {parameter: f"{{{parameter}}}" for parameter in parameters}


def as_call(text: str) -> str:
    """A call with every parameter under one name: the API's own are all called pk."""
    return PARAMETER.sub("{id}", text)


def test_every_page_stands_in_the_table_once() -> None:
    pages = {path_of(name) for name, roles in TABLE.items() if roles and name not in API_NAMES}
    named = Counter(page for pages, _calls in rows() for page in pages)

    assert sorted(pages - named.keys()) == [], "pages without a row"
    assert sorted(named.keys() - pages) == [], "rows without a page"
    assert [page for page, n in named.items() if n > 1] == []


def test_every_row_names_calls_that_exist_or_says_why_there_are_none() -> None:
    lines = [line.split(" ") for line in API_TABLE]
    known = {as_call(f"{method} {path_of(name, 'config.api')}") for method, name in lines}
    named = [(pages, calls, CODE.findall(calls)) for pages, calls in rows()]

    unknown = {
        call for _pages, _calls, found in named for call in found if as_call(call) not in known
    }
    silent = [
        pages
        for pages, calls, found in named
        if not found and calls != GAP and not calls.startswith(REASON)
    ]

    assert unknown == set()
    assert silent == []


def test_no_page_is_added_without_its_call() -> None:
    assert sum(calls == GAP for _pages, calls in rows()) <= MOST_GAPS
