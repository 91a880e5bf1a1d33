"""Golds: made, mixed in among a rater's items, scored when answered; a warning, a pause and a
return are what follows.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit, notices
from accounts.models import Notice, User
from accounts.refusals import Refusal
from labeling import agreement, curation, importers, queue, routing
from labeling.figures import wilson
from labeling.models import (
    Campaign,
    Case,
    Gold,
    GoldAnswer,
    GoldItem,
    GoldRank,
    Item,
    ItemResponse,
    Judgment,
    Pass,
    Prompt,
    QualityReport,
    QueuePlace,
    Rater,
    RaterStanding,
    Response,
    ReviewRequest,
    Slot,
    Source,
)
from labeling.services import cases, items

RECENT = 30
"""Judgments of a paused rater that go to review, the latest ones."""
MOST_LINES = 2_000
SETTINGS = (
    "gold_share",
    "gold_tolerance",
    "gold_min",
    "gold_warn_below",
    "gold_pause_below",
    "gold_feedback",
    "review_share",
)
"""Fields of a campaign that say how its golds are used; they may change at any time."""


class UnableToMakeGold(Refusal):
    """An order that can score nobody, or in the wrong place; the text says why."""


@dataclass(frozen=True)
class GoldsImported:
    n: int
    problems: list[importers.Problem]


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
    """The order `ranks` (response id → rank) of `item` as a gold of its campaign; the item itself
    takes no more judgments.

    The order that is the item's gold already is left alone, and another one takes its place. Raises
    UnableToMakeGold.
    """
    if hasattr(item, "gold_use"):
        raise UnableToMakeGold(_("This item is a gold itself."))
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
    """An expert's ranking as a gold. Raises UnableToMakeGold."""
    if judgment.item is None or judgment.kind != Judgment.Kind.COMPARISON:
        raise UnableToMakeGold(_("Only a ranking of a campaign's item can become a gold."))
    ranks = dict(judgment.comparison.ranked.values_list("response_id", "rank"))
    return make_gold(
        item=judgment.item, ranks=ranks, origin=Gold.Origin.EXPERT, note=note, by=by, now=now
    )


