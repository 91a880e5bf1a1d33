"""A rater withdraws, or is readmitted."""

from datetime import datetime

from django.db import transaction

from accounts import audit_log
from accounts.models import User
from labeling.models import Pool, PoolMembership, Rater
from labeling.queue import items


def withdraw_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """Leave the rater's judgments out of all future snapshots and exports, and give them no more
    items.

    False when they had withdrawn already. Existing snapshots do not change: training lists those
    affected.
    """
    with transaction.atomic():
        if Rater.objects.filter(pk=rater.pk, withdrawn_at=None).update(withdrawn_at=now) == 0:
            return False
        left = PoolMembership.objects.filter(rater=rater, is_active=True)
        pools = list(Pool.objects.filter(memberships__in=left).order_by("name"))
        left.update(is_active=False)
        for pool in pools:
            items.level_pool_calibration(pool=pool, now=now)
        names = [pool.name for pool in pools]
        audit_log.record(
            by=by,
            action="withdraw",
            target=rater,
            before={"pools": names},
            after={"withdrawn_at": now.isoformat()},
            now=now,
        )
    return True


def readmit_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """Undo a withdrawal that was a mistake. An admin has to add the rater to pools again."""
    with transaction.atomic():
        done = (
            Rater.objects.filter(pk=rater.pk).exclude(withdrawn_at=None).update(withdrawn_at=None)
            == 1
        )
        if done:
            audit_log.record(
                by=by, action="readmit", target=rater, after={"withdrawn_at": None}, now=now
            )
    return done
