"""Creates, retires and restores golds, and sets how a campaign uses them.

labeling.queue.gold.turns decides who gets a gold, and labeling.queue.gold.scores what follows from
the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from arithmetic.agreement import orders
from jobs import guard
from labeling.access import withdrawn_prompt_ids, withdrawn_prompts
from labeling.importers import drafts as importers_drafts
from labeling.importers import golds as importers_golds
from labeling.importers import readers
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Campaign,
    Gold,
    GoldItem,
    GoldRank,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    QualityReport,
    Response,
    Slot,
    Source,
)
from labeling.queue import items
from labeling.queue.gold import selectors
from labeling.splits import near_duplicates
from labeling.votes import counting

MOST_LINES = 2_000
SETTINGS = (
    *(name for name in ComparisonSettings.names() if name.startswith("gold_")),
    "review_share",
)
"""Campaign fields that say how its golds are used; they may change at any time."""


class UnableToMakeGold(Refusal):
    """Raised for an order that cannot score anybody, or that belongs to another kind of item; the
    text says why.
    """


@dataclass(frozen=True)
class GoldsImported:
    n: int
    problems: list[importers_drafts.ImportProblem]


# --- making golds ---------------------------------------------------------------------------------


def make_gold(
    *,
    item: Item,
    ranks: Mapping[int, int | None],
    origin: str,
    note: str = "",
    by: User | None,
    now: datetime,
) -> Gold:
    """Turn the order `ranks` (response id → rank) of `item` into a gold of its campaign. The item
    itself takes no more judgments.

    Returns the item's gold if it has one with this order already; a gold with another order is
    replaced. Raises UnableToMakeGold.
    """
    if hasattr(item, "gold_use"):
        raise UnableToMakeGold(_("This item is already a gold item."))
    shows_withdrawn = item.responses.filter(counting.by_withdrawn())
    if shows_withdrawn.exists() or withdrawn_prompts().filter(pk=item.prompt_id).exists():
        raise UnableToMakeGold(_("This item shows a text by somebody who has withdrawn."))
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=item.campaign_id)
        held = Gold.objects.filter(made_from=item, retired_at=None).first()
        if held is not None and dict(held.ranks.values_list("response_id", "rank")) == dict(ranks):
            return held
        if held is not None:
            retire_gold(gold=held, by=by, now=now)
        gold = _make(
            campaign=campaign,
            prompt=item.prompt,
            ranks=ranks,
            origin=origin,
            made_from=item,
            note=note,
            by=by,
            now=now,
        )
        items.free_slots(Slot.objects.filter(item=item)).delete()
    return gold


def make_gold_of_answer(
    *, judgment: Judgment, note: str = "", by: User | None, now: datetime
) -> Gold:
    """Turn an expert's ranking into a gold. Raises UnableToMakeGold."""
    if judgment.item is None or judgment.kind != Judgment.Kind.COMPARISON:
        raise UnableToMakeGold(_("Only a ranking of a campaign item can become a gold item."))
    if not counting.does_count(judgment, with_extra=True):
        raise UnableToMakeGold(_("This answer doesn't count, so it can't become a gold item."))
    ranks = dict(judgment.comparison.ranked.values_list("response_id", "rank"))
    return make_gold(
        item=judgment.item, ranks=ranks, origin=Gold.Origin.EXPERT, note=note, by=by, now=now
    )


def import_golds(
    *, campaign: Campaign, file: BinaryIO, file_name: str, by: User | None, now: datetime
) -> GoldsImported:
    """Import golds from JSON lines with `prompt`, `responses`, `ranks` and optionally `tools` and
    `note`.
    Imports all of them, or none if there are problems.

    Their prompts are used for nothing else.
    """
    try:
        with process.on_disk(file) as path:
            entries = process.value(
                readers.gold_drafts,
                limits.of_page(),
                path=path,
                n_responses=campaign.n_responses or 0,
                most=MOST_LINES,
            )
    except UnableToRead as refusal:
        return GoldsImported(0, [importers_drafts.ImportProblem(0, refusal.sentence)])
    problems = [entry for entry in entries if isinstance(entry, importers_drafts.ImportProblem)]
    drafts = [entry for entry in entries if isinstance(entry, importers_golds.GoldDraft)]
    if problems or not drafts:
        return GoldsImported(
            0,
            problems or [importers_drafts.ImportProblem(0, _("The file contains no gold items."))],
        )
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        source, _is_new = Source.objects.get_or_create(
            name="imported golds", defaults={"kind": Source.Kind.IMPORT, "created_at": now}
        )
        for draft in drafts:
            _store_draft(
                campaign=locked, draft=draft, source=source, file_name=file_name, by=by, now=now
            )
        audit_log.record(
            by, "import_golds", campaign, after={"file": file_name, "n_golds": len(drafts)}, now=now
        )
    return GoldsImported(len(drafts), [])


