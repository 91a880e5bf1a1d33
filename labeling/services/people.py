"""Persons, and the pools their raters work in."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from labeling.models import Pool, PoolMembership, Rater

ROLES = ("rater", "admin", "researcher")


class UnableToCreatePerson(Exception):
    """A person who cannot be given a login; the text says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def create_person(
    *, email: str, name: str, roles: Iterable[str], password: str | None = None, by: User | None, now: datetime
) -> User:
    """A login with `roles` ("rater", "admin", "researcher"), and a Rater with a pseudonym for whoever is to judge.

    Without a password nobody can sign in until the person has set one by mail. Raises UnableToCreatePerson.
    """
    held = frozenset(roles)
    if unknown := held - frozenset(ROLES):
        raise UnableToCreatePerson(_("“%(role)s” is not a role.") % {"role": sorted(unknown)[0]})
    with transaction.atomic():
        if User.objects.filter(email__iexact=email.strip()).exists():
            raise UnableToCreatePerson(_("%(email)s has a login already.") % {"email": email.strip()})
        user = User.objects.create_user(email=email.strip(), password=password, name=name, created_at=now, **_as_fields(held))
        if "rater" in held:
            _ensure_rater(user=user, now=now)
        audit.record(by=by, action="create", target=user, after={"roles": sorted(held)}, now=now)
    return user


def change_person(*, user: User, name: str, roles: Iterable[str], is_active: bool, by: User | None, now: datetime) -> None:
    """A new name, other roles, or a login closed or opened again. What they judged stays."""
    held = frozenset(roles) & frozenset(ROLES)
    before = {"name": user.name, "roles": sorted(user.roles), "is_active": user.is_active}
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(name=name, is_active=is_active, **_as_fields(held))
        if "rater" in held:
            _ensure_rater(user=user, now=now)
        after = {"name": name, "roles": sorted(held), "is_active": is_active}
        audit.record(by=by, action="change", target=user, before=before, after=after, now=now)
    user.refresh_from_db()


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


def _as_fields(roles: frozenset[str]) -> dict[str, bool]:
    return {f"is_{role}": role in roles for role in ROLES}
