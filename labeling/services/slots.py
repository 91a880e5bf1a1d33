"""What a rater does with an item: take it, stay with it, give it back, judge it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from labeling import queue, rating_form
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Draft,
    Item,
    Judgment,
    Pass,
    PastLease,
    RankedResponse,
    Rater,
    Response,
    Slot,
)

STRENGTHS = range(1, 5)


class UnableToSubmit(Exception):
    """A judgment that cannot be stored; the text tells the rater what to do. What they wrote is still theirs."""

    def __init__(self, sentence: str, *, position: int | None = None, question: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.position = position
        """The response it is about, 0 = shown first."""
        self.question = question


def claim(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    """The item this rater works on next, leased to them; None when the campaign has nothing for them.

    An item they already hold comes first, its lease lapsed or not: there is one at a time in a campaign.
    Then free slots in the queue's order, then slots whose lease has lapsed.
    """
    held = _held(campaign=campaign, rater=rater, now=now)
    if held is not None or campaign.state != Campaign.State.OPEN:
        return held
    try:
        return _take(campaign=campaign, rater=rater, now=now)
    except IntegrityError:
        # The same rater is at work in another tab at this very moment, and the database allows one lease a campaign and
        # one slot an item. What that tab took is there now; failing that, the queue has moved on.
        return _held(campaign=campaign, rater=rater, now=now) or _take(campaign=campaign, rater=rater, now=now)


def heartbeat(*, lease: uuid.UUID, rater: Rater, now: datetime) -> datetime | None:
    """Until when the item stays with the rater, counted from `now`; None when the lease is theirs no more.

    A lease that lapsed and that nobody took lives again.
    """
    minutes = Slot.objects.filter(lease=lease, rater=rater).values_list("campaign__lease_minutes", flat=True).first()
    if minutes is None:
        return None
    expires_at = now + timedelta(minutes=minutes)
    beaten = Slot.objects.filter(lease=lease, rater=rater, state=Slot.State.LEASED).update(expires_at=expires_at)
    return expires_at if beaten == 1 else None


def release(*, lease: uuid.UUID, rater: Rater, now: datetime) -> bool:
    """Give the item back for anybody, this rater included. False when the lease was theirs no more."""
    with transaction.atomic():
        slot = _locked(lease=lease, rater=rater)
        if slot is None or slot.state != Slot.State.LEASED:
            return False
        _free(slot=slot, end=PastLease.End.RELEASED, now=now)
        return True


def skip(*, lease: uuid.UUID, rater: Rater, reason: str, note: str = "", now: datetime) -> bool:
    """Give the item back and never see it again. False when the lease was theirs no more."""
    with transaction.atomic():
        slot = _locked(lease=lease, rater=rater)
        if slot is None or slot.state != Slot.State.LEASED:
            return False
        passed = Pass(item_id=slot.item_id, rater=rater, reason=Pass.Reason(reason), note=note, created_at=now)
        Pass.objects.bulk_create([passed], ignore_conflicts=True)
        _free(slot=slot, end=PastLease.End.SKIPPED, now=now)
        return True


def save_draft(*, item: Item, rater: Rater, content: Mapping[str, Any], now: datetime) -> Draft | None:
    """Keep what is typed so far. None when the item is judged already: a save that arrives late must not bring a draft back."""
    with transaction.atomic():
        if Judgment.objects.filter(item=item, rater=rater).exists():
            return None
        return _store_draft(item_id=item.pk, rater=rater, content=content, now=now)


def submit_demonstration(
    *,
    lease: uuid.UUID,
    rater: Rater,
    text: str,
    sources: str = "",
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """Store the answer written under `lease`; a second submit of the same lease returns the first judgment.

    A lease that has lapsed still counts while a slot of the item is free, and is kept as extra when none is.
    Raises UnableToSubmit.
    """
    draft = {"text": text, "sources": sources}
    with transaction.atomic():
        slot, held, first = _open_lease(lease=lease, rater=rater, kind=Campaign.Kind.DEMONSTRATION)
        if first is not None:
            return first
        if not text.strip():
            raise UnableToSubmit(_("The answer is empty. Write one, or skip the item."))
        judgment = _store(
            held=held,
            slot=slot,
            rater=rater,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            draft=draft,
            now=now,
        )
        if judgment is not None:
            Demonstration.objects.create(judgment=judgment, text=text, sources=sources)
            return judgment
    raise UnableToSubmit(_("You have already answered this item. This text is kept as a draft."))


def submit_comparison(
    *,
    lease: uuid.UUID,
    rater: Rater,
    ranks: Mapping[int, int | None],
    ratings: Mapping[int, Mapping[str, Any]],
    reason: str | None = None,
    strength: int | None = None,
    is_all_bad: bool = False,
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """Store a ranking, by position on the rater's page (0 = shown first), like submit_demonstration stores a text.

    `ranks` may leave responses out (None), equal ranks tie, and gaps are closed: 1, 1, 3 is stored as 1, 1, 2.
    `is_all_bad` says that none is worth a rank: then all are left out.
    """
    draft = {"ranks": dict(ranks), "ratings": {position: dict(given) for position, given in ratings.items()}, "reason": reason}
    with transaction.atomic():
        slot, held, first = _open_lease(lease=lease, rater=rater, kind=Campaign.Kind.COMPARISON)
        if first is not None:
            return first
        shown = queue.presented(held)
        dense = _clean_ranks({} if is_all_bad else ranks, n_shown=len(shown), is_all_bad=is_all_bad)
        form = rating_form.parse(held.guideline_version.form) if held.guideline_version else rating_form.RatingForm()
        rated = _clean_ratings(form, ratings, n_shown=len(shown))
        if strength is not None and strength not in STRENGTHS:
            raise UnableToSubmit(_("The strength of a preference is a number from 1 to 4."))
        judgment = _store(
            held=held,
            slot=slot,
            rater=rater,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            draft=draft,
            now=now,
        )
        if judgment is not None:
            _store_ranking(
                judgment=judgment,
                shown=shown,
                ranks=dense,
                ratings=rated,
                reason=reason,
                strength=strength,
                is_all_bad=is_all_bad,
            )
            return judgment
    raise UnableToSubmit(_("You have already judged this item. This answer is kept as a draft."))


# --- claiming ----------------------------------------------------------------------------------------------------


def _held(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    """The item this rater holds in the campaign, its lease extended when it had lapsed."""
    slot = Slot.objects.filter(campaign=campaign, rater=rater, state=Slot.State.LEASED).order_by().first()
    if slot is None or (slot.expires_at is not None and slot.expires_at > now):
        return slot
    expires_at = now + timedelta(minutes=campaign.lease_minutes)
    revived = Slot.objects.filter(pk=slot.pk, lease=slot.lease, state=Slot.State.LEASED).update(expires_at=expires_at)
    slot.expires_at = expires_at
    return slot if revived == 1 else None


def _take(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    with transaction.atomic():
        free = _take_free(campaign=campaign, rater=rater, now=now)
        return free or _take_lapsed(campaign=campaign, rater=rater, now=now)


def _take_free(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    slot = queue.claim_free(campaign=campaign, rater=rater, now=now)
    if slot is None and queue.is_sweep_due(campaign=campaign, rater=rater, now=now):
        slot = queue.claim_free(campaign=campaign, rater=rater, now=now, is_sweep=True)
        if slot is None:
            queue.remember_empty(campaign=campaign, rater=rater, now=now)
    if slot is not None:
        queue.remember(slot=slot, rater=rater, now=now)
    return slot


def _take_lapsed(*, campaign: Campaign, rater: Rater, now: datetime) -> Slot | None:
    slot = queue.lock_lapsed(campaign=campaign, rater=rater, now=now)
    if slot is None:
        return None
    _end_lease(slot=slot, end=PastLease.End.LAPSED, now=now)
    return queue.lease_to(slot=slot, campaign=campaign, rater=rater, now=now)


# --- ending a lease ----------------------------------------------------------------------------------------------


def _locked(*, lease: uuid.UUID, rater: Rater) -> Slot | None:
    return (
        Slot.objects.select_for_update(of=("self",))
        .select_related("campaign", "guideline_version")
        .filter(lease=lease, rater=rater)
        .first()
    )


def _free(*, slot: Slot, end: PastLease.End, now: datetime) -> None:
    _end_lease(slot=slot, end=end, now=now)
    Slot.objects.filter(pk=slot.pk, lease=slot.lease).update(
        state=Slot.State.FREE,
        rater=None,
        lease=None,
        leased_at=None,
        expires_at=None,
        seed=None,
        guideline_version=None,
        queue_rank=queue.returned_rank(now),
    )


def _end_lease(*, slot: Slot, end: PastLease.End, now: datetime) -> None:
    assert slot.lease is not None
    assert slot.rater_id is not None  # both by slot_free_has_no_rater: the slot is leased
    PastLease.objects.create(
        lease=slot.lease,
        item_id=slot.item_id,
        campaign_id=slot.campaign_id,
        rater_id=slot.rater_id,
        guideline_version_id=slot.guideline_version_id,
        seed=slot.seed,
        leased_at=slot.leased_at,
        ended_at=now,
        end=end,
    )


# --- submitting --------------------------------------------------------------------------------------------------


def _open_lease(*, lease: uuid.UUID, rater: Rater, kind: str) -> tuple[Slot | None, Slot | PastLease, Judgment | None]:
    """The slot that `lease` holds (None when it has lost it), the lease itself, and the judgment already given under it.

    The row stays locked until the end of the transaction, so that the second of two submits sees the first's judgment.
    """
    slot = _locked(lease=lease, rater=rater)
    held: Slot | PastLease | None = slot
    if slot is None:
        held = (
            PastLease.objects.select_for_update(of=("self",))
            .select_related("campaign", "guideline_version")
            .filter(lease=lease, rater=rater)
            .first()
        )
    if held is None:
        raise UnableToSubmit(_("This item was never given to you. Go back to your work and take the next one."))
    if held.campaign.kind != kind:
        raise UnableToSubmit(_("This item asks for another kind of answer. Open it again from your work."))
    if slot is not None and slot.state == Slot.State.LEASED:
        return slot, slot, None
    return None, held, Judgment.objects.filter(lease=lease).first()


def _store(
    *,
    held: Slot | PastLease,
    slot: Slot | None,
    rater: Rater,
    presentation: Mapping[str, Any],
    active_s: float | None,
    warnings: Sequence[str],
    draft: Mapping[str, Any],
    now: datetime,
) -> Judgment | None:
    """The judgment's own row, its slot filled and its draft gone. None when this rater judged the item under another lease;
    what they wrote is then their draft."""
    if slot is None:
        if Judgment.objects.filter(item_id=held.item_id, rater=rater).exists():
            _store_draft(item_id=held.item_id, rater=rater, content=draft, now=now)
            return None
        slot = _another_slot(item_id=held.item_id, rater=rater)
    judgment = Judgment.objects.create(
        kind=held.campaign.kind,
        rater=rater,
        prompt_id=Item.objects.values_list("prompt_id", flat=True).get(pk=held.item_id),
        campaign_id=held.campaign_id,
        item_id=held.item_id,
        slot=slot,
        lease=held.lease,
        is_extra=slot is None,
        guideline_version_id=held.guideline_version_id,
        presentation=dict(presentation),
        warnings=list(warnings),
        active_s=active_s,
        leased_at=held.leased_at,
        submitted_at=now,
    )
    if slot is not None:
        Slot.objects.filter(pk=slot.pk).update(state=Slot.State.SUBMITTED, rater=rater, expires_at=None)
    Draft.objects.filter(item_id=held.item_id, rater=rater).delete()
    return judgment


def _another_slot(*, item_id: int, rater: Rater) -> Slot | None:
    """A slot of the item for a judgment whose own slot is gone: the one this rater took anew, else any free one."""
    slots = Slot.objects.select_for_update().filter(item_id=item_id)
    taken_anew = slots.filter(rater=rater, state=Slot.State.LEASED).first()
    return taken_anew or slots.filter(state=Slot.State.FREE).order_by("number").first()


def _store_draft(*, item_id: int, rater: Rater, content: Mapping[str, Any], now: datetime) -> Draft:
    draft = Draft(item_id=item_id, rater=rater, content=dict(content), saved_at=now)
    Draft.objects.bulk_create(
        [draft], update_conflicts=True, unique_fields=["rater", "item"], update_fields=["content", "saved_at"]
    )
    return draft


def _store_ranking(
    *,
    judgment: Judgment,
    shown: Sequence[Response],
    ranks: Mapping[int, int | None],
    ratings: Mapping[int, dict[str, int | bool]],
    reason: str | None,
    strength: int | None,
    is_all_bad: bool,
) -> None:
    comparison = Comparison.objects.create(judgment=judgment, strength=strength, reason=reason, is_all_bad=is_all_bad)
    RankedResponse.objects.bulk_create(
        RankedResponse(
            comparison=comparison,
            response=response,
            position=position,
            rank=ranks.get(position),
            ratings=ratings.get(position, {}),
        )
        for position, response in enumerate(shown)
    )


# --- checking what was given -------------------------------------------------------------------------------------


def _clean_ranks(ranks: Mapping[int, int | None], *, n_shown: int, is_all_bad: bool) -> dict[int, int | None]:
    _check_positions(ranks, n_shown=n_shown)
    for position, rank in ranks.items():
        if rank is not None and rank < 1:
            raise UnableToSubmit(_("Ranks count from 1, the best."), position=position)
    given = sorted({rank for rank in ranks.values() if rank is not None})
    if not given and not is_all_bad:
        raise UnableToSubmit(_("No response is ranked. Rank at least one, or skip the item."))
    return {position: None if rank is None else given.index(rank) + 1 for position, rank in ranks.items()}


def _clean_ratings(
    form: rating_form.RatingForm, ratings: Mapping[int, Mapping[str, Any]], *, n_shown: int
) -> dict[int, dict[str, int | bool]]:
    _check_positions(ratings, n_shown=n_shown)
    cleaned = {}
    for position in range(n_shown):
        cleaned[position], problems = rating_form.clean(form, ratings.get(position, {}))
        for problem in problems:
            raise UnableToSubmit(_sentence(problem, position), position=position, question=problem.question)
    return cleaned


def _check_positions(given: Mapping[int, object], *, n_shown: int) -> None:
    for position in given:
        if not 0 <= position < n_shown:
            raise UnableToSubmit(
                _("There is no response %(letter)s in this item.") % {"letter": letter(position)}, position=position
            )


def letter(position: int) -> str:
    """What the rater's page calls the response at `position`: A, B, C…"""
    return chr(ord("A") + position) if 0 <= position < 26 else str(position + 1)


def _sentence(problem: rating_form.Problem, position: int) -> str:
    values = {"letter": letter(position), "label": problem.label, "low": problem.low, "high": problem.high}
    sentences = {
        "required": _("Response %(letter)s: answer “%(label)s”, from %(low)d to %(high)d."),
        "not_a_number": _("Response %(letter)s: “%(label)s” is a whole number from %(low)d to %(high)d."),
        "out_of_range": _("Response %(letter)s: “%(label)s” goes from %(low)d to %(high)d."),
        "not_a_flag": _("Response %(letter)s: “%(label)s” is either ticked or not."),
        "unknown": _("Response %(letter)s: the rating form does not ask “%(label)s”. Load the page again."),
    }
    return sentences[problem.code] % values
