"""What blocks a campaign's progress: lapsed leases, held items, items that no rater can get, and a
pool in which nobody can work.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from labeling.models import (
    Campaign,
    CrowdLink,
    Invitation,
    Item,
    ItemResponse,
    Pass,
    PoolMembership,
    Rater,
    SetAside,
    Slot,
)
from labeling.queue import admission, onboarding_left
from labeling.queue.claiming import routing
from labeling.queue.claiming.item_tests import met

N_EXAMINED = 1_000
"""The number of free slots examined from the head of the queue, where slots that nobody takes
remain.
"""


@dataclass(frozen=True)
class Stuck:
    """Counts of what makes no progress by itself."""

    n_lapsed: int
    """items whose rater has gone away; the next rater without other work gets them"""
    n_held: int
    """items that wait for an admin's decision"""
    n_nobody: int
    """slots that nobody in the pool can fill: all matching raters have skipped or judged the
    item
    """
    n_unfit: int
    """slots of items that match nobody in the pool, because of their content, language or field"""

    @property
    def n(self) -> int:
        return self.n_lapsed + self.n_held + self.n_nobody + self.n_unfit


@dataclass(frozen=True)
class Understaffed:
    """Why nobody can work on a campaign, or why an item cannot get all its answers."""

    n_members: int
    """raters in the pool, paused ones included"""
    n_at_work: int
    """those who are active: see admission.raters_at_work"""
    n_ready: int
    """those of them who have finished onboarding"""
    n_invited: int
    """invitations that were not accepted yet"""
    is_pool_paused: bool

    @property
    def is_nobody(self) -> bool:
        return self.is_pool_paused or not self.n_ready


def understaffed(*, campaign: Campaign, now: datetime) -> Understaffed | None:
    """None if enough raters for the campaign's overlap can work, or anybody can come through a
    crowd link. One query if so.
    """
    steps = onboarding_left.steps_left(rater=OuterRef("pk"), pool=campaign.pool_id)
    counts = (
        admission.raters_at_work(campaign=campaign)
        .annotate(is_onboarding=Exists(steps))
        .aggregate(n=Count("pk"), n_ready=Count("pk", filter=Q(is_onboarding=False)))
    )
    is_enough = counts["n_ready"] >= campaign.overlap and campaign.pool.paused_at is None
    if is_enough or CrowdLink.objects.filter(campaign=campaign, is_open=True).exists():
        return None
    invited = Invitation.objects.filter(
        pool=campaign.pool_id, accepted_at=None, revoked_at=None, expires_at__gt=now
    )
    members = PoolMembership.objects.filter(pool=campaign.pool_id, is_active=True)
    return Understaffed(
        n_members=members.count(),
        n_at_work=counts["n"],
        n_ready=counts["n_ready"],
        n_invited=invited.count(),
        is_pool_paused=campaign.pool.paused_at is not None,
    )


def stuck(*, campaign: Campaign, now: datetime) -> Stuck:
    """Examines N_EXAMINED slots, and those of items that were skipped or lost a judgment."""
    raters = list(admission.raters_at_work(campaign=campaign))
    slots = Slot.objects.filter(campaign=campaign, is_gold=False)
    n_nobody, n_unfit = _without_takers(campaign, raters)
    held = Item.objects.filter(
        campaign=campaign, held_at__isnull=False, cases__settled_at=None, cases__isnull=False
    )
    return Stuck(
        n_lapsed=slots.filter(state=Slot.State.LEASED, expires_at__lte=now).count(),
        n_held=held.distinct().count(),
        n_nobody=n_nobody,
        n_unfit=n_unfit,
    )


def _without_takers(campaign: Campaign, raters: list[Rater]) -> tuple[int, int]:
    """(slots of items that every matching rater has met, slots of items that match nobody)."""
    if not raters:
        return 0, 0
    free = Slot.objects.filter(
        campaign=campaign,
        state=Slot.State.FREE,
        reserved_for=None,
        is_gold=False,
        item__held_at=None,
    )
    set_asides = SetAside.objects.filter(judgment__item=OuterRef("item"))
    passes = Pass.objects.filter(item=OuterRef("item"))
    fields = (
        "item_id",
        "item__prompt__language",
        "item__prompt__category",
        "item__prompt__sensitive",
        "item__prompt__source_id",
    )
    examined = [
        *free.order_by("queue_rank").values_list("pk", *fields)[:N_EXAMINED],
        *free.filter(Exists(set_asides) | Exists(passes)).values_list("pk", *fields),
    ]
    slots = {pk: rest for pk, *rest in examined}
    fits = routing.fits(pool=campaign.pool, raters=raters)
    items = {row[0] for row in slots.values()}
    met_by = _met(items, raters)
    shown = ItemResponse.objects.filter(item__in=items)
    is_source = any(fit.own_sources for fit in fits.values())
    sources = _by_item(shown.values_list("item_id", "response__source_id")) if is_source else {}
    written = shown.filter(response__author__isnull=False)  # few, and indexed
    authors = _by_item(written.values_list("item_id", "response__author_id"))
    n_nobody = n_unfit = 0
    for item, language, category, sensitive, source in slots.values():
        facts = routing.ItemFacts(
            language=language,
            category=category,
            sensitive=sensitive,
            sources={source} | sources.get(item, set()),
            authors=authors.get(item, set()),
        )
        fit = {rater for rater, fit in fits.items() if fit.takes(facts)}
        if not fit:
            n_unfit += 1
        elif not fit - met_by[item]:
            n_nobody += 1
    return n_nobody, n_unfit


def _met(items: set[int], raters: list[Rater]) -> dict[int, set[int]]:
    """item → raters who hold it, skipped it or judged it"""
    raters_of: dict[int, set[int]] = defaultdict(set)
    for item, rater in met(item_ids=items, rater_ids=[rater.pk for rater in raters]):
        raters_of[item].add(rater)
    return raters_of


def _by_item(rows: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    raters_of: dict[int, set[int]] = defaultdict(set)
    for item, rater in rows:
        raters_of[item].add(rater)
    return raters_of
