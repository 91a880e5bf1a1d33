"""Prompts, pools and guidelines as admins list and search them, and which prompts a new campaign
would take.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from labeling.models import (
    Campaign,
    Guideline,
    GuidelineVersion,
    Item,
    Judgment,
    Pool,
    PoolMembership,
    Prompt,
    Rater,
    Response,
    Source,
)
from labeling.selectors.prompts import visible


@dataclass(frozen=True)
class PromptFilter:
    """What the prompts page asks for; an empty value asks for nothing."""

    text: str = ""
    category: str = ""
    split: str = ""
    source_id: int | None = None
    language: str = ""
    is_unused: bool = False
    is_retired: bool = False


@dataclass(frozen=True)
class Selection:
    """Which prompts a new campaign takes. An empty tuple leaves that side open; `n_prompts` None
    takes all that fit.
    """

    kind: str
    categories: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    source_ids: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()
    is_unused: bool = True
    is_unjudged: bool = False
    n_prompts: int | None = None
    n_responses: int | None = None
    response_source_ids: tuple[int, ...] = ()

    @property
    def needs_responses(self) -> bool:
        return self.kind == Campaign.Kind.COMPARISON


@dataclass(frozen=True)
class Match:
    """How many prompts match a Selection, and how many of those have responses enough (all, where
    none are needed).
    """

    n_matching: int
    n_fitting: int
    n_taken: int


@dataclass(frozen=True)
class PromptRow:
    prompt: Prompt
    n_responses: int
    n_campaigns: int


@dataclass(frozen=True)
class SourceResponses:
    source: Source
    responses: list[Response]


@dataclass(frozen=True)
class PoolRow:
    pool: Pool
    n_raters: int
    n_campaigns: int


@dataclass(frozen=True)
class MemberRow:
    membership: PoolMembership
    n_judged: int
    last_at: datetime | None


@dataclass(frozen=True)
class GuidelineRow:
    guideline: Guideline
    n_versions: int
    last_at: datetime | None
    n_campaigns: int


def prompt_list(*, wanted: PromptFilter) -> QuerySet[Prompt]:
    """Visible prompts, newest first: those in use, or those that are retired."""
    prompts = (
        visible(Prompt.objects.filter(retired_at__isnull=not wanted.is_retired))
        .select_related("source")
        .order_by("-pk")
    )
    if wanted.category:
        prompts = prompts.filter(category=wanted.category)
    if wanted.split:
        prompts = prompts.filter(split=wanted.split)
    if wanted.source_id is not None:
        prompts = prompts.filter(source_id=wanted.source_id)
    if wanted.language:
        prompts = prompts.filter(language=wanted.language)
    if wanted.is_unused:
        prompts = prompts.filter(~Exists(Item.objects.filter(prompt=OuterRef("pk"))))
    return _containing(prompts, wanted.text) if wanted.text else prompts


def prompt_rows(*, prompts: Iterable[Prompt]) -> list[PromptRow]:
    """A row for each of `prompts`, in two queries more however many there are."""
    shown = list(prompts)
    ids = [prompt.pk for prompt in shown]
    responses = dict(
        visible(Response.objects.filter(prompt__in=ids))
        .values_list("prompt_id")
        .annotate(n=Count("pk"))
    )
    campaigns = dict(
        Item.objects.filter(prompt__in=ids)
        .values_list("prompt_id")
        .annotate(n=Count("campaign", distinct=True))
    )
    return [
        PromptRow(prompt, responses.get(prompt.pk, 0), campaigns.get(prompt.pk, 0))
        for prompt in shown
    ]


def responses_by_source(*, prompt: Prompt) -> list[SourceResponses]:
    grouped: dict[Source, list[Response]] = {}
    for response in visible(prompt.responses.select_related("source")).order_by(
        "source__name", "number"
    ):
        grouped.setdefault(response.source, []).append(response)
    return [SourceResponses(source, responses) for source, responses in grouped.items()]


def campaigns_of_prompt(*, prompt: Prompt) -> QuerySet[Campaign]:
    return Campaign.objects.filter(items__prompt=prompt).distinct().order_by("name")


def prompt_sources() -> QuerySet[Source]:
    """Sources that a visible prompt came from."""
    return Source.objects.filter(pk__in=visible(Prompt.objects.all()).values("source_id")).order_by(
        "name"
    )


def response_sources() -> QuerySet[Source]:
    """Sources that wrote a visible response."""
    return Source.objects.filter(
        pk__in=visible(Response.objects.all()).values("source_id")
    ).order_by("name")


def prompt_languages() -> list[str]:
    return sorted(
        set(
            visible(Prompt.objects.exclude(language=""))
            .values_list("language", flat=True)
            .distinct()
        )
    )


def matching_prompts(*, selection: Selection) -> QuerySet[Prompt]:
    """Prompts by what they are, whether or not there are responses to compare."""
    prompts = visible(Prompt.objects.filter(retired_at=None))
    asked = {
        "category__in": selection.categories,
        "split__in": selection.splits,
        "source_id__in": selection.source_ids,
        "language__in": selection.languages,
    }
    prompts = prompts.filter(**{lookup: values for lookup, values in asked.items() if values})
    taken = Item.objects.filter(prompt=OuterRef("pk"), campaign__kind=selection.kind)
    judged = Judgment.objects.filter(prompt=OuterRef("pk"), kind=selection.kind)
    prompts = prompts.filter(~Exists(judged)) if selection.is_unjudged else prompts
    return prompts.filter(~Exists(taken)) if selection.is_unused else prompts


def fitting_prompts(*, selection: Selection) -> QuerySet[Prompt]:
    """The prompts that can become items, at most `n_prompts`, drawn evenly over the whole set.

    The order by fingerprint mixes sources and ages, and is the same each time. Only ids are loaded:
    there may be many.
    """
    prompts = (
        _answerable(selection)
        if selection.needs_responses
        else matching_prompts(selection=selection)
    )
    prompts = prompts.order_by("messages_sha256", "pk").only("pk")
    return prompts if selection.n_prompts is None else prompts[: selection.n_prompts]


def match(*, selection: Selection) -> Match:
    n_matching = matching_prompts(selection=selection).count()
    n_fitting = _answerable(selection).count() if selection.needs_responses else n_matching
    n_taken = n_fitting if selection.n_prompts is None else min(n_fitting, selection.n_prompts)
    return Match(n_matching=n_matching, n_fitting=n_fitting, n_taken=n_taken)


def most_responses(*, selection: Selection) -> int:
    """The most responses that any matching prompt has from the chosen sources."""
    counts = _candidates(selection).values("prompt_id").annotate(n=Count("pk"))
    return counts.aggregate(most=Max("n"))["most"] or 0


def pool_rows(*, pools: Iterable[Pool]) -> list[PoolRow]:
    """A row for each of `pools`, in two queries more however many there are."""
    shown = list(pools)
    raters = dict(
        PoolMembership.objects.filter(pool__in=shown, is_active=True)
        .values_list("pool_id")
        .annotate(n=Count("pk"))
    )
    campaigns = dict(
        Campaign.objects.filter(pool__in=shown).values_list("pool_id").annotate(n=Count("pk"))
    )
    return [PoolRow(pool, raters.get(pool.pk, 0), campaigns.get(pool.pk, 0)) for pool in shown]


def pool_members(*, pool: Pool) -> QuerySet[PoolMembership]:
    return (
        pool.memberships.filter(is_active=True)
        .select_related("rater__user")
        .order_by("rater__alias")
    )


def member_rows(*, memberships: Iterable[PoolMembership]) -> list[MemberRow]:
    """A row for each of `memberships`, in one query more however many there are."""
    shown = list(memberships)
    work = {
        row["pk"]: row
        for row in (
            Rater.objects.filter(pk__in=[membership.rater_id for membership in shown])
            .values("pk")
            .annotate(
                n=Count("judgments", filter=Q(judgments__is_current=True)),
                last_at=Max("judgments__submitted_at"),
            )
        )
    }
    return [
        MemberRow(entry, work[entry.rater_id]["n"], work[entry.rater_id]["last_at"])
        for entry in shown
    ]


def raters_outside(*, pool: Pool) -> QuerySet[Rater]:
    """Raters with a login who could join the pool; nobody who has withdrawn."""
    inside = pool.memberships.filter(is_active=True).values("rater_id")
    return (
        Rater.objects.filter(user__is_active=True, withdrawn_at=None)
        .exclude(pk__in=inside)
        .select_related("user")
        .order_by("alias")
    )


def guideline_rows(*, guidelines: Iterable[Guideline]) -> list[GuidelineRow]:
    """A row for each of `guidelines`, in two queries more however many there are."""
    shown = list(guidelines)
    versions = {
        row["guideline_id"]: row
        for row in (
            GuidelineVersion.objects.filter(guideline__in=shown)
            .order_by()
            .values("guideline_id")
            .annotate(n=Count("pk"), last_at=Max("created_at"))
        )
    }
    campaigns = dict(
        Campaign.objects.filter(guideline__in=shown)
        .values_list("guideline_id")
        .annotate(n=Count("pk"))
    )
    return [
        GuidelineRow(
            guideline=guideline,
            n_versions=versions[guideline.pk]["n"] if guideline.pk in versions else 0,
            last_at=versions[guideline.pk]["last_at"] if guideline.pk in versions else None,
            n_campaigns=campaigns.get(guideline.pk, 0),
        )
        for guideline in shown
    ]


def guideline_versions(*, guideline: Guideline) -> list[GuidelineVersion]:
    """Newest first; there is always one."""
    return list(guideline.versions.select_related("created_by").order_by("-number"))


def campaigns_of_guideline(*, guideline: Guideline) -> QuerySet[Campaign]:
    return guideline.campaigns.select_related("guideline_version").order_by("name")


def _candidates(selection: Selection) -> QuerySet[Response]:
    responses = visible(Response.objects.filter(prompt__in=matching_prompts(selection=selection)))
    return (
        responses.filter(source_id__in=selection.response_source_ids)
        if selection.response_source_ids
        else responses
    )


def _answerable(selection: Selection) -> QuerySet[Prompt]:
    counts = (
        _candidates(selection)
        .values("prompt_id")
        .annotate(n=Count("pk"))
        .filter(n__gte=selection.n_responses or 2)
    )
    return matching_prompts(selection=selection).filter(pk__in=counts.values("prompt_id"))


def _containing(prompts: QuerySet[Prompt], text: str) -> QuerySet[Prompt]:
    """Search in the messages, in either case. SQLite knows the cases of ASCII only.

    Stored JSON escapes quotes, and on SQLite every letter beyond ASCII too.
    """
    as_text, escaped = json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]
    searched = prompts.annotate(messages_text=Cast("messages", TextField()))
    return searched.filter(
        Q(messages_text__icontains=as_text) | Q(messages_text__icontains=escaped)
    )
