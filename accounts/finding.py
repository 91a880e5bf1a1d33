"""The search of the top line: what is looked for, who looks for it, and the pages of this site that
one person may open.

Each kind of thing has a Finder. The apps keep theirs beside their other reads, and settings.FINDERS
names where; a finder whose page does not open to somebody is not asked at all.
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

from accounts import access, navigation

N_SHOWN = 5
MAX_LENGTH = 100
MAX_WORDS = 8
# "412", "#412" and "run 412"; as many digits as a key can have.
_NUMBER = re.compile(r"(?:(?P<kind>.*\S)\s+)?#?(?P<number>[0-9]{1,18})", re.DOTALL)

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Wanted:
    """What one finder is asked for: names with all of these words in them, or the thing with this
    number.
    """

    words: str
    number: int | None = None


@dataclass(frozen=True)
class Found:
    """`pk` None: things of this kind have no page of their own, and the finder's page shows them
    all.
    """

    pk: int | None
    title: str
    detail: str = ""


@dataclass(frozen=True)
class Finder:
    """Looks for one kind of thing. `find` takes one query, returns the best first, and at most
    N_SHOWN + 1 (see `best`).
    """

    title: Promise
    one: Promise
    """the word before a number: "run 412" asks no other finder for 412"""
    page: str
    """URL name of the page of what is found; who may not open it finds nothing"""
    find: Callable[[Wanted], list[Found]]
    list_page: str = ""
    """URL name of a list that can be narrowed to words, by the parameter `list_parameter`"""
    list_parameter: str = "q"
    is_searched_there: bool = False
    """its words are looked through on that page only: it is offered whatever was found here"""


@dataclass(frozen=True)
class Hit:
    title: str
    detail: str
    url: str
    number: int | None


@dataclass(frozen=True)
class Section:
    """The hits of one kind; `list_url` leads to the rest of them where there is such a list."""

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
    """What somebody with these roles finds: one query for each kind of thing whose page they may
    open, and none without words.
    """
    words = " ".join(query.replace("\0", " ")[:MAX_LENGTH].split())
    if not words:
        return Results("", [])
    sections = [_places(words, roles)]
    sections += [
        _section(finder, words, roles)
        for finder in finders()
        if access.may_open(finder.page, roles)
    ]
    return Results(words, [section for section in sections if section.hits or section.list_url])


def best(rows: QuerySet[Row], *, wanted: Wanted, names: Sequence[str] = ("name",)) -> QuerySet[Row]:
    """One more than is shown of `rows`: by number, then the same name, then one that begins so,
    then the newest.

    `names` are the columns in which each of the words may stand, in either case.
    """
    holds = Q()
    for word in wanted.words.split()[:MAX_WORDS]:
        holds &= _any(names, "icontains", word)
    nearness = [
        When(_any(names, "iexact", wanted.words), then=Value(1)),
        When(_any(names, "istartswith", wanted.words), then=Value(2)),
    ]
    if wanted.number is not None:
        holds |= Q(pk=wanted.number)
        nearness.insert(0, When(pk=wanted.number, then=Value(0)))
    near = Case(*nearness, default=Value(3), output_field=IntegerField())
    return rows.filter(holds).order_by(near, "-pk")[: N_SHOWN + 1]


@lru_cache
def finders() -> tuple[Finder, ...]:
    return tuple(finder for path in settings.FINDERS for finder in import_string(path))


def _section(finder: Finder, words: str, roles: frozenset[str]) -> Section:
    found = finder.find(_wanted(finder, words))
    has_more = len(found) > N_SHOWN
    hits = [
        Hit(
            one.title,
            one.detail,
            reverse(finder.page, args=[] if one.pk is None else [one.pk]),
            one.pk,
        )
        for one in found[:N_SHOWN]
    ]
    list_url = ""
    if (
        finder.list_page
        and (has_more or finder.is_searched_there)
        and access.may_open(finder.list_page, roles)
    ):
        list_url = f"{reverse(finder.list_page)}?{urlencode({finder.list_parameter: words})}"
    return Section(str(finder.title), hits, has_more, list_url, finder.is_searched_there)


def _wanted(finder: Finder, words: str) -> Wanted:
    wanted = Wanted(words)
    match = _NUMBER.fullmatch(words)
    if match is None:
        return wanted
    kind = (match["kind"] or "").casefold()
    with override("en"):
        english = str(finder.one)
    is_meant = kind in {"", str(finder.one).casefold(), english.casefold()}
    return replace(wanted, number=int(match["number"])) if is_meant else wanted


def _places(words: str, roles: frozenset[str]) -> Section:
    """The places of the rail, by their label in the reader's language."""
    looked_for = words.casefold()
    near: list[tuple[int, Hit]] = []
    for title, places in navigation.PLACES:
        for place in places:
            label = str(place.label)
            at = label.casefold().find(looked_for)
            if at >= 0 and access.may_open(place.url_name, roles):
                nearness = 0 if label.casefold() == looked_for else 1 if at == 0 else 2
                near.append((nearness, Hit(label, str(title), reverse(place.url_name), None)))
    near.sort(key=lambda pair: pair[0])
    return Section(str(_("Pages")), [hit for _nearness, hit in near][:N_SHOWN])


def _any(names: Sequence[str], lookup: str, words: str) -> Q:
    found = Q()
    for name in names:
        found |= Q(**{f"{name}__{lookup}": words})
    return found
