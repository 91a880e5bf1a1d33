"""Lists of pools and their members for admins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, QuerySet

from labeling.models import Campaign, Judgment, Pool, PoolMembership, Rater


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


def pool_rows(*, pools: Iterable[Pool]) -> list[PoolRow]:
    """A row for each of `pools`, with two more queries in total."""
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
    """A row for each of `memberships`, with one more query in total."""
    shown = list(memberships)
    work = {
        row["pk"]: row
        for row in (
            Rater.people.filter(pk__in=[membership.rater_id for membership in shown])
            .values("pk")
            .annotate(
                n=Count("judgments", filter=Judgment.of_everyone.condition("judgments__")),
                last_at=Max("judgments__submitted_at"),
            )
        )
    }
    return [
        MemberRow(entry, work[entry.rater_id]["n"], work[entry.rater_id]["last_at"])
        for entry in shown
    ]


def raters_outside(*, pool: Pool) -> QuerySet[Rater]:
    """Raters with a login who could join the pool; not those who have withdrawn."""
    inside = pool.memberships.filter(is_active=True).values("rater_id")
    return (
        Rater.people.filter(user__is_active=True, withdrawn_at=None)
        .exclude(pk__in=inside)
        .select_related("user")
        .order_by("alias")
    )
