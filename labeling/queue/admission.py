"""Decides whether a rater may get a new item now, and if not, why. Used by claims and by the
desk.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import BigAutoField, Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from arithmetic import days
from config.performance.compiled import Compiled, fetch
from labeling.models import (
    Campaign,
    CrowdVisit,
    Judgment,
    Pool,
    PoolMembership,
    Rater,
    RaterStanding,
    Response,
    Slot,
    Source,
)
from labeling.queue import onboarding_left

_STEPS_LEFT = Exists(
    onboarding_left.steps_left(rater=OuterRef(OuterRef("rater")), pool=OuterRef("pool"))
)
_MEMBERSHIP = Compiled(
    lambda rater, pool, campaign, user: (
        PoolMembership.objects.filter(rater=rater, pool=pool)
        .select_related("pool")
        .annotate(
            is_onboarding=_STEPS_LEFT,
            is_paused=Exists(
                RaterStanding.objects.filter(
                    rater=rater, campaign=campaign, paused_at__isnull=False
                )
            ),
            holds=Exists(
                Slot.objects.filter(rater=rater, campaign=campaign, state=Slot.State.LEASED)
            ),
            is_visiting=Exists(
                CrowdVisit.objects.filter(
                    rater=rater, link__campaign=campaign, state=CrowdVisit.State.WORKING
                )
            ),
            is_author=Q(Exists(Source.objects.filter(person=user)))
            | Q(Exists(Response.objects.filter(author=rater))),
        )
    ),
    rater=BigAutoField(),
    pool=BigAutoField(),
    campaign=BigAutoField(),
    user=BigAutoField(),
)


_WITHDRAWN = "SELECT withdrawn_at IS NOT NULL FROM labeling_rater WHERE id = %s"


class BlockReason(models.TextChoices):
    POOL_PAUSED = "pool_paused"
    RATER_PAUSED = "rater_paused"
    ONBOARDING = "onboarding"
    DAILY_LIMIT = "daily_limit"
    OPEN_LIMIT = "open_limit"
    BUDGET_RESERVED = "budget_reserved"


@dataclass(frozen=True)
class Blocker:
    """Why the rater gets nothing now. `sentence` tells the rater what to do."""

    reason: BlockReason
    pool_id: int
    sentence: str


@dataclass(frozen=True)
class Entry:
    """What one query says about a rater in a campaign."""

    pool: Pool | None
    """None if the rater is no longer in the pool"""
    holds: bool
    """the rater holds an item, or may hold one: look it up"""
    is_visiting: bool
    """the rater may have come through a crowd link: look up whether their visit is complete"""
    is_author: bool
    """the rater may have written prompts or responses; they never get these as items"""
    blocker: Blocker | None
    """does not cover quotas, which are counted with the membership locked"""

    @property
    def has_quota(self) -> bool:
        return self.pool is not None and (
            self.pool.max_per_day is not None or self.pool.max_at_once is not None
        )


def entry(*, rater: Rater, campaign: Campaign) -> Entry:
    membership: Any = _MEMBERSHIP.first(
        rater=rater.pk, campaign=campaign.pk, pool=campaign.pool_id, user=rater.user_id or 0
    )
    if membership is None:
        blocker = pauses(rater=rater, campaigns=[campaign]).get(campaign.pk)
        return Entry(pool=None, holds=True, is_visiting=True, is_author=True, blocker=blocker)
    blocker = (
        _rater_paused(campaign.pool_id) if membership.is_paused else _membership_blocker(membership)
    )
    return Entry(
        membership.pool, membership.holds, membership.is_visiting, membership.is_author, blocker
    )


def blockers(*, rater: Rater, pool_ids: Collection[int], now: dt.datetime) -> dict[int, Blocker]:
    """What blocks new work for `rater` in each of these pools; pools that are not blocked are left
    out.

    One query, and two more if a pool has a quota. labeling.access decides whether the rater is in a
    pool at all.
    """
    memberships = list(
        PoolMembership.objects.filter(rater=rater, pool__in=pool_ids)
        .select_related("pool", "rater__user")
        .annotate(is_onboarding=_STEPS_LEFT)
    )
    with_quota = [
        entry for entry in memberships if entry.pool.max_per_day or entry.pool.max_at_once
    ]
    held = (
        _held(rater=rater, pool_ids=[entry.pool_id for entry in with_quota]) if with_quota else {}
    )
    today = (
        _today(memberships=with_quota, now=now)
        if any(entry.pool.max_per_day for entry in with_quota)
        else {}
    )
    by_pool = {}
    for entry in memberships:
        blocker = _membership_blocker(entry) or _quota_blocker(
            entry, held.get(entry.pool_id, 0), today.get(entry.pool_id, 0)
        )
        if blocker is not None:
            by_pool[entry.pool_id] = blocker
    return by_pool


def pauses(*, rater: Rater, campaigns: Collection[Campaign]) -> dict[int, Blocker]:
    """The campaigns in which the rater is paused, because of failed golds or by an admin."""
    pool_of = {campaign.pk: campaign.pool_id for campaign in campaigns}
    standings = RaterStanding.objects.filter(
        rater=rater, campaign__in=pool_of, paused_at__isnull=False
    )
    return {
        pk: _rater_paused(pool_of[pk]) for pk in standings.values_list("campaign_id", flat=True)
    }


def has_withdrawn(*, rater_id: int) -> bool:
    """Whether the rater has withdrawn. On PostgreSQL, a withdrawal waits for the caller's
    transaction, and this for a withdrawal.

    A withdrawal locks the rater's row first, then their slots and judgments. Call this before
    locking any of those, or the two wait for each other.
    """
    lock = " FOR SHARE" if connection.features.has_select_for_update else ""
    return any(row[0] for row in fetch(f"{_WITHDRAWN}{lock}", [rater_id]))


def raters_at_work(*, campaign: Campaign) -> models.QuerySet[Rater]:
    """Raters who can get items of the campaign now, or could after onboarding, a full quota or a
    pause of the pool: active in its pool, with an active login, not paused and not withdrawn. Crowd
    workers count during their visit.
    """
    paused = RaterStanding.objects.filter(
        rater=OuterRef("pk"), campaign=campaign, paused_at__isnull=False
    )
    visits = CrowdVisit.objects.filter(rater=OuterRef("pk"))
    in_pool = models.Q(
        memberships__pool=campaign.pool_id, memberships__is_active=True, memberships__paused_at=None
    )
    comes = ~Exists(visits) | Exists(visits.filter(state=CrowdVisit.State.WORKING))
    return Rater.people.filter(
        in_pool, comes, ~Exists(paused), user__is_active=True, withdrawn_at=None
    )


def _rater_paused(pool_id: int) -> Blocker:
    sentence = _(
        "You are paused here until an admin has checked your recent answers. You can still submit"
        " items you have open."
    )
    return Blocker(BlockReason.RATER_PAUSED, pool_id, sentence)


def budget_reserved(*, campaign: Campaign) -> Blocker:
    """Items that raters hold have reserved the rest of the campaign's budget."""
    sentence = _(
        "The rest of the budget of “%(campaign)s” is reserved by others. Items may become available"
        " when someone releases one."
    )
    return Blocker(
        BlockReason.BUDGET_RESERVED, campaign.pool_id, sentence % {"campaign": campaign.name}
    )


