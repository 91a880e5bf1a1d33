"""Takes the first free slot of the queue that matches a rater: one statement (claim_sql), and
a sweep of the whole queue if that finds nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from config.performance.compiled import execute, fetch
from labeling.models import Campaign, Rater, Slot
from labeling.queue.claiming import claim_sql, order, routing


@dataclass(frozen=True)
class Found:
    slot: Slot | None
    has_swept: bool = False
    """The whole queue was just searched, and has nothing for this rater."""


def take(*, campaign: Campaign, rater: Rater, fit: routing.Fit, now: datetime) -> Found:
    """The rater's next slot, leased to them."""
    slot = claim_free(campaign=campaign, rater=rater, fit=fit, now=now)
    if slot is not None or not order.is_sweep_due(campaign=campaign, rater=rater, now=now):
        return Found(slot)
    slot = claim_free(campaign=campaign, rater=rater, fit=fit, now=now, is_sweep=True)
    if slot is not None:
        return Found(slot)
    order.remember_empty(campaign=campaign, rater=rater, now=now)
    return Found(None, has_swept=True)


def claim_free(
    *, campaign: Campaign, rater: Rater, fit: routing.Fit, now: datetime, is_sweep: bool = False
) -> Slot | None:
    """Lease the first free slot to `rater` and move their place past it; None when the queue has
    none.

    A sweep starts at the head of the queue. The returned Slot has its old `queue_rank`.
    """
    lease, expires_at = uuid.uuid4(), now + timedelta(minutes=campaign.lease_minutes)
    test = fit.claim_test
    statement = claim_sql.claim(
        fits=test.on("free.item_id"),
        repeat_fits=fit.repeat_test.on("free.item_id") if campaign.repeat_percent else None,
        is_sweep=is_sweep,
        is_postgresql=connection.vendor == "postgresql",
    )
    values: dict[str, object] = {
        "campaign": campaign.pk,
        "rater": rater.pk,
        "lease": _adapt_uuid(lease),
        "now": _adapt_time(now),
        "expires_at": _adapt_time(expires_at),
        "guideline_version": campaign.guideline_version_id,
        "seed": order.new_seed(),
        "returned_floor": order.RETURNED_FLOOR,
        "fresh_floor": order.FRESH_FLOOR,
        "settled": order.settled_rank(now),
    }
    row = _claimed(statement, {**test.values, **values})
    if row is None:
        return None
    pk, item_id, number, seed, queue_rank, reserved_for_id = row
    slot = Slot(
        pk=pk,
        item_id=item_id,
        campaign=campaign,
        number=number,
        queue_rank=queue_rank,
        reserved_for_id=reserved_for_id,
    )
    slot.lease_to(campaign=campaign, rater=rater, seed=seed, lease=lease, now=now)
    slot._state.adding, slot._state.db = False, "default"
    return slot


def _claimed(statement: str, values: dict[str, object]) -> Sequence[Any] | None:
    if connection.vendor == "postgresql":
        return next(iter(fetch(statement, values)), None)
    with transaction.atomic():
        for row in fetch(statement, values):
            _pk, _item_id, _number, seed, queue_rank, reserved_for_id = row
            taken = {"queue_rank": queue_rank, "place_seed": seed, "reserved_for": reserved_for_id}
            execute(claim_sql.REMEMBER, values | taken)
            return row
    return None


def _adapt_uuid(value: uuid.UUID) -> uuid.UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


def _adapt_time(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
