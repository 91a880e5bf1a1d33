"""Creates and changes people, and pauses or deactivates raters."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from accounts.people import services as people_services
from labeling.models import Pool, PoolMembership, Rater
from labeling.people.pools.services import ensure_rater
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
    """Create a login with `roles` ("rater", "admin", "researcher"), and a Rater with a pseudonym if
    they are to judge.

    Without a password, the person has to set one through a link before they can sign in. Raises
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
            ensure_rater(user=user, now=now)
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
    """Change the name, the roles, or whether the login is active. Their judgments stay. Raises
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
            ensure_rater(user=changed, now=now)
        if changed.is_active != was_open:
            items.level_calibration_for(raters=Rater.people.filter(user=changed), now=now)
    return changed


def pause_raters(*, pool: Pool, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Give these raters no new items in the pool for now. Returns how many were not paused
    before.
    """
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
            audit_log.record(by, action, pool, after={"raters": aliases}, now=now)
            items.level_pool_calibration(pool=pool, now=now)
    return len(changing)


def deactivate_raters(*, raters: Iterable[Rater], by: User | None, now: datetime) -> int:
    """Deactivate the logins of these raters. Returns how many were active. Their judgments and pool
    memberships stay.
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
            items.level_calibration_for(raters=closing, now=now)
    return n_closed
