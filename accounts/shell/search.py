"""The search in the top bar, and its results among the site's own pages.

Each kind of object has a Finder. Apps keep theirs beside their selectors, and settings.FINDERS
lists them. A finder is skipped when its page is closed to the person who searches.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts import access as accounts_access
from accounts.shell import navigation

N_SHOWN = 5
MAX_LENGTH = 100
MAX_WORDS = 8
# Matches "412", "#412" and "run 412", with as many digits as a primary key can have.
_NUMBER = re.compile(r"(?:(?P<kind>.*\S)\s+)?#?(?P<number>[0-9]{1,18})", re.DOTALL)

Row = TypeVar("Row", bound=Model)

N_CHARACTERS = 100


@dataclass(frozen=True)
class SearchQuery:
    """A query for one finder: names that contain all of these words, or the object with this
    number.
    """

    words: str
    number: int | None = None


@dataclass(frozen=True)
class SearchResult:
    """One result. `pk` is None for objects without a page of their own; the finder's page lists
    them all.
    """

    pk: int | None
    title: str
    detail: str = ""


@dataclass(frozen=True)
class Finder:
    """Searches one kind of object. `find` makes one query and returns the best matches first, at
    most N_SHOWN + 1 (see `best`).
    """

    title: Promise
    one: Promise
    """the word before a number: "run 412" is a query for this finder only"""
    page: str
    """URL name of the result's page; people who may not open it get no results"""
    find: Callable[[SearchQuery], list[SearchResult]]
    list_page: str = ""
    """URL name of a list that can be filtered by words through the parameter `list_parameter`"""
    list_parameter: str = "q"
    is_searched_there: bool = False
    """the full search runs on that page only, so the link to it is always offered"""


@dataclass(frozen=True)
class Hit:
    title: str
    detail: str
    url: str
    number: int | None


@dataclass(frozen=True)
class Section:
    """The hits of one kind; `list_url` links to the rest where a list exists."""

    title: str
    hits: list[Hit]
    has_more: bool = False
    list_url: str = ""
    is_searched_there: bool = False


@dataclass(frozen=True)
class Results:
    words: str
    sections: list[Section]

    @property
    def n(self) -> int:
        return sum(len(section.hits) for section in self.sections)


def search(*, query: str, roles: frozenset[str]) -> Results:
    """Search results for somebody with these roles. Runs one query per kind of object whose page
    they may open, and none when there are no words.
    """
    words = " ".join(query.replace("\0", " ")[:MAX_LENGTH].split())
    if not words:
        return Results("", [])
    sections = [_pages(words, roles)]
    sections += [
        _section(finder, words, roles)
        for finder in finders()
        if accounts_access.may_open(finder.page, roles)
    ]
    return Results(words, [section for section in sections if section.hits or section.list_url])


def best(
    rows: QuerySet[Row], *, query: SearchQuery, names: Sequence[str] = ("name",)
) -> QuerySet[Row]:
    """The best matches, one more than is shown: by number, then exact name, then prefix, then
    newest.

    Each word must occur in one of the columns `names`, ignoring case.
    """
    matches = Q()
    for word in query.words.split()[:MAX_WORDS]:
        matches &= _any(names, "icontains", word)
    ranks = [
        When(_any(names, "iexact", query.words), then=Value(1)),
        When(_any(names, "istartswith", query.words), then=Value(2)),
    ]
    if query.number is not None:
        matches |= Q(pk=query.number)
        ranks.insert(0, When(pk=query.number, then=Value(0)))
    rank = Case(*ranks, default=Value(3), output_field=IntegerField())
    return rows.filter(matches).order_by(rank, "-pk")[: N_SHOWN + 1]


@lru_cache
def finders() -> tuple[Finder, ...]:
    return tuple(finder for path in settings.FINDERS for finder in import_string(path))


def _section(finder: Finder, words: str, roles: frozenset[str]) -> Section:
    results = finder.find(_query(finder, words))
    has_more = len(results) > N_SHOWN
    hits = [
        Hit(
            result.title,
            result.detail,
            reverse(finder.page, args=[] if result.pk is None else [result.pk]),
            result.pk,
        )
        for result in results[:N_SHOWN]
    ]
    list_url = ""
    if (
        finder.list_page
        and (has_more or finder.is_searched_there)
        and accounts_access.may_open(finder.list_page, roles)
    ):
        list_url = f"{reverse(finder.list_page)}?{urlencode({finder.list_parameter: words})}"
    return Section(str(finder.title), hits, has_more, list_url, finder.is_searched_there)


def _query(finder: Finder, words: str) -> SearchQuery:
    query = SearchQuery(words)
    match = _NUMBER.fullmatch(words)
    if match is None:
        return query
    kind = (match["kind"] or "").casefold()
    with override("en"):
        english = str(finder.one)
    is_meant = kind in {"", str(finder.one).casefold(), english.casefold()}
    return replace(query, number=int(match["number"])) if is_meant else query


def _pages(words: str, roles: frozenset[str]) -> Section:
    """Entries of the navigation that match by their label in the reader's language."""
    looked_for = words.casefold()
    ranked: list[tuple[int, Hit]] = []
    for title, page in navigation.pages():
        label = str(page.label)
        at = label.casefold().find(looked_for)
        if at >= 0 and accounts_access.may_open(page.url_name, roles):
            rank = 0 if label.casefold() == looked_for else 1 if at == 0 else 2
            ranked.append((rank, Hit(label, str(title), reverse(page.url_name), None)))
    ranked.sort(key=lambda pair: pair[0])
    return Section(str(_("Pages")), [hit for _rank, hit in ranked][:N_SHOWN])


def _any(names: Sequence[str], lookup: str, words: str) -> Q:
    condition = Q()
    for name in names:
        condition |= Q(**{f"{name}__{lookup}": words})
    return condition


def shortened(text: str) -> str:
    """The first words of a long text, on one line."""
    words = " ".join(text.split())
    return words if len(words) <= N_CHARACTERS else f"{words[:N_CHARACTERS]}…"
