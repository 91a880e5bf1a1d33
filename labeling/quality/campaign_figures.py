"""Figures about a campaign's answers that pages of several rooms show. Each needs all its rows, so
those of a large campaign are cached.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from config.performance.distinct import distinct_values
from labeling.access import visible
from labeling.models import Campaign, Item, Judgment, Prompt, Response, Source
from labeling.quality.figure_cache import CachedFigures, Compute, cached_figures, known_figures
from labeling.votes import counting


@dataclass(frozen=True)
class Answered:
    """Judgments that count, with extras and repeats, but without those of unpublished imports."""

    n_judgments: int
    n_raters: int
    n_by_version: list[tuple[int | None, int]]
    """(id of the guideline's version, number of judgments); None: an import without one"""


def answered(*, campaign: Campaign, now: datetime) -> CachedFigures[Answered]:
    """For a program, which waits."""
    return cached_figures(
        name="answered", kind=Answered, ids=[campaign.pk], compute=_answered, now=now
    )[campaign.pk]


def known_answered(*, campaign: Campaign, now: datetime) -> CachedFigures[Answered] | None:
    """The same for a page; None while they are being counted."""
    return known_figures(
        name="answered", kind=Answered, ids=[campaign.pk], compute=_answered, now=now
    ).get(campaign.pk)


def n_answers(*, campaigns: Collection[int], now: datetime) -> dict[int, CachedFigures[int]]:
    """How many judgments of each campaign count. Without those that are being counted."""
    return known_figures(name="n_answers", kind=int, ids=campaigns, compute=_n_answers, now=now)


def licences(*, campaign: Campaign, now: datetime) -> list[str]:
    """The licences of a campaign's prompts and responses; "" if a prompt has none. Until they have
    been looked for, all licences of the site.
    """
    known = known_figures(
        name="licences", kind=list[str], ids=[campaign.pk], compute=_licences, now=now
    )
    return known[campaign.pk].value if known else ["", *all_licences()]


def all_licences() -> list[str]:
    """The licences of prompts, of responses with one of their own, and of sources."""
    names = {
        *distinct_values(Prompt, "licence"),
        *distinct_values(Response, "licence"),
        *Source.objects.exclude(licence="").values_list("licence", flat=True),
    }
    return sorted(names)


def _answered(ids: Collection[int], _now: datetime) -> dict[int, Answered]:
    counted = visible(
        Judgment.of_people.filter(counting.counts(with_extra=True, with_repeats=True))
    )
    return {pk: _answered_in(counted.filter(campaign=pk).order_by()) for pk in ids}


def _answered_in(judgments: QuerySet[Judgment]) -> Answered:
    """Everything from one pass over the judgments."""
    groups = judgments.values_list("guideline_version", "rater").annotate(n=Count("pk"))
    rows: Sequence[tuple[int | None, int, int]] = list(groups)
    n_of: dict[int | None, int] = {}
    for version, _rater, n in rows:
        n_of[version] = n_of.get(version, 0) + n
    return Answered(
        n_judgments=sum(n_of.values()),
        n_raters=len({rater for _version, rater, _n in rows}),
        n_by_version=sorted(n_of.items(), key=lambda pair: pair[0] or 0),
    )


def _n_answers(ids: Collection[int], _now: datetime) -> dict[int, int]:
    counted = Judgment.of_people.filter(counting.counts(), campaign__in=ids).order_by()
    n_of = dict(counted.values_list("campaign_id").annotate(n=Count("pk")))
    return {pk: n_of.get(pk, 0) for pk in ids}


def _licences(ids: Collection[int], _now: datetime) -> dict[int, list[str]]:
    return {pk: _licences_in(pk) for pk in ids}


def _licences_in(campaign: int) -> list[str]:
    prompts = Item.objects.filter(campaign=campaign).values_list("prompt__licence", flat=True)
    texts = Response.objects.filter(items__campaign=campaign).exclude(
        licence="", source__licence=""
    )
    named = texts.values_list("licence", "source__licence").order_by().distinct()
    return sorted({*prompts.order_by().distinct(), *(own or source for own, source in named)})


COMPUTE: dict[str, Compute[Any]] = {
    "answered": _answered,
    "n_answers": _n_answers,
    "licences": _licences,
}
"""The functions behind these figures, for the worker that refreshes them."""
