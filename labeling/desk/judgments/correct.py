"""A rater corrects an answer while its campaign is open: a new version replaces the old one."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.desk.judgments import rows as judgments_rows
from labeling.desk.judgments.checked_answers import Answer, Checked, Recorded
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.models import Campaign, Draft, Item, Judgment, Rater, Response
from labeling.queue import after_judgment, slots
from labeling.review import set_aside


def correct(
    *,
    lease: uuid.UUID,
    rater: Rater,
    version: int,
    answer: Answer,
    recorded: Recorded | None = None,
    now: datetime,
) -> Judgment:
    """Store `answer` as the next version of the judgment under `lease`, replacing `version`. The
    old version stays readable. Submitting the same correction twice returns the first. Raises
    UnableToSubmit.
    """
    with transaction.atomic():
        judgments_rows.refuse_withdrawn(rater=rater)
        old = _stored_answer(lease=lease, rater=rater, kind=answer.kind)
        if old.version == version + 1:
            return old
        campaign = _campaign_to_correct_in(old, version=version)
        checked = judgments_rows.checked(
            answer,
            campaign=campaign,
            guideline_version=old.guideline_version_id,
            read_shown=lambda: _shown(old),
        )
        judgment = _next_version(old=old, answer=checked, recorded=recorded or Recorded(), now=now)
        judgments_rows.store_edit(judgment=judgment, answer=checked, now=now)
        after_judgment.after_correction(judgment=judgment, campaign=campaign, now=now)
        return judgment


def draft_correction(
    *, lease: uuid.UUID, rater: Rater, version: int, content: Mapping[str, object], now: datetime
) -> Draft | None:
    """Save a draft of a correction to `version` of the answer under `lease`. None when the answer
    already has a later version.
    """
    with transaction.atomic():
        answer = (
            Judgment.of_everyone.select_for_update(of=("self",))
            .filter(lease=lease, rater=rater, version=version)
            .first()
        )
        if answer is None or answer.item_id is None:
            return None
        return slots.store_draft(
            item_id=answer.item_id, rater=rater, version=version, content=content, now=now
        )


def drop_correction(*, item: Item, rater: Rater) -> None:
    """Delete the draft of a correction; the answer is unchanged."""
    delete_draft(item_id=item.pk, rater_id=rater.pk)


def delete_draft(*, item_id: int | None, rater_id: int) -> None:
    Draft.objects.filter(item=item_id, rater=rater_id, version__gt=0).delete()


def _stored_answer(*, lease: uuid.UUID, rater: Rater, kind: str) -> Judgment:
    """The current judgment, locked."""
    judgment = (
        Judgment.of_everyone.select_for_update(of=("self",))
        .select_related("campaign", "guideline_version", "item")
        .filter(lease=lease, rater=rater, kind=kind)
        .first()
    )
    if judgment is None or judgment.campaign is None:
        raise UnableToSubmit(_("You have no such answer. Open it again under My work."))
    return judgment


def _campaign_to_correct_in(old: Judgment, *, version: int) -> Campaign:
    assert old.campaign is not None  # _stored_answer has checked that
    if old.version != version:
        raise UnableToSubmit(
            _("This answer was changed elsewhere in the meantime. Open it again under My work.")
        )
    if old.item is not None and old.item.is_turn:
        raise UnableToSubmit(turn_sentence())
    if old.campaign.state != Campaign.State.OPEN:
        raise UnableToSubmit(closed_sentence())
    return old.campaign


def closed_sentence() -> str:
    return _("The campaign is no longer open, so its answers can't be changed.")


def turn_sentence() -> str:
    return _("A turn of a conversation can't be changed, because the conversation went on from it.")


def _shown(old: Judgment) -> list[Response]:
    rows = old.comparison.ranked.select_related("response").order_by("position")
    return [row.response for row in rows]


def _next_version(*, old: Judgment, answer: Checked, recorded: Recorded, now: datetime) -> Judgment:
    """Store the version that replaces `old`. It takes over the slot, the lease and the original
    submission time.

    A judgment that was set aside has given up its slot. Its correction counts again, so it needs a
    slot again.
    """
    slot_id, lease, is_extra = old.slot_id, old.lease, old.is_extra
    if slot_id is None and not is_extra:
        slot_id = set_aside.new_slot_for(judgment=old, now=now)
        is_extra = slot_id is None
    Judgment.versions_of_everyone.filter(pk=old.pk).update(is_current=False, slot=None, lease=None)
    measured = [seconds for seconds in (old.active_s, recorded.active_s) if seconds is not None]
    judgment = Judgment(
        kind=old.kind,
        rater_id=old.rater_id,
        prompt_id=old.prompt_id,
        campaign_id=old.campaign_id,
        item_id=old.item_id,
        slot_id=slot_id,
        lease=lease,
        is_extra=is_extra,
        is_gold=old.is_gold,
        guideline_version_id=old.guideline_version_id,
        presentation=dict(recorded.presentation),
        warnings=list(recorded.warnings),
        active_s=sum(measured) if measured else None,
        leased_at=old.leased_at,
        submitted_at=old.submitted_at,
        version=old.version + 1,
        supersedes=old,
        corrected_at=now,
    )
    judgments_rows.store_judgment(judgment=judgment, answer=answer)
    delete_draft(item_id=old.item_id, rater_id=old.rater_id)
    return judgment
