"""What blocks a campaign's progress: lapsed leases, held items, and items that no rater can get."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from labeling.models import Campaign, Item, ItemResponse, Pass, Rater, SetAside, Slot
from labeling.queue import admission
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
    n_raters: int
    """active raters in the pool: not paused, not withdrawn, with a login"""
    n_raters_short: int
    """how many raters the pool lacks to reach the overlap"""

    @property
    def n(self) -> int:
        return self.n_lapsed + self.n_held + self.n_nobody + self.n_unfit


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
        n_raters=len(raters),
        n_raters_short=max(0, campaign.overlap - len(raters)),
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
    found: dict[int, set[int]] = defaultdict(set)
    for item, rater in met(item_ids=items, rater_ids=[rater.pk for rater in raters]):
        found[item].add(rater)
    return found


def _by_item(rows: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for item, one in rows:
        found[item].add(one)
    return found
