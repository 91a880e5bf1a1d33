"""Lists of prompts for admins, with search and filters."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from labeling.access import visible
from labeling.models import Campaign, Item, Prompt, Response, Source


@dataclass(frozen=True)
class PromptFilter:
    """Filters of the prompts page; empty values do not filter."""

    text: str = ""
    category: str = ""
    split: str = ""
    source_id: int | None = None
    language: str = ""
    is_unused: bool = False
    is_retired: bool = False


@dataclass(frozen=True)
class PromptSummary:
    prompt: Prompt
    n_responses: int
    n_campaigns: int


@dataclass(frozen=True)
class SourceResponses:
    source: Source
    responses: list[Response]


def prompt_list(*, filters: PromptFilter) -> QuerySet[Prompt]:
    """Visible prompts, newest first: those in use, or those that are retired."""
    prompts = (
        visible(Prompt.objects.filter(retired_at__isnull=not filters.is_retired))
        .select_related("source")
        .order_by("-pk")
    )
    if filters.category:
        prompts = prompts.filter(category=filters.category)
    if filters.split:
        prompts = prompts.filter(split=filters.split)
    if filters.source_id is not None:
        prompts = prompts.filter(source_id=filters.source_id)
    if filters.language:
        prompts = prompts.filter(language=filters.language)
    if filters.is_unused:
        prompts = prompts.filter(~Exists(Item.objects.filter(prompt=OuterRef("pk"))))
    return _containing(prompts, filters.text) if filters.text else prompts


def prompt_rows(*, prompts: Iterable[Prompt]) -> list[PromptSummary]:
    """A row for each of `prompts`, with two more queries in total."""
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
        PromptSummary(prompt, responses.get(prompt.pk, 0), campaigns.get(prompt.pk, 0))
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


def _containing(prompts: QuerySet[Prompt], text: str) -> QuerySet[Prompt]:
    """Search in the messages, ignoring case. SQLite ignores case for ASCII only.

    Stored JSON escapes quotes, and on SQLite every non-ASCII letter too.
    """
    as_text, escaped = json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]
    searched = prompts.annotate(messages_text=Cast("messages", TextField()))
    return searched.filter(
        Q(messages_text__icontains=as_text) | Q(messages_text__icontains=escaped)
    )