def use_other_golds(*, campaign: Campaign, by: User | None, now: datetime) -> int:
    """Use every gold of other campaigns with the same number of responses in this campaign too.
    Returns how many were added.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        others = Gold.objects.filter(retired_at=None, n_responses=locked.n_responses or 0).exclude(
            uses__campaign=locked
        )
        withdrawn = GoldRank.objects.filter(counting.by_withdrawn("response__"))
        others = others.exclude(pk__in=withdrawn.values("gold"))
        others = others.exclude(prompt__in=withdrawn_prompt_ids())
        golds = list(others.order_by("pk"))
        for gold in golds:
            _use(gold=gold, campaign=locked, now=now)
        if golds:
            audit_log.record(
                by, "use_golds", campaign, after={"golds": [gold.pk for gold in golds]}, now=now
            )
    return len(golds)


def retire_gold(*, gold: Gold, by: User | None, now: datetime) -> bool:
    """Stop using the gold. Its answers no longer count, because a wrong order must not affect
    raters. The item it was made from takes judgments again.
    """
    with transaction.atomic():
        is_done = guard.update_one(Gold.objects.filter(pk=gold.pk, retired_at=None), retired_at=now)
        if is_done:
            item = gold.made_from
            if item is not None and item.held_at is None:
                items.fill_slots(item=item, campaign=item.campaign, now=now)
            audit_log.record(by, "retire", gold, after={"retired_at": now.isoformat()}, now=now)
            _outdate_reports(gold)
    return is_done


def bring_back_gold(*, gold: Gold, by: User | None, now: datetime) -> bool:
    """Use a retired gold again; its item takes no more judgments. False when it is in use already,
    or when another gold was made from its item since.

    Raises UnableToMakeGold if it is the answer of an expert who has withdrawn.
    """
    if selectors.withdrawn_golds(golds=[gold]):
        raise UnableToMakeGold(
            _(
                "This gold item was the answer of an expert who has withdrawn. Adjudicate the item,"
                " and promote that order."
            )
        )
    with transaction.atomic():
        rivals = (
            Gold.objects.filter(retired_at=None, made_from=gold.made_from_id)
            if gold.made_from_id
            else Gold.objects.none()
        )
        if rivals.exists():
            return False
        is_done = guard.update_one(
            Gold.objects.filter(pk=gold.pk).exclude(retired_at=None), retired_at=None
        )
        if is_done:
            items.free_slots(Slot.objects.filter(item=gold.made_from_id, is_gold=False)).delete()
            audit_log.record(by, "bring_back", gold, after={"retired_at": None}, now=now)
            _outdate_reports(gold)
    return is_done


def set_golds(
    *, campaign: Campaign, values: Mapping[str, object], by: User | None, now: datetime
) -> None:
    """Change how golds are used in the campaign: any of SETTINGS."""
    new_values = {name: value for name, value in values.items() if name in SETTINGS}
    with transaction.atomic():
        stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
        changed = {
            name: value for name, value in new_values.items() if getattr(stored, name) != value
        }
        if changed:
            before = {name: getattr(stored, name) for name in changed}
            Campaign.objects.filter(pk=campaign.pk).update(**changed)
            audit_log.record(by, "change", campaign, before=before, after=changed, now=now)
    campaign.refresh_from_db(fields=list(SETTINGS))


def _outdate_reports(gold: Gold) -> None:
    """Outdate reports, because agreement with golds changes without any new judgment."""
    QualityReport.objects.filter(campaign__in=gold.uses.values("campaign")).update(is_outdated=True)


def _make(
    *,
    campaign: Campaign,
    prompt: Prompt,
    ranks: Mapping[int, int | None],
    origin: str,
    made_from: Item | None,
    note: str,
    by: User | None,
    now: datetime,
) -> Gold:
    if orders.n_decided(ranks) == 0:
        raise UnableToMakeGold(
            _(
                "A gold item needs two responses of which one is better. This ranking ties all of"
                " them or leaves them unranked."
            )
        )
    gold = Gold.objects.create(
        prompt=prompt,
        origin=origin,
        made_from=made_from,
        note=note,
        n_responses=len(ranks),
        created_by=by,
        created_at=now,
    )
    GoldRank.objects.bulk_create(
        GoldRank(gold=gold, response_id=response, rank=rank) for response, rank in ranks.items()
    )
    _use(gold=gold, campaign=campaign, now=now)
    if made_from is not None:
        after = {"campaign": campaign.name, "origin": str(origin), "item": made_from.pk}
        audit_log.record(by, "create", gold, after=after, now=now)
    return gold


def _use(*, gold: Gold, campaign: Campaign, now: datetime) -> None:
    """Add an item for the gold to the campaign, after all others. The caller has locked the
    campaign.
    """
    last = campaign.items.aggregate(last=Max("position"))["last"]
    item = Item.objects.create(
        campaign=campaign,
        prompt_id=gold.prompt_id,
        position=0 if last is None else last + 1,
        created_at=now,
    )
    ItemResponse.objects.bulk_create(
        ItemResponse(item=item, response_id=response)
        for response in gold.ranks.values_list("response_id", flat=True)
    )
    GoldItem.objects.create(gold=gold, campaign=campaign, item=item)


def _store_draft(
    *,
    campaign: Campaign,
    draft: importers_golds.GoldDraft,
    source: Source,
    file_name: str,
    by: User | None,
    now: datetime,
) -> None:
    messages = list(draft.messages)
    prompt = Prompt.objects.create(
        messages=messages,
        tools=list(draft.tools),
        messages_sha256=near_duplicates.fingerprint(messages, draft.tools),
        source=source,
        origin=f"gold: {file_name}, line {draft.line}"[:255],
        created_at=now,
        retired_at=now,
    )
    responses = [
        Response.objects.create(
            prompt=prompt, source=source, **reply.columns, number=number, created_at=now
        )
        for number, reply in enumerate(draft.replies)
    ]
    ranks = {
        response.pk: reply.rank for response, reply in zip(responses, draft.replies, strict=True)
    }
    _make(
        campaign=campaign,
        prompt=prompt,
        ranks=ranks,
        origin=Gold.Origin.IMPORT,
        made_from=None,
        note=draft.note,
        by=by,
        now=now,
    )