def import_golds(
    *, campaign: Campaign, file: BinaryIO, file_name: str, by: User | None, now: datetime
) -> GoldsImported:
    """Golds from JSON lines with `prompt`, `responses` and `ranks` (and perhaps a `note`); all of
    them, or none and the problems.

    Their prompts are used for nothing else.
    """
    found = list(importers.read_golds(file, n_responses=campaign.n_responses or 0, most=MOST_LINES))
    problems = [entry for entry in found if isinstance(entry, importers.Problem)]
    drafts = [entry for entry in found if isinstance(entry, importers.GoldDraft)]
    if problems or not drafts:
        return GoldsImported(
            0, problems or [importers.Problem(0, _("The file has no gold in it."))]
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
        audit.record(
            by=by,
            action="import_golds",
            target=campaign,
            after={"file": file_name, "n_golds": len(drafts)},
            now=now,
        )
    return GoldsImported(len(drafts), [])


def use_other_golds(*, campaign: Campaign, by: User | None, now: datetime) -> int:
    """Every gold of other campaigns that compares as many responses, in this one too; how many
    came.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        others = Gold.objects.filter(retired_at=None, n_responses=locked.n_responses or 0).exclude(
            uses__campaign=locked
        )
        golds = list(others.order_by("pk"))
        for gold in golds:
            _use(gold=gold, campaign=locked, now=now)
        if golds:
            audit.record(
                by=by,
                action="use_golds",
                target=campaign,
                after={"golds": [gold.pk for gold in golds]},
                now=now,
            )
    return len(golds)


def retire_gold(*, gold: Gold, by: User | None, now: datetime) -> bool:
    """Give it to nobody any more; its answers count no more, so that nobody is judged by an order
    that was wrong.
    """
    with transaction.atomic():
        is_done = Gold.objects.filter(pk=gold.pk, retired_at=None).update(retired_at=now) == 1
        if is_done:
            audit.record(
                by=by, action="retire", target=gold, after={"retired_at": now.isoformat()}, now=now
            )
            _outdate_reports(gold)
    return is_done


def bring_back_gold(*, gold: Gold, by: User | None, now: datetime) -> bool:
    """False when it is in use, or when another gold was made of its item since. Its item takes no
    more judgments again.
    """
    with transaction.atomic():
        rivals = (
            Gold.objects.filter(retired_at=None, made_from=gold.made_from_id)
            if gold.made_from_id
            else Gold.objects.none()
        )
        if rivals.exists():
            return False
        is_done = (
            Gold.objects.filter(pk=gold.pk).exclude(retired_at=None).update(retired_at=None) == 1
        )
        if is_done:
            items.free_slots(Slot.objects.filter(item=gold.made_from_id, is_gold=False)).delete()
            audit.record(
                by=by, action="bring_back", target=gold, after={"retired_at": None}, now=now
            )
            _outdate_reports(gold)
    return is_done


def set_golds(
    *, campaign: Campaign, values: Mapping[str, Any], by: User | None, now: datetime
) -> None:
    """Change how golds are used in the campaign: any of SETTINGS."""
    wanted = {name: value for name, value in values.items() if name in SETTINGS}
    with transaction.atomic():
        stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
        changed = {name: value for name, value in wanted.items() if getattr(stored, name) != value}
        if changed:
            before = {name: getattr(stored, name) for name in changed}
            Campaign.objects.filter(pk=campaign.pk).update(**changed)
            audit.record(
                by=by, action="change", target=campaign, before=before, after=changed, now=now
            )
    campaign.refresh_from_db(fields=list(SETTINGS))


def _outdate_reports(gold: Gold) -> None:
    """Agreement with golds is another now, although no judgment is new."""
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
    if agreement.n_decided(ranks) == 0:
        raise UnableToMakeGold(
            _(
                "A gold needs two responses of which one is better. This order ties or leaves open"
                " all of them."
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
        audit.record(by=by, action="create", target=gold, after=after, now=now)
    return gold


def _use(*, gold: Gold, campaign: Campaign, now: datetime) -> None:
    """An item for the gold in the campaign, behind all others; the campaign is locked."""
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
    draft: importers.GoldDraft,
    source: Source,
    file_name: str,
    by: User | None,
    now: datetime,
) -> None:
    messages = list(draft.messages)
    prompt = Prompt.objects.create(
        messages=messages,
        messages_sha256=curation.fingerprint(messages),
        source=source,
        origin=f"gold: {file_name}, line {draft.line}"[:255],
        created_at=now,
        retired_at=now,
    )
    responses = [
        Response.objects.create(
            prompt=prompt, source=source, text=text, number=number, created_at=now
        )
        for number, text in enumerate(draft.responses)
    ]
    ranks = {response.pk: rank for response, rank in zip(responses, draft.ranks, strict=True)}
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


# --- handing them out -----------------------------------------------------------------------------


def take(*, campaign: Campaign, rater: Rater, suits: routing.Fit, now: datetime) -> Slot | None:
    """A gold leased to the rater, if it is a gold's turn and there is one for them that they have
    not met; None otherwise.

    Runs inside the claim's transaction. Somebody for whom no ordinary work is left is given no gold
    either.
    """
    place = QueuePlace.objects.filter(campaign=campaign, rater=rater).first()
    if place is None or not queue.is_gold_turn(
        seed=place.seed, n=place.n_claims, share=campaign.gold_share
    ):
        return None
    candidates = _unmet(campaign=campaign, rater=rater, suits=suits)
    if not candidates or not queue.has_work(campaign=campaign, rater=rater, now=now):
        return None
    chosen = random.Random(f"{place.seed}:{place.n_claims}").choice(candidates)  # noqa: S311  # an order, not a secret
    item = Item.objects.select_for_update(of=("self",)).get(pk=chosen)
    last = item.slots.aggregate(last=Max("number"))["last"]
    slot = Slot(
        item=item,
        number=0 if last is None else last + 1,
        queue_rank=0,
        is_gold=True,
        campaign=campaign,
    )
    queue.fill_lease(slot=slot, campaign=campaign, rater=rater, seed=place.seed, now=now)
    slot.save(force_insert=True)
    return slot


def _unmet(*, campaign: Campaign, rater: Rater, suits: routing.Fit) -> Sequence[int]:
    """Items of golds that may be shown, that suit this rater, and that they have met neither here,
    nor in another campaign, nor as the item they were made from.
    """
    uses = _showable(GoldItem.objects.filter(campaign=campaign)).filter(suits.condition)
    uses = uses.exclude(Exists(GoldAnswer.objects.filter(gold=OuterRef("gold"), rater=rater)))
    for table in (Slot, Pass, Judgment):
        uses = uses.exclude(Exists(table.objects.filter(item=OuterRef("item"), rater=rater)))
        uses = uses.exclude(
            Exists(table.objects.filter(item=OuterRef("gold__made_from"), rater=rater))
        )
    return list(uses.order_by("item_id").values_list("item_id", flat=True))


def _showable(uses: QuerySet[GoldItem]) -> QuerySet[GoldItem]:
    """Without what is retired or held, and without prompts that wait in a queue that holds, be it
    as another item: a gold's prompt is shown in several places. The prompt of an imported gold was
    retired from the start, so that it is used for nothing else.
    """
    in_question = Case.objects.filter(
        item__prompt=OuterRef("item__prompt"), queue__in=cases.HOLDING, settled_at=None
    )
    in_use = Q(gold__origin=Gold.Origin.IMPORT) | Q(item__prompt__retired_at=None)
    return uses.filter(in_use, gold__retired_at=None, item__held_at=None).exclude(
        Exists(in_question)
    )


# --- scoring --------------------------------------------------------------------------------------


def note_answer(
    *, judgment: Judgment, ranks: Mapping[int, int | None], now: datetime
) -> GoldAnswer | None:
    """Score a first answer (response id → rank) to a gold, and draw the consequences. None when
    they answered it before.

    Runs inside the transaction that stores the judgment.
    """
    assert judgment.campaign is not None
    gold = Gold.objects.get(uses__item=judgment.item_id)
    found = agreement.match(dict(gold.ranks.values_list("response_id", "rank")), ranks)
    answer, is_new = GoldAnswer.objects.get_or_create(
        gold=gold,
        rater=judgment.rater,
        defaults={
            "campaign": judgment.campaign,
            "judgment": judgment,
            "agreed": found.agreed,
            "n_pairs": found.n,
            "has_passed": found.reaches(judgment.campaign.gold_tolerance),
            "at": now,
        },
    )
    if not is_new:
        return None
    _follow_up(campaign=judgment.campaign, rater=judgment.rater, now=now)
    return answer


def pause_rater(*, campaign: Campaign, rater: Rater, by: User | None, now: datetime) -> bool:
    """Give the rater nothing more in this campaign, and send their recent work in it to review.
    False when paused already.

    What they hold can still be submitted.
    """
    with transaction.atomic():
        standing, _is_new = RaterStanding.objects.get_or_create(campaign=campaign, rater=rater)
        if RaterStanding.objects.filter(pk=standing.pk, paused_at=None).update(paused_at=now) != 1:
            return False
        recent = Judgment.objects.filter(
            campaign=campaign, rater=rater, is_gold=False, review__isnull=True
        )
        requests = [
            ReviewRequest(judgment=judgment, at=now)
            for judgment in recent.order_by("-submitted_at", "-pk")[:RECENT]
        ]
        ReviewRequest.objects.bulk_create(requests, ignore_conflicts=True)
        after = {"campaign": campaign.name, "n_to_review": len(requests)}
        items.level(campaign=campaign, now=now)
        audit.record(by=by, action="pause", target=rater, after=after, now=now)
        _tell_of_pause(campaign=campaign, rater=rater, now=now)
    return True


def resume_rater(*, campaign: Campaign, rater: Rater, by: User | None, now: datetime) -> bool:
    """Let the rater work in the campaign again, with a clean slate: golds answered before pause
    nobody again.
    """
    with transaction.atomic():
        paused = RaterStanding.objects.filter(
            campaign=campaign, rater=rater, paused_at__isnull=False
        )
        if paused.update(paused_at=None, warned_at=None, resumed_at=now) != 1:
            return False
        items.level(campaign=campaign, now=now)
        audit.record(
            by=by, action="resume", target=rater, after={"campaign": campaign.name}, now=now
        )
        words = gettext_lazy("You can work in “%(name)s” again.")
        _tell(
            rater,
            key=f"resumed:{campaign.pk}:{now.isoformat()}",
            kind=Notice.Kind.FEEDBACK,
            words=words,
            campaign=campaign,
            now=now,
        )
    return True


def _follow_up(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    standing = RaterStanding.objects.filter(campaign=campaign, rater=rater).first()
    answers = GoldAnswer.objects.filter(campaign=campaign, rater=rater, gold__retired_at=None)
    if standing is not None and standing.resumed_at is not None:
        answers = answers.filter(at__gt=standing.resumed_at)
    passed = list(answers.values_list("has_passed", flat=True))
    if len(passed) < campaign.gold_min:
        return
    score = wilson(sum(passed), len(passed))
    assert score.value is not None
    assert score.high is not None  # both by len(passed) > 0
    if 100 * score.high < campaign.gold_pause_below:
        pause_rater(campaign=campaign, rater=rater, by=None, now=now)
    elif 100 * score.value < campaign.gold_warn_below and (
        standing is None or standing.warned_at is None
    ):
        _warn(campaign=campaign, rater=rater, now=now)


def _warn(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    RaterStanding.objects.update_or_create(
        campaign=campaign, rater=rater, defaults={"warned_at": now}
    )
    audit.record(by=None, action="warn", target=rater, after={"campaign": campaign.name}, now=now)
    words = gettext_lazy(
        "Your answers in “%(name)s” often differ from what was agreed on. Read the guideline once"
        " more, and ask when unsure."
    )
    _tell(
        rater,
        key=f"warned:{campaign.pk}:{now.isoformat()}",
        kind=Notice.Kind.WARNING,
        words=words,
        campaign=campaign,
        now=now,
    )


def _tell_of_pause(*, campaign: Campaign, rater: Rater, now: datetime) -> None:
    key = f"paused:{campaign.pk}:{rater.pk}:{now.isoformat()}"
    words = gettext_lazy(
        "You are paused in “%(name)s”: an admin looks at your recent answers first. What you did so"
        " far counts as work."
    )
    _tell(rater, key=key, kind=Notice.Kind.PAUSED, words=words, campaign=campaign, now=now)
    notices.tell(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=key,
        kind=Notice.Kind.PAUSED,
        words=lambda: (
            _("%(alias)s is paused in “%(name)s”. Recent judgments wait for review.")
            % {
                "alias": rater.alias,
                "name": campaign.name,
            }
        ),
        path=reverse("campaign_gold", args=[campaign.pk]),
        now=now,
    )


def _tell(
    rater: Rater, *, key: str, kind: Notice.Kind, words: Promise, campaign: Campaign, now: datetime
) -> None:
    if rater.user is not None:
        people = [rater.user]
        path = reverse("my_work")
        notices.tell(
            people=people,
            key=key,
            kind=kind,
            words=lambda: str(words) % {"name": campaign.name},
            path=path,
            now=now,
        )
