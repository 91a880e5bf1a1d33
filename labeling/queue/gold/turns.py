"""Decides when a rater's claim gets a gold, and which one."""

import random
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from labeling.models import (
    Campaign,
    Case,
    Gold,
    GoldAnswer,
    GoldItem,
    Item,
    QueuePlace,
    Rater,
    Slot,
)
from labeling.queue.cases import services as cases_services
from labeling.queue.claiming import routing, work_left


def take(*, campaign: Campaign, rater: Rater, fit: routing.Fit, now: datetime) -> Slot | None:
    """Lease a gold to the rater, if it is time for one and there is one that they have not met.

    Runs inside the claim's transaction. A rater with no ordinary work left gets no gold.
    """
    place = QueuePlace.objects.filter(campaign=campaign, rater=rater).first()
    if place is None or not is_gold_turn(
        seed=place.seed, n=place.n_claims, share=campaign.gold_share
    ):
        return None
    candidates = _unmet(campaign=campaign, rater=rater, fit=fit)
    if not candidates or not work_left.has_work(campaign=campaign, rater=rater, fit=fit, now=now):
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
    slot.lease_to(campaign=campaign, rater=rater, seed=place.seed, now=now)
    slot.save(force_insert=True)
    return slot


def is_gold_turn(*, seed: int, n: int, share: int) -> bool:
    """Whether a rater's claim number `n` (from 0) gets a gold, for a gold share in percent (at most
    50).

    Each block of 100 / share claims has exactly one, at a position drawn from the rater's seed, so
    that nobody can predict it. The very first claim never gets a gold.
    """
    if share <= 0:
        return False
    block = n * share // 100
    while (block + 1) * 100 // share <= n:
        block += 1
    start, end = block * 100 // share, (block + 1) * 100 // share
    place = random.Random(f"{seed}:gold:{block}").randrange(max(start, 1), end)  # noqa: S311  # an order, not a secret
    return n == place


def _unmet(*, campaign: Campaign, rater: Rater, fit: routing.Fit) -> Sequence[int]:
    """Items of usable golds that match this rater and that they have not met: not here, not in
    another campaign, and not as the item the gold was made from.
    """
    uses = _showable(GoldItem.objects.filter(campaign=campaign)).filter(
        fit.claim_test.of("item"), fit.not_met.of("gold__made_from")
    )
    uses = uses.exclude(Exists(GoldAnswer.objects.filter(gold=OuterRef("gold"), rater=rater)))
    return list(uses.order_by("item_id").values_list("item_id", flat=True))


def _showable(uses: QuerySet[GoldItem]) -> QuerySet[GoldItem]:
    """Golds that are not retired or held, and whose prompt has no open case in any item. The
    prompts of imported golds are retired from the start, so that nothing else uses them.
    """
    in_question = Case.objects.filter(
        item__prompt=OuterRef("item__prompt"), queue__in=cases_services.HOLDING, settled_at=None
    )
    in_use = Q(gold__origin=Gold.Origin.IMPORT) | Q(item__prompt__retired_at=None)
    return uses.filter(in_use, gold__retired_at=None, item__held_at=None).exclude(
        Exists(in_question)
    )
