"""Creates, changes and pauses pools, and adds or removes their raters."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from labeling.models import Pool, PoolMembership, Rater
from labeling.queue import items
from labeling.queue.claiming import order


class UnableToAddRaters(Refusal):
    """Raised when raters cannot join a pool; the text says why."""


@dataclass(frozen=True)
class PoolTerms:
    """A pool's rules: which raters qualify, how items are routed, what counts as a shown topic, and
    limits per rater. None means no limit; for `shown_items`, that no topic is shown automatically.
    """

    languages: tuple[str, ...] = ()
    expertise: tuple[str, ...] = ()
    routes_by_language: bool = False
    routes_by_category: bool = False
    max_per_day: int | None = None
    max_at_once: int | None = None
    shown_items: int | None = 20
    shown_percent: int = 75

    @classmethod
    def of(cls, pool: Pool) -> "PoolTerms":
        return cls(
            languages=tuple(pool.languages),
            expertise=tuple(pool.expertise),
            routes_by_language=pool.routes_by_language,
            routes_by_category=pool.routes_by_category,
            max_per_day=pool.max_per_day,
            max_at_once=pool.max_at_once,
            shown_items=pool.shown_items,
            shown_percent=pool.shown_percent,
        )

    @property
    def as_fields(self) -> dict[str, object]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def create_pool(
    *,
    name: str,
    description: str = "",
    is_held_out: bool = False,
    terms: PoolTerms | None = None,
    by: User | None,
    now: datetime,
) -> Pool:
    fields = (terms or PoolTerms()).as_fields
    with transaction.atomic():
        pool = Pool.objects.create(
            name=name, description=description, is_held_out=is_held_out, created_at=now, **fields
        )
        after = {"name": name, "is_held_out": is_held_out} | (fields if terms else {})
        audit_log.record(by, "create", pool, after=after, now=now)
    return pool


def edit_pool(
    *,
    pool: Pool,
    name: str,
    description: str,
    is_held_out: bool,
    terms: PoolTerms | None = None,
    by: User | None,
    now: datetime,
) -> None:
    """Without `terms`, the rules stay unchanged."""
    with transaction.atomic():
        stored = Pool.objects.select_for_update().get(pk=pool.pk)
        was = PoolTerms.of(stored)
        before = {
            "name": stored.name,
            "description": stored.description,
            "is_held_out": stored.is_held_out,
        } | was.as_fields
        after = {"name": name, "description": description, "is_held_out": is_held_out} | (
            terms or was
        ).as_fields
        Pool.objects.filter(pk=pool.pk).update(**after)
        if terms is not None and terms != was:
            order.restart_pool(pool)
        changed = sorted(name for name in after if after[name] != before[name])
        audit_log.record(
            by,
            "change",
            pool,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            now=now,
        )


def pause_pool(*, pool: Pool, by: User | None, now: datetime) -> bool:
    """Stop handing out items in all campaigns of the pool for now. Items that raters hold can be
    submitted. False when it is paused already.
    """
    return _set_paused(pool=pool, paused_at=now, by=by, now=now)


def resume_pool(*, pool: Pool, by: User | None, now: datetime) -> bool:
    """False unless it is paused."""
    return _set_paused(pool=pool, paused_at=None, by=by, now=now)


def _set_paused(*, pool: Pool, paused_at: datetime | None, by: User | None, now: datetime) -> bool:
    with transaction.atomic():
        if not guard.update_one(
            Pool.objects.filter(pk=pool.pk, paused_at__isnull=paused_at is not None),
            paused_at=paused_at,
        ):
            return False
        audit_log.record(by, "pause" if paused_at else "resume", pool, now=now)
    return True


def add_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Add raters to the pool, including those who had left. Returns how many were not in it before.

    Raises UnableToAddRaters for raters who have withdrawn, because their judgments would be left
    out of everything.
    """
    with transaction.atomic():
        joining = list(raters)
        stored = (
            Rater.people.select_for_update()
            .filter(pk__in=[rater.pk for rater in joining])
            .order_by("pk")
        )
        withdrawn = [rater.alias for rater in stored if rater.withdrawn_at is not None]
        if withdrawn:
            sentence = _(
                "%(alias)s has withdrawn and can't join a pool. Undo the withdrawal on the rater's"
                " page first."
            )
            raise UnableToAddRaters(sentence % {"alias": ", ".join(withdrawn)})
        added = [rater for rater in joining if _add_to_pool(pool=pool, rater=rater, now=now)]
        if added:
            audit_log.record(
                by, "add_raters", pool, after={"raters": [r.alias for r in added]}, now=now
            )
            items.level_pool_calibration(pool=pool, now=now)
    return len(added)


def remove_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Remove raters. They can still submit items they hold, but get no new ones."""
    with transaction.atomic():
        leaving = list(
            pool.memberships.filter(rater__in=list(raters), is_active=True).select_related("rater")
        )
        PoolMembership.objects.filter(pk__in=[membership.pk for membership in leaving]).update(
            is_active=False
        )
        if leaving:
            aliases = [membership.rater.alias for membership in leaving]
            audit_log.record(by, "remove_raters", pool, before={"raters": aliases}, now=now)
            items.level_pool_calibration(pool=pool, now=now)
    return len(leaving)


def _add_to_pool(*, pool: Pool, rater: Rater, now: datetime) -> bool:
    membership, is_new = PoolMembership.objects.get_or_create(
        pool=pool, rater=rater, defaults={"joined_at": now}
    )
    if is_new:
        return True
    return guard.update_one(
        PoolMembership.objects.filter(pk=membership.pk, is_active=False), is_active=True
    )


def ensure_rater(*, user: User, now: datetime) -> Rater:
    """The user's Rater, created if needed. The alias says nothing about the person but the order in
    which raters came: admins see it, and exports include it.

    The database hands out each row's number once, so two raters never get the same alias. Imported
    raters' aliases begin with "import-".
    """
    with transaction.atomic():
        rater, is_new = Rater.people.get_or_create(
            user=user, defaults={"alias": f"new-{secrets.token_hex(16)}", "created_at": now}
        )
        if is_new:
            rater.alias = f"Rater {rater.pk}"
            rater.save(update_fields=["alias"])
    return rater