def _membership_blocker(membership: PoolMembership) -> Blocker | None:
    pool = membership.pool
    if pool.paused_at is not None:
        sentence = _(
            "“%(pool)s” is paused, so no new items are available. You can still submit items you"
            " have open."
        )
        return Blocker(BlockReason.POOL_PAUSED, pool.pk, sentence % {"pool": pool.name})
    if membership.paused_at is not None:
        sentence = _("An admin has paused you in “%(pool)s”. Ask them about the next step.")
        return Blocker(BlockReason.RATER_PAUSED, pool.pk, sentence % {"pool": pool.name})
    if membership.is_onboarding:  # type: ignore[attr-defined]  # annotated above
        sentence = _("Complete a few more steps to get work in “%(pool)s”.")
        return Blocker(BlockReason.ONBOARDING, pool.pk, sentence % {"pool": pool.name})
    return None


def _quota_blocker(membership: PoolMembership, n_held: int, n_today: int) -> Blocker | None:
    pool = membership.pool
    if pool.max_at_once is not None and n_held >= pool.max_at_once:
        sentence = ngettext(
            "You have %(n)d item of “%(pool)s” open, which is the limit. Finish or release it"
            " first.",
            "You have %(n)d items of “%(pool)s” open, which is the limit. Finish or release one"
            " first.",
            n_held,
        )
        return Blocker(BlockReason.OPEN_LIMIT, pool.pk, sentence % {"n": n_held, "pool": pool.name})
    if pool.max_per_day is not None and n_today + n_held >= pool.max_per_day:
        sentence = ngettext(
            "You have reached the daily limit of %(n)d item in “%(pool)s”. More is available after"
            " midnight.",
            "You have reached the daily limit of %(n)d items in “%(pool)s”. More are available"
            " after midnight.",
            pool.max_per_day,
        )
        return Blocker(
            BlockReason.DAILY_LIMIT, pool.pk, sentence % {"n": pool.max_per_day, "pool": pool.name}
        )
    return None


def _held(*, rater: Rater, pool_ids: Collection[int]) -> dict[int, int]:
    held = Slot.objects.filter(rater=rater, state=Slot.State.LEASED, campaign__pool__in=pool_ids)
    return dict(held.values_list("campaign__pool").annotate(n=Count("pk")).order_by())


def _today(*, memberships: Sequence[PoolMembership], now: dt.datetime) -> dict[int, int]:
    """Judgments by pool since midnight in the rater's time zone."""
    rater = memberships[0].rater
    zone = ZoneInfo(rater.user.time_zone) if rater.user else dt.UTC
    midnight = days.last_midnight(now, zone)
    pool_ids = [entry.pool_id for entry in memberships]
    judgments = Judgment.of_everyone.filter(
        rater=rater, submitted_at__gte=midnight, campaign__pool__in=pool_ids, import_batch=None
    )
    return dict(judgments.values_list("campaign__pool").annotate(n=Count("pk")).order_by())
