"""The roster: finds raters by text, pool, language, topic and status."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from labeling.models import Judgment, PoolMembership, Rater, RaterSkill


class RaterStatus(models.TextChoices):
    AT_WORK = "at_work", _("active")
    PAUSED = "paused", _("paused in a pool")
    NO_POOL = "no_pool", _("no pool")
    CLOSED = "closed", _("login closed")
    WITHDRAWN = "withdrawn", _("withdrawn")


@dataclass(frozen=True)
class RosterFilter:
    """The roster's filter; empty values do not filter."""

    words: str = ""
    pool_id: int | None = None
    language: str = ""
    topic: str = ""
    status: str = ""


@dataclass(frozen=True)
class RosterRow:
    rater: Rater
    status: RaterStatus
    memberships: list[PoolMembership] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    n_judged: int = 0
    last_at: dt.datetime | None = None


def roster(*, filters: RosterFilter) -> QuerySet[Rater]:
    """Raters with a login, by name."""
    raters = (
        Rater.people.filter(user__isnull=False)
        .select_related("user")
        .order_by("user__name", "alias")
    )
    inside = PoolMembership.objects.filter(rater=OuterRef("pk"), is_active=True)
    if filters.words:
        words = filters.words
        raters = raters.filter(
            Q(alias__icontains=words)
            | Q(user__name__icontains=words)
            | Q(user__email__icontains=words)
        )
    if filters.pool_id is not None:
        raters = raters.filter(Exists(inside.filter(pool=filters.pool_id)))
    for axis, code in (
        (RaterSkill.Axis.LANGUAGE, filters.language),
        (RaterSkill.Axis.TOPIC, filters.topic),
    ):
        if code:
            raters = raters.filter(
                Exists(RaterSkill.objects.filter(rater=OuterRef("pk"), axis=axis, code=code))
            )
    conditions = {
        RaterStatus.AT_WORK: (
            Q(user__is_active=True, withdrawn_at=None) & Exists(inside.filter(paused_at=None))
        ),
        RaterStatus.PAUSED: (
            Q(user__is_active=True, withdrawn_at=None)
            & Exists(inside.filter(paused_at__isnull=False))
        ),
        RaterStatus.NO_POOL: Q(user__is_active=True, withdrawn_at=None) & ~Exists(inside),
        RaterStatus.CLOSED: Q(user__is_active=False),
        RaterStatus.WITHDRAWN: Q(withdrawn_at__isnull=False),
    }
    return (
        raters.filter(conditions[RaterStatus(filters.status)])
        if filters.status in RaterStatus
        else raters
    )


def roster_rows(*, raters: Iterable[Rater]) -> list[RosterRow]:
    """A row for each of `raters`, with three queries in total."""
    shown = list(raters)
    memberships: dict[int, list[PoolMembership]] = {}
    for membership in (
        PoolMembership.objects.filter(rater__in=shown, is_active=True)
        .select_related("pool")
        .order_by("pool__name")
    ):
        memberships.setdefault(membership.rater_id, []).append(membership)
    skills: dict[tuple[int, str], set[str]] = {}
    for rater_id, axis, code in RaterSkill.objects.filter(rater__in=shown).values_list(
        "rater_id", "axis", "code"
    ):
        skills.setdefault((rater_id, axis), set()).add(code)
    work = {
        row["pk"]: row
        for row in (
            Rater.people.filter(pk__in=[rater.pk for rater in shown])
            .values("pk")
            .annotate(
                n=Count("judgments", filter=Judgment.of_everyone.condition("judgments__")),
                last_at=Max("judgments__submitted_at"),
            )
        )
    }
    return [
        RosterRow(
            rater=rater,
            status=_status(rater, memberships.get(rater.pk, [])),
            memberships=memberships.get(rater.pk, []),
            languages=sorted(skills.get((rater.pk, RaterSkill.Axis.LANGUAGE), ())),
            topics=sorted(skills.get((rater.pk, RaterSkill.Axis.TOPIC), ())),
            n_judged=work[rater.pk]["n"],
            last_at=work[rater.pk]["last_at"],
        )
        for rater in shown
    ]


def known_codes(*, axis: str) -> list[str]:
    """Languages or topics that at least one rater knows."""
    return sorted(
        set(RaterSkill.objects.filter(axis=axis).values_list("code", flat=True).distinct())
    )


def skills_of(*, rater: Rater, axis: str, basis: str) -> list[str]:
    return list(
        rater.skills.filter(axis=axis, basis=basis).order_by("code").values_list("code", flat=True)
    )


def _status(rater: Rater, memberships: list[PoolMembership]) -> RaterStatus:
    if rater.withdrawn_at is not None:
        return RaterStatus.WITHDRAWN
    if rater.user is None or not rater.user.is_active:
        return RaterStatus.CLOSED
    if not memberships:
        return RaterStatus.NO_POOL
    return (
        RaterStatus.PAUSED
        if all(membership.paused_at for membership in memberships)
        else RaterStatus.AT_WORK
    )
