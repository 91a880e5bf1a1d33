"""The entry point for other apps: store responses, scores and judgments of a model, keep
conversations with one, and open comparison campaigns, whole or part by part.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from arithmetic.chats import ToolCall
from labeling.access import visible
from labeling.campaigns import services as campaigns_services
from labeling.data.saved_conversations import save_demonstration, save_prompt
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Campaign,
    Case,
    Comparison,
    Guideline,
    GuidelineVersion,
    Item,
    Judgment,
    Pool,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.quality.services import store_scores
from labeling.queue import after_judgment, items
from labeling.queue.cases import services as cases_services
from labeling.splits.places import UnableToPlace

__all__ = [
    "NewResponse",
    "UnableToPlace",
    "add_judge",
    "ask_first",
    "held_items",
    "hold_items",
    "in_question",
    "open_comparison_campaign",
    "release_items",
    "save_demonstration",
    "save_prompt",
    "source_for_model",
    "source_for_texts",
    "spare_only",
    "store_judgment_of_judge",
    "store_responses",
    "store_scores",
]
BATCH = 1_000


@dataclass(frozen=True)
class NewResponse:
    """A response to store. `number` distinguishes the responses of one source to one prompt."""

    prompt_id: int
    text: str
    number: int
    sampling: Mapping[str, object]
    is_ended: bool | None
    reasoning_content: str = ""
    tool_calls: Sequence[ToolCall] = ()


def source_for_model(*, name: str, licence: str) -> Source:
    """The source of a model's responses; the same one for the same name."""
    source, _is_new = Source.objects.get_or_create(
        name=name, defaults={"kind": Source.Kind.MODEL, "licence": licence}
    )
    return source


def source_for_texts(*, name: str) -> Source:
    """The source of texts that no model and nobody here wrote; the same one for the same name."""
    source, _is_new = Source.objects.get_or_create(name=name, defaults={"kind": Source.Kind.IMPORT})
    return source


def store_responses(*, source: Source, rows: Iterable[NewResponse], now: datetime) -> int:
    """Store responses that are not stored yet, identified by (prompt, source, number). Returns how
    many were new. Safe to call twice.
    """
    with transaction.atomic():
        before = Response.objects.filter(source=source).count()
        for batch in _batches(rows):
            Response.objects.bulk_create(
                [_as_response(row, source=source, now=now) for row in batch], ignore_conflicts=True
            )
        return Response.objects.filter(source=source).count() - before


def add_judge() -> Rater:
    """A rater that is a model, with the next free alias."""
    taken = set(Rater.everyone.filter(alias__startswith="Judge ").values_list("alias", flat=True))
    alias = next(name for n in count(1) if (name := f"Judge {n}") not in taken)
    return Rater.everyone.create(alias=alias, kind=Rater.Kind.JUDGE)


def store_judgment_of_judge(
    *,
    rater: Rater,
    item: Item,
    ranks: Mapping[int, int],
    guideline_version: GuidelineVersion,
    now: datetime,
) -> Judgment:
    """A judge's order of an item's responses, by their ids in the order that it saw first: a
    judgment without a slot. The one that it gave before, if there is one.
    """
    assert rater.kind == Rater.Kind.JUDGE
    with transaction.atomic():
        judgment, is_new = Judgment.of_everyone.get_or_create(
            item=item,
            rater=rater,
            defaults={
                "kind": Judgment.Kind.COMPARISON,
                "prompt_id": item.prompt_id,
                "campaign_id": item.campaign_id,
                "is_gold": hasattr(item, "gold_use"),
                "guideline_version": guideline_version,
                "submitted_at": now,
            },
        )
        if is_new:
            comparison = Comparison.objects.create(judgment=judgment)
            RankedResponse.objects.bulk_create(
                RankedResponse(
                    comparison=comparison, response_id=response, position=position, rank=rank
                )
                for position, (response, rank) in enumerate(ranks.items())
            )
    return judgment


