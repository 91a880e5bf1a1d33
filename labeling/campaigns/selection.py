"""Selects the prompts that a new campaign would use."""

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.performance.distinct import distinct_values
from labeling.access import visible
from labeling.kinds import registry
from labeling.kinds.comparison import RESPONSES, ComparisonSettings
from labeling.models import Item, Judgment, Prompt, Response, Source
from labeling.votes import counting

Text = TypeVar("Text", Prompt, Response)
NEWEST = 50
"""Responses that are looked at for what a form proposes."""


@dataclass(frozen=True)
class Selection:
    """Which prompts a new campaign takes. An empty tuple means no restriction; `n_prompts` None
    takes all that qualify.
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
        return registry.KINDS[self.kind].compares_stored


@dataclass(frozen=True)
class SelectionCounts:
    """How many prompts match a Selection, how many of those have enough responses (all, if none are
    needed), and how many would be taken.
    """

    n_matching: int
    n_fitting: int
    n_taken: int


def prompt_sources() -> QuerySet[Source]:
    """Sources of visible prompts."""
    return _with_any(visible(Prompt.objects.all()))


def response_sources() -> QuerySet[Source]:
    """Sources of responses that a campaign may use."""
    return _with_any(usable(Response.objects.all()))


def _with_any(texts: QuerySet[Text]) -> QuerySet[Source]:
    """Sources of these prompts or responses. One row of each source is enough: with `__in`,
    PostgreSQL would read them all.
    """
    first = texts.filter(source=OuterRef("pk")).order_by().values("pk")[:1]
    sources = Source.objects.alias(first_text=Subquery(first))
    return by_name(sources.filter(first_text__isnull=False))


def by_name(sources: QuerySet[Source]) -> QuerySet[Source]:
    """In the order of the names that they are known by, which cost no further query."""
    return sources.select_related("trained_model").order_by(Coalesce("trained_model__name", "name"))


def usable(responses: QuerySet[Response]) -> QuerySet[Response]:
    """Those that may be compared: visible, and not by somebody who has withdrawn."""
    return visible(responses).exclude(counting.by_withdrawn())


def prompt_languages() -> list[str]:
    """Languages of visible prompts."""
    visible_prompts = visible(Prompt.objects.all())
    languages = distinct_values(Prompt, "language")
    return sorted(code for code in languages if visible_prompts.filter(language=code).exists())


def matching_prompts(*, selection: Selection) -> QuerySet[Prompt]:
    """Prompts that match the filters, whether or not they have responses to compare."""
    prompts = visible(Prompt.objects.filter(retired_at=None))
    asked = {
        "category__in": selection.categories,
        "split__in": selection.splits,
        "source_id__in": selection.source_ids,
        "language__in": selection.languages,
    }
    prompts = prompts.filter(**{lookup: values for lookup, values in asked.items() if values})
    taken = Item.objects.filter(prompt=OuterRef("pk"), campaign__kind=selection.kind)
    counted = counting.counts(with_extra=True, with_repeats=True)
    judged = Judgment.of_people.filter(counted, prompt=OuterRef("pk"), kind=selection.kind)
    prompts = prompts.filter(~Exists(judged)) if selection.is_unjudged else prompts
    return prompts.filter(~Exists(taken)) if selection.is_unused else prompts


def fitting_prompts(*, selection: Selection) -> QuerySet[Prompt]:
    """The prompts that can become items, at most `n_prompts`, drawn evenly from all that match.

    The order by fingerprint mixes sources and ages, and is the same every time. Only ids are
    loaded, because there may be many.
    """
    prompts = (
        _answerable(selection)
        if selection.needs_responses
        else matching_prompts(selection=selection)
    )
    prompts = prompts.order_by("messages_sha256", "pk").only("pk")
    return prompts if selection.n_prompts is None else prompts[: selection.n_prompts]


def match(*, selection: Selection) -> SelectionCounts:
    n_matching = matching_prompts(selection=selection).count()
    n_fitting = _answerable(selection).count() if selection.needs_responses else n_matching
    n_taken = n_fitting if selection.n_prompts is None else min(n_fitting, selection.n_prompts)
    return SelectionCounts(n_matching=n_matching, n_fitting=n_fitting, n_taken=n_taken)


def most_responses(*, selection: Selection) -> int:
    """The highest number of responses from the chosen sources on any matching prompt."""
    counts = _candidates(selection).values("prompt_id").annotate(n=Count("pk"))
    return counts.aggregate(most=Max("n"))["most"] or 0


def n_responses_of_newest() -> int:
    """How many responses most of the prompts have to which the newest responses are, as far as no
    comparison uses them; 0 without any. What a new campaign of comparisons would show.
    """
    newest = Response.objects.order_by("-pk").values_list("prompt_id", flat=True)[:NEWEST]
    unused = matching_prompts(selection=Selection(kind=ComparisonSettings.kind))
    prompt_ids = list(unused.filter(pk__in=set(newest)).values_list("pk", flat=True))
    counts = usable(Response.objects.filter(prompt__in=prompt_ids)).values("prompt_id")
    numbers = Counter(counts.annotate(n=Count("pk")).values_list("n", flat=True))
    usual = max(numbers, key=lambda n: (numbers[n], n), default=0)
    return min(usual, RESPONSES.stop - 1)


def _candidates(selection: Selection) -> QuerySet[Response]:
    responses = usable(Response.objects.filter(prompt__in=matching_prompts(selection=selection)))
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
