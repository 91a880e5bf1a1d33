"""Persons, and the pools their raters work in."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts import services as accounts
from accounts.models import User
from labeling.models import Pool, PoolMembership, Rater


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
    """A login with `roles` ("rater", "admin", "researcher"), and a Rater with a pseudonym for whoever is to judge.

    Without a password nobody can sign in until the person has set one by mail. Raises UnableToCreatePerson.
    """
    with transaction.atomic():
        user = accounts.create_user(
            email=email, name=name, roles=roles, time_zone=time_zone, is_active=is_active, password=password, by=by, now=now
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
    """Another name, other roles, or a login closed or opened again. What they judged stays. Raises UnableToChangePerson."""
    with transaction.atomic():
        changed = accounts.update_user(
            user=user, email=email, name=name, roles=roles, time_zone=time_zone, is_active=is_active, by=by, now=now
        )
        if changed.is_rater:
            _ensure_rater(user=changed, now=now)
    return changed


def create_pool(*, name: str, description: str = "", is_held_out: bool = False, by: User | None, now: datetime) -> Pool:
    with transaction.atomic():
        pool = Pool.objects.create(name=name, description=description, is_held_out=is_held_out, created_at=now)
        audit.record(by=by, action="create", target=pool, after={"name": name, "is_held_out": is_held_out}, now=now)
    return pool


def edit_pool(*, pool: Pool, name: str, description: str, is_held_out: bool, by: User | None, now: datetime) -> None:
    with transaction.atomic():
        stored = Pool.objects.select_for_update().get(pk=pool.pk)
        before = {"name": stored.name, "description": stored.description, "is_held_out": stored.is_held_out}
        after = {"name": name, "description": description, "is_held_out": is_held_out}
        Pool.objects.filter(pk=pool.pk).update(**after)
        audit.record(by=by, action="change", target=pool, before=before, after=after, now=now)


def add_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Put raters into the pool, those who had left included; how many are now in it that were not."""
    with transaction.atomic():
        added = [rater for rater in raters if _join(pool=pool, rater=rater, now=now)]
        if added:
            audit.record(by=by, action="add_raters", target=pool, after={"raters": [r.alias for r in added]}, now=now)
    return len(added)


def remove_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Let raters leave. What they hold can still be submitted; they are given nothing more."""
    with transaction.atomic():
        leaving = list(pool.memberships.filter(rater__in=list(raters), is_active=True).select_related("rater"))
        PoolMembership.objects.filter(pk__in=[membership.pk for membership in leaving]).update(is_active=False)
        if leaving:
            aliases = [membership.rater.alias for membership in leaving]
            audit.record(by=by, action="remove_raters", target=pool, before={"raters": aliases}, now=now)
    return len(leaving)


def _join(*, pool: Pool, rater: Rater, now: datetime) -> bool:
    membership, is_new = PoolMembership.objects.get_or_create(pool=pool, rater=rater, defaults={"joined_at": now})
    if is_new:
        return True
    return PoolMembership.objects.filter(pk=membership.pk, is_active=False).update(is_active=True) == 1


def _ensure_rater(*, user: User, now: datetime) -> Rater:
    """The alias says nothing about the person: it is shown to admins and leaves with every export."""
    alias = f"rater-{secrets.token_hex(4)}"
    rater, _is_new = Rater.objects.get_or_create(user=user, defaults={"alias": alias, "created_at": now})
    return rater