def free_campaign_name(wanted: str) -> str:
    """`wanted`, or with the lowest number behind it that makes a name that no campaign has."""
    longest = (Campaign._meta.get_field("name").max_length or 0) - 10
    wanted = wanted[:longest]
    taken = set(Campaign.every.filter(name__startswith=wanted).values_list("name", flat=True))
    names = (wanted, *(f"{wanted} ({n})" for n in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def open_comparison_campaign(
    *,
    name: str,
    pool: Pool,
    guideline: Guideline,
    prompt_ids: Collection[int],
    source_ids: Sequence[int],
    response_ids: Collection[int] = (),
    n_responses: int,
    overlap: int,
    by: User | None,
    now: datetime,
) -> Campaign:
    """Create a comparison campaign over these prompts and these sources' responses, and open it.
    With `response_ids`, of those responses only.

    Raises labeling.campaigns.services.UnableToCreateCampaign.
    """
    prompts = visible(Prompt.objects.filter(pk__in=prompt_ids)).order_by("pk")
    with transaction.atomic():
        campaign = campaigns_services.create_campaign(
            name=name,
            pool=pool,
            guideline=guideline,
            prompts=prompts,
            source_ids=source_ids,
            response_ids=response_ids,
            settings=ComparisonSettings(n_responses=n_responses, overlap=overlap),
            by=by,
            now=now,
        )
        campaigns_services.open_campaign(campaign=campaign, by=by, now=now)
    return campaign


def hold_items(*, item_ids: Collection[int], now: datetime) -> None:
    """Keep these items of a new campaign from raters until they are released."""
    items.keep_for_later(item_ids=item_ids, now=now)


def ask_first(*, item_ids: Sequence[int], now: datetime) -> None:
    """Raters get these items before the others, once each."""
    items.ask_first(item_ids=item_ids, now=now)


def held_items(*, item_ids: Collection[int]) -> list[int]:
    """Those of these items that raters would get if they were released: not those that are held for
    an admin, nor those whose prompt was retired or whose author has withdrawn.
    """
    held = Item.objects.filter(~in_question(), pk__in=item_ids, held_at__isnull=False)
    prompts = visible(Prompt.objects.filter(retired_at=None, items__in=held))
    return list(held.filter(prompt__in=prompts).order_by("pk").values_list("pk", flat=True))


def in_question() -> Exists:
    """Of an item: it is held until an admin has decided."""
    held_by = Case.objects.filter(queue__in=cases_services.HOLDING, settled_at=None)
    return Exists(held_by.filter(item=OuterRef("pk")))


def spare_only(*, campaign: Campaign, item_ids: Collection[int], now: datetime) -> None:
    """Raters are spared these items of the campaign, and get all others that they were spared."""
    spared = Item.objects.filter(campaign=campaign, spared_at__isnull=False)
    others = set(spared.values_list("pk", flat=True)).difference(item_ids)
    with transaction.atomic():
        back = items.end_spare(campaign=campaign, item_ids=others, now=now)
        items.spare(item_ids=item_ids, now=now)
        if campaign.max_overlap is not None:
            # They got no more slots for the answers of raters who held them.
            answered = Slot.objects.filter(item__in=back, state=Slot.State.SUBMITTED)
            for item_id in sorted(set(answered.values_list("item", flat=True))):
                after_judgment.adjust_slots(item_id=item_id, campaign=campaign, now=now)


def release_items(*, item_ids: Collection[int], now: datetime) -> int:
    """Hand out the held ones of these items; returns how many."""
    with transaction.atomic():
        released = held_items(item_ids=item_ids)
        items.no_longer_for_later(item_ids=item_ids)
        items.end_hold(item_ids=released, now=now)
    return len(released)


def guideline_with_question(
    *, name: str, text: str, question: rating_form.Scale, by: User, now: datetime
) -> Guideline:
    """The guideline of this name, which admins may have changed since; otherwise a new one."""
    guideline = Guideline.objects.filter(name=name).first()
    return guideline or guidelines_services.create_guideline(
        name=name, text=text, form=rating_form.RatingForm((question,)), by=by, now=now
    )


def _as_response(row: NewResponse, *, source: Source, now: datetime) -> Response:
    return Response(
        prompt_id=row.prompt_id,
        source=source,
        text=row.text,
        number=row.number,
        sampling=row.sampling,
        is_ended=row.is_ended,
        reasoning_content=row.reasoning_content,
        tool_calls=list(row.tool_calls),
        created_at=now,
    )


def _batches(rows: Iterable[NewResponse]) -> Iterator[list[NewResponse]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
