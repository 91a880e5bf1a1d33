"""Persons, and the pools their raters work in."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from accounts.people import services as people_services
from labeling.models import Pool, PoolMembership, Rater
from labeling.people.pools.services import _ensure_rater
from labeling.queue import items


def create_person(
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    time_zone: str = "UTC",
    is_active: bool = True,
    password: str | None = None,
    by: User | None,
    now: datetime,
) -> User:
    """A login with `roles` ("rater", "admin", "researcher"), and a Rater with a pseudonym for
    whoever is to judge.

    Without a password nobody can sign in until the person has set one by mail. Raises
    UnableToCreatePerson.
    """
    with transaction.atomic():
        user = people_services.create_user(
            email=email,
            name=name,
            roles=roles,
            time_zone=time_zone,
            is_active=is_active,
            password=password,
            by=by,
            now=now,
        )
        if user.is_rater:
            _ensure_rater(user=user, now=now)
    return user


def change_person(
    *,
    user: User,
    email: str,
    name: str,
    roles: Iterable[str],
    time_zone: str,
    is_active: bool,
    by: User | None,
    now: datetime,
) -> User:
    """Another name, other roles, or a login closed or opened again. What they judged stays. Raises
    UnableToChangePerson.
    """
    with transaction.atomic():
        was_open = User.objects.values_list("is_active", flat=True).get(pk=user.pk)
        changed = people_services.update_user(
            user=user,
            email=email,
            name=name,
            roles=roles,
            time_zone=time_zone,
            is_active=is_active,
            by=by,
            now=now,
        )
        if changed.is_rater:
            _ensure_rater(user=changed, now=now)
        if changed.is_active != was_open:
            items.level_pools_of(raters=Rater.objects.filter(user=changed), now=now)
    return changed


def pause_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Give these raters nothing more here for now; how many were at work before."""
    return _pause(pool=pool, raters=raters, paused_at=now, action="pause_raters", by=by, now=now)


def resume_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    return _pause(pool=pool, raters=raters, paused_at=None, action="resume_raters", by=by, now=now)


def _pause(
    *,
    pool: Pool,
    raters: Iterable[Rater],
    paused_at: datetime | None,
    action: str,
    by: User | None,
    now: datetime,
) -> int:
    with transaction.atomic():
        changing = list(
            pool.memberships.select_for_update(of=("self",))
            .filter(rater__in=list(raters), is_active=True, paused_at__isnull=paused_at is not None)
            .select_related("rater")
        )
        PoolMembership.objects.filter(pk__in=[membership.pk for membership in changing]).update(
            paused_at=paused_at
        )
        if changing:
            aliases = [membership.rater.alias for membership in changing]
            audit_log.record(by=by, action=action, target=pool, after={"raters": aliases}, now=now)
            items.level_pool(pool=pool, now=now)
    return len(changing)


def deactivate_raters(*, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Close the logins of these raters; how many were open. What they judged stays, and so does
    their place in pools.
    """
    n_closed, closing = 0, list(raters)
    with transaction.atomic():
        for user in (
            User.objects.select_for_update()
            .filter(rater__in=closing, is_active=True)
            .order_by("pk")
        ):
            people_services.update_user(
                user=user,
                email=user.email,
                name=user.name,
                roles=user.roles,
                time_zone=user.time_zone,
                is_active=False,
                by=by,
                now=now,
            )
            n_closed += 1
        if n_closed:
            items.level_pools_of(raters=closing, now=now)
    return n_closed
