"""A rater submits an answer: store the judgment, fill its slot, delete its draft."""

import uuid
from datetime import datetime
from functools import partial

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from config.performance.compiled import execute
from labeling.desk.judgments import rows
from labeling.desk.judgments.checked_answers import Answer, Checked, CheckedComparison, Recorded
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.models import Judgment, PastLease, Rater, Slot
from labeling.queue import admission, after_judgment, slots
from labeling.queue.claiming import order
from labeling.queue.gold import scores

# Fills the slot only while its lease is still this rater's: no row means that the answer is late.
# A withdrawal ends leases, but a claim may be under way: see admission.has_withdrawn.
_FILL = """
UPDATE labeling_slot SET state = 'submitted', expires_at = NULL
WHERE lease = %(lease)s AND rater_id = %(rater)s AND state = 'leased'
AND EXISTS (SELECT 1 FROM labeling_rater WHERE id = %(rater)s AND withdrawn_at IS NULL{lock})
"""
_DELETE_DRAFT = "DELETE FROM labeling_draft WHERE item_id = %s AND rater_id = %s"


def submit(
    *,
    lease: uuid.UUID,
    rater: Rater,
    answer: Answer,
    recorded: Recorded | None = None,
    held: Slot | PastLease | None = None,
    now: datetime,
) -> Judgment:
    """Store the answer given under `lease`. Submitting the same lease twice returns the first
    judgment.

    An answer under a lapsed lease takes any free slot of the item; with none free, the judgment is
    stored as an extra. `held` is the lease's row with campaign and item, if the caller has it
    already. Raises UnableToSubmit.
    """
    with transaction.atomic():
        slot, held, first = _open_lease(lease=lease, rater=rater, kind=answer.kind, held=held)
        if first is not None:
            return first
        checked = _checked(answer, held)
        judgment = _store_once(
            held=held,
            slot=slot,
            rater=rater,
            answer=checked,
            recorded=recorded or Recorded(),
            now=now,
        )
        if judgment is not None:
            rows.store_edit(judgment=judgment, answer=checked, now=now)
            if judgment.is_gold and isinstance(checked, CheckedComparison):
                scores.note_answer(judgment=judgment, ranks=checked.ranks_by_response, now=now)
            after_judgment.after_submit(
                judgment=judgment, campaign=held.campaign, held=held, now=now
            )
            return judgment
    if isinstance(checked, CheckedComparison):
        raise UnableToSubmit(
            _("You have already rated this item. This answer is saved as a draft.")
        )
    raise UnableToSubmit(_("You have already answered this item. This text is saved as a draft."))


def _open_lease(
    *, lease: uuid.UUID, rater: Rater, kind: str, held: Slot | PastLease | None
) -> tuple[Slot | None, Slot | PastLease, Judgment | None]:
    """The slot that `lease` holds (None if it lost the slot), the lease itself, and the judgment
    already given under it.

    Marks a held slot as filled. That locks its row until the transaction ends, so that the second
    of two concurrent submits sees the first one's judgment.
    """
    if (
        isinstance(held, Slot)
        and held.campaign.about.takes(kind)
        and _fill(lease=lease, rater=rater)
    ):
        return held, held, None
    has_withdrawn = admission.has_withdrawn(rater_id=rater.pk)
    slot = slots.locked(lease=lease, rater=rater)
    held = slot or _past_lease(lease=lease, rater=rater)
    if held is None:
        raise UnableToSubmit(
            _("This item is not assigned to you. Go back to the desk and take the next one.")
        )
    if not held.campaign.about.takes(kind):
        raise UnableToSubmit(
            _("This item asks for a different kind of answer. Open it again from the desk.")
        )
    if slot is not None and _fill(lease=lease, rater=rater):
        return slot, slot, None
    first = Judgment.of_everyone.filter(lease=lease).first()
    if first is None and has_withdrawn:
        raise UnableToSubmit(rows.withdrawn_sentence())
    return None, held, first


def _past_lease(*, lease: uuid.UUID, rater: Rater) -> PastLease | None:
    return (
        PastLease.objects.select_for_update(of=("self",))
        .select_related("campaign", "item__gold_use")
        .filter(lease=lease, rater=rater)
        .first()
    )


def _fill(*, lease: uuid.UUID, rater: Rater) -> bool:
    """Mark the lease's slot as filled. False when the lease no longer has a slot, or the rater has
    withdrawn.
    """
    lease_as_stored = Slot._meta.get_field("lease").get_db_prep_value(lease, connection)
    lock = " FOR SHARE" if connection.features.has_select_for_update else ""
    return execute(_FILL.format(lock=lock), {"lease": lease_as_stored, "rater": rater.pk}) == 1


def _checked(answer: Answer, held: Slot | PastLease) -> Checked:
    return rows.checked(
        answer,
        campaign=held.campaign,
        guideline_version=held.guideline_version_id,
        read_shown=lambda: order.presented(held),
    )


def _store_once(
    *,
    held: Slot | PastLease,
    slot: Slot | None,
    rater: Rater,
    answer: Checked,
    recorded: Recorded,
    now: datetime,
) -> Judgment | None:
    """Store the judgment; a late one (without a `slot`) in another slot. None when this rater
    already judged the item under another lease, perhaps in another tab just now: the answer is then
    saved as a draft.
    """
    store_in = partial(store, held=held, rater=rater, answer=answer, recorded=recorded, now=now)
    if slot is not None:
        return store_in(slot=slot)
    answered = Judgment.of_everyone.filter(item_id=held.item_id, rater=rater)
    if not answered.exists():
        try:
            with transaction.atomic():
                return store_in(slot=slots.fill_another(item_id=held.item_id, rater=rater))
        except IntegrityError:  # of judgment_rater_once
            if not answered.exists():
                raise
    draft = answer.given.as_draft
    slots.store_draft(item_id=held.item_id, rater=rater, content=draft, now=now)
    return None


def store(
    *,
    held: Slot | PastLease,
    slot: Slot | None,
    rater: Rater,
    answer: Checked,
    recorded: Recorded,
    now: datetime,
) -> Judgment:
    """Store the judgment with its rows."""
    judgment = Judgment(
        kind=answer.kind,
        rater=rater,
        prompt_id=held.item.prompt_id,
        campaign_id=held.campaign_id,
        item_id=held.item_id,
        slot=slot,
        lease=held.lease,
        is_extra=slot is None,
        is_gold=hasattr(held.item, "gold_use"),
        guideline_version_id=held.guideline_version_id,
        presentation=dict(recorded.presentation),
        warnings=list(recorded.warnings),
        active_s=recorded.active_s,
        leased_at=held.leased_at,
        submitted_at=now,
    )
    rows.store_judgment(judgment=judgment, answer=answer)
    execute(_DELETE_DRAFT, [held.item_id, rater.pk])
    return judgment
