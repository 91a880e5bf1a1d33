"""A rater takes back a submitted answer within a few seconds."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.desk.judgments import correct
from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.work import UNDO_WITHIN
from labeling.models import Judgment, PastLease, Rater, Response, Slot
from labeling.queue import admission, after_judgment, slots
from labeling.queue.claiming import order

UNDO_GRACE = timedelta(seconds=10)
"""Extra time for a click in the last second to reach the server."""


class UnableToUndo(Refusal):
    """Raised when a judgment cannot be undone. The text says what to do instead."""


def undo(*, lease: uuid.UUID, rater: Rater, draft: Mapping[str, object], now: datetime) -> None:
    """Delete the judgment under `lease`, lease its slot to the rater again, and restore `draft` as
    what they typed.

    The item they were given next in that campaign goes back to the queue. Raises UnableToUndo when
    it is too late.
    """
    undo_once = partial(_undo, lease=lease, rater=rater, draft=draft, now=now)
    try:
        try:
            undo_once()
        except IntegrityError:  # of slot_one_lease: another tab has just claimed an item
            undo_once()  # which goes back, too
    except ProtectedError as error:  # a snapshot or a campaign was made from it in the meantime
        raise UnableToUndo(_too_late()) from error


def _undo(*, lease: uuid.UUID, rater: Rater, draft: Mapping[str, object], now: datetime) -> None:
    with transaction.atomic():
        judgment = _judgment_to_undo(lease=lease, rater=rater, now=now)
        _give_back_what_came_next(judgment=judgment, now=now)
        _take_back(judgment=judgment, now=now)
        _delete(judgment)
        assert judgment.item_id is not None  # only imported judgments have no item
        correct.delete_draft(item_id=judgment.item_id, rater_id=rater.pk)
        slots.store_draft(item_id=judgment.item_id, rater=rater, content=draft, now=now)


def _judgment_to_undo(*, lease: uuid.UUID, rater: Rater, now: datetime) -> Judgment:
    if admission.has_withdrawn(rater_id=rater.pk):
        raise UnableToUndo(judgments_rows.withdrawn_sentence())
    judgment = (
        Judgment.of_everyone.select_for_update(of=("self",))
        .select_related("campaign", "item")
        .filter(
            lease=lease,
            rater=rater,
            version=1,
            submitted_at__gte=now - UNDO_WITHIN - UNDO_GRACE,
        )
        .first()
    )
    if judgment is None:
        raise UnableToUndo(_too_late())
    if judgment.item is not None and judgment.item.is_turn:
        raise UnableToUndo(
            _("A turn of a conversation can't be undone, because the conversation went on from it.")
        )
    return judgment


def _too_late() -> str:
    return _(
        "It is too late to undo this. While the campaign is open, you can correct the answer under"
        " My work."
    )


def _give_back_what_came_next(*, judgment: Judgment, now: datetime) -> None:
    leased = Slot.objects.select_for_update(of=("self",)).select_related("item")
    leased = leased.filter(
        campaign=judgment.campaign_id, rater=judgment.rater_id, state=Slot.State.LEASED
    )
    for slot in leased:
        slots.set_free(slot=slot, end=PastLease.End.RELEASED, now=now)


def _take_back(*, judgment: Judgment, now: datetime) -> None:
    """Lease the judgment's slot to the rater again. If a late answer had filled another slot, free
    that one.
    """
    if judgment.slot_id is None:
        return
    assert judgment.campaign is not None
    mine = Slot.objects.filter(pk=judgment.slot_id)
    expires_at = now + timedelta(minutes=judgment.campaign.lease_minutes)
    leased = mine.filter(lease=judgment.lease).update(
        state=Slot.State.LEASED, expires_at=expires_at
    )
    if leased != 1:
        mine.update(**slots.FREE, queue_rank=order.returned_rank(now))


def _delete(judgment: Judgment) -> None:
    """Delete the judgment, and the response that its edit created."""
    edits = list(Response.objects.filter(demonstration__judgment=judgment.pk))
    after_judgment.before_undo(judgment=judgment)
    judgment.delete()
    for edit in edits:
        edit.delete()
