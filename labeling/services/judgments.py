"""What a rater gives for an item: store it, take it back within seconds, correct it while the
campaign is open.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model, ProtectedError
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from config.compiled import execute, insert
from labeling import queue, rating_form, response_orders
from labeling.models import (
    Campaign,
    Comparison,
    Demonstration,
    Draft,
    Item,
    Judgment,
    PastLease,
    RankedResponse,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.selectors import guidance
from labeling.selectors.desk import UNDO_WITHIN
from labeling.services import asides, consequences, golds, slots

STRENGTHS = range(1, 5)
_FILL = (
    "UPDATE labeling_slot SET state = 'submitted', expires_at = NULL WHERE lease = %s AND rater_id"
    " = %s AND state = 'leased'"
)
_FORGET_DRAFT = "DELETE FROM labeling_draft WHERE item_id = %s AND rater_id = %s"
Parts = tuple[tuple[str, Sequence[Model]], ...]
"""Rows that belong to a judgment, each kind with its field for it, as config.compiled.insert takes
them.
"""
UNDO_GRACE = timedelta(seconds=10)
"""A press in the last second still has a way to go."""


class UnableToSubmit(Refusal):
    """A judgment that cannot be stored; the text tells the rater what to do. What they wrote is
    still theirs.
    """

    def __init__(self, sentence: str, *, position: int | None = None, question: str = "") -> None:
        super().__init__(sentence)
        self.position = position
        """The response it is about, 0 = shown first."""
        self.question = question


class UnableToUndo(Refusal):
    """A judgment that stays; the text says what can be done in its place."""


@dataclass(frozen=True)
class Edit:
    """A response made better: which (0 = shown first), and the better text."""

    position: int
    text: str


@dataclass(frozen=True)
class _Given:
    """A comparison that was checked: ranks are dense, ratings clean."""

    shown: Sequence[Response]
    ranks: Mapping[int, int | None]
    ratings: Mapping[int, dict[str, int | bool]]
    reason: str | None
    strength: int | None
    is_all_bad: bool
    edit: Edit | None

    @property
    def by_response(self) -> dict[int, int | None]:
        return {
            response.pk: self.ranks.get(position) for position, response in enumerate(self.shown)
        }


def submit_demonstration(
    *,
    lease: uuid.UUID,
    rater: Rater,
    text: str,
    further: Sequence[Mapping[str, str]] = (),
    sources: str = "",
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """Store the answer written under `lease`; a second submit of the same lease returns the first
    judgment.

    `further` are the turns after it where the campaign asks for a whole dialogue: chat messages,
    the user's and the assistant's. A lease that has lapsed still counts while a slot of the item is
    free, and is kept as extra when none is. Raises UnableToSubmit.
    """
    draft = {"text": text, "further": list(further), "sources": sources}
    with transaction.atomic():
        slot, held, first = _open_lease(lease=lease, rater=rater, kind=Campaign.Kind.DEMONSTRATION)
        if first is not None:
            return first
        _check_text(text)
        _check_further(further, campaign=held.campaign)
        judgment = _store(
            held=held,
            slot=slot,
            rater=rater,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            draft=draft,
            parts=(
                ("judgment", [Demonstration(text=text, further=list(further), sources=sources)]),
            ),
            now=now,
        )
        if judgment is not None:
            consequences.after_submit(judgment=judgment, campaign=held.campaign, held=held, now=now)
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
    edit: Edit | None = None,
    held: Slot | PastLease | None = None,
    shown: Sequence[Response] | None = None,
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """Store a ranking, by position on the rater's page (0 = shown first), like submit_demonstration
    stores a text.

    `ranks` may leave responses out (None), equal ranks tie, and gaps are closed: 1, 1, 3 is stored
    as 1, 1, 2. `is_all_bad` says that none is worth a rank: then all are left out. `edit` is a
    response made better: it becomes a demonstration of this judgment and a response of the rater's,
    preferred to the one it was made from. `held` and `shown` are what the caller has read of the
    lease already: its row with campaign and item, and what queue.presented gave.
    """
    draft = {
        "ranks": dict(ranks),
        "ratings": {position: dict(given) for position, given in ratings.items()},
        "reason": reason,
    }
    with transaction.atomic():
        slot, held, first = _open_lease(
            lease=lease, rater=rater, kind=Campaign.Kind.COMPARISON, held=held
        )
        if first is not None:
            return first
        given = _checked(
            shown=queue.presented(held) if shown is None else shown,
            form=guidance.form_of(held.guideline_version_id),
            ranks=ranks,
            ratings=ratings,
            reason=reason,
            strength=strength,
            is_all_bad=is_all_bad,
            edit=edit,
        )
        judgment = _store(
            held=held,
            slot=slot,
            rater=rater,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            draft=draft,
            parts=_parts_of(given),
            now=now,
        )
        if judgment is not None:
            if given.edit is not None:
                _store_edit(judgment=judgment, edit=given.edit, shown=given.shown, now=now)
            if judgment.is_gold:
                golds.note_answer(judgment=judgment, ranks=given.by_response, now=now)
            consequences.after_submit(judgment=judgment, campaign=held.campaign, held=held, now=now)
            return judgment
    raise UnableToSubmit(_("You have already judged this item. This answer is kept as a draft."))


def correct_demonstration(
    *,
    lease: uuid.UUID,
    rater: Rater,
    version: int,
    text: str,
    further: Sequence[Mapping[str, str]] = (),
    sources: str = "",
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """The answer stored under `lease` anew, in place of its `version`, which stays readable. Raises
    UnableToSubmit.
    """
    with transaction.atomic():
        old, corrected = _to_correct(
            lease=lease, rater=rater, version=version, kind=Judgment.Kind.DEMONSTRATION
        )
        if corrected is not None:
            return corrected
        _check_text(text)
        assert old.campaign is not None  # _to_correct has looked
        _check_further(further, campaign=old.campaign)
        judgment = _next_version(
            old=old,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            parts=(
                ("judgment", [Demonstration(text=text, further=list(further), sources=sources)]),
            ),
            now=now,
        )
        consequences.after_correction(judgment=judgment, campaign=old.campaign, now=now)
        return judgment


def correct_comparison(
    *,
    lease: uuid.UUID,
    rater: Rater,
    version: int,
    ranks: Mapping[int, int | None],
    ratings: Mapping[int, Mapping[str, Any]],
    reason: str | None = None,
    strength: int | None = None,
    is_all_bad: bool = False,
    edit: Edit | None = None,
    presentation: Mapping[str, Any] | None = None,
    active_s: float | None = None,
    warnings: Sequence[str] = (),
    now: datetime,
) -> Judgment:
    """The ranking stored under `lease` anew, like correct_demonstration corrects a text."""
    with transaction.atomic():
        old, corrected = _to_correct(
            lease=lease, rater=rater, version=version, kind=Judgment.Kind.COMPARISON
        )
        if corrected is not None:
            return corrected
        given = _checked(
            shown=[
                row.response
                for row in old.comparison.ranked.select_related("response").order_by("position")
            ],
            form=guidance.form_of(old.guideline_version_id),
            ranks=ranks,
            ratings=ratings,
            reason=reason,
            strength=strength,
            is_all_bad=is_all_bad,
            edit=edit,
        )
        judgment = _next_version(
            old=old,
            presentation=presentation or {},
            active_s=active_s,
            warnings=warnings,
            parts=_parts_of(given),
            now=now,
        )
        if given.edit is not None:
            _store_edit(judgment=judgment, edit=given.edit, shown=given.shown, now=now)
        assert old.campaign is not None  # _to_correct has looked
        consequences.after_correction(judgment=judgment, campaign=old.campaign, now=now)
        return judgment


def draft_correction(
    *, lease: uuid.UUID, rater: Rater, version: int, content: Mapping[str, Any], now: datetime
) -> Draft | None:
    """Keep what is typed so far to correct `version` of the answer under `lease`. None when that is
    no more how it stands.
    """
    with transaction.atomic():
        answer = (
            Judgment.objects.select_for_update(of=("self",))
            .filter(lease=lease, rater=rater, version=version)
            .first()
        )
        if answer is None or answer.item_id is None:
            return None
        return slots.store_draft(
            item_id=answer.item_id, rater=rater, version=version, content=content, now=now
        )


def drop_correction(*, item: Item, rater: Rater) -> None:
    """The answer stays as it is."""
    _forget_correction(item_id=item.pk, rater_id=rater.pk)


def undo(*, lease: uuid.UUID, rater: Rater, draft: Mapping[str, Any], now: datetime) -> None:
    """The judgment under `lease` as if it had not been submitted: the slot is the rater's again,
    `draft` is what they typed.

    What they were given next in that campaign goes back for anybody. Raises UnableToUndo when it is
    too late.
    """
    too_late = _(
        "It is too late to undo this. While the campaign is open you can correct the answer under"
        " My work."
    )
    try:
        with transaction.atomic():
            found = (
                Judgment.objects.select_for_update(of=("self",))
                .select_related("campaign")
                .filter(lease=lease, rater=rater)
            )
            judgment = found.filter(
                version=1, submitted_at__gte=now - UNDO_WITHIN - UNDO_GRACE
            ).first()
            if judgment is None:
                raise UnableToUndo(too_late)
            assert (
                judgment.item_id is not None
            )  # only an import's judgment has none, and that was given under no lease
            _give_back_what_came_next(judgment=judgment, now=now)
            _take_back(judgment=judgment, now=now)
            edits = list(Response.objects.filter(demonstration__judgment=judgment.pk))
            consequences.before_undo(judgment=judgment)
            judgment.delete()
            for edit in edits:
                edit.delete()
            _forget_correction(item_id=judgment.item_id, rater_id=rater.pk)
            slots.store_draft(item_id=judgment.item_id, rater=rater, content=draft, now=now)
    except (
        ProtectedError
    ) as error:  # something was built on it within these seconds: a snapshot, a campaign
        raise UnableToUndo(too_late) from error


# --- undoing --------------------------------------------------------------------------------------


def _give_back_what_came_next(*, judgment: Judgment, now: datetime) -> None:
    leased = Slot.objects.select_for_update(of=("self",)).select_related("item")
    leased = leased.filter(
        campaign=judgment.campaign_id, rater=judgment.rater_id, state=Slot.State.LEASED
    )
    for slot in leased:
        slots.set_free(slot=slot, end=PastLease.End.RELEASED, now=now)


def _take_back(*, judgment: Judgment, now: datetime) -> None:
    """The judgment's slot, under its old lease. Where a late answer had filled another slot, that
    one is free again.
    """
    if judgment.slot_id is None:
        return
    assert judgment.campaign is not None
    mine = Slot.objects.filter(pk=judgment.slot_id)
    expires_at = now + timedelta(minutes=judgment.campaign.lease_minutes)
    if (
        mine.filter(lease=judgment.lease).update(state=Slot.State.LEASED, expires_at=expires_at)
        == 1
    ):
        return
    mine.update(**slots.FREE, queue_rank=queue.returned_rank(now))


# --- correcting -----------------------------------------------------------------------------------


def _to_correct(
    *, lease: uuid.UUID, rater: Rater, version: int, kind: str
) -> tuple[Judgment, Judgment | None]:
    """The judgment to correct, locked; and it once more when this very correction is stored
    already.
    """
    old = (
        Judgment.objects.select_for_update(of=("self",))
        .select_related("campaign", "guideline_version")
        .filter(lease=lease, rater=rater, kind=kind)
        .first()
    )
    if old is None or old.campaign is None:
        raise UnableToSubmit(_("There is no such answer of yours. Open it again under My work."))
    if old.version == version + 1:
        return old, old
    if old.version != version:
        raise UnableToSubmit(
            _("This answer was corrected elsewhere in the meantime. Open it again under My work.")
        )
    if old.campaign.state != Campaign.State.OPEN:
        raise UnableToSubmit(_("The campaign is not open any more: its answers stay as they are."))
    return old, None


def _next_version(
    *,
    old: Judgment,
    presentation: Mapping[str, Any],
    active_s: float | None,
    warnings: Sequence[str],
    parts: Parts,
    now: datetime,
) -> Judgment:
    """The row that takes the place of `old`: its slot, its lease and the time it was first given.

    One that was set aside has lost its slot to others, and takes a seat again as it comes to count.
    """
    slot_id, lease, is_extra = old.slot_id, old.lease, old.is_extra
    if slot_id is None and not is_extra:
        slot_id = asides.seat(judgment=old, now=now)
        is_extra = slot_id is None
    Judgment.versions.filter(pk=old.pk).update(is_current=False, slot=None, lease=None)
    measured = [seconds for seconds in (old.active_s, active_s) if seconds is not None]
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
        presentation=dict(presentation),
        warnings=list(warnings),
        active_s=sum(measured) if measured else None,
        leased_at=old.leased_at,
        submitted_at=old.submitted_at,
        version=old.version + 1,
        supersedes=old,
        corrected_at=now,
    )
    insert(judgment, *parts)
    _forget_correction(item_id=old.item_id, rater_id=old.rater_id)
    return judgment


def _forget_correction(*, item_id: int | None, rater_id: int) -> None:
    Draft.objects.filter(item=item_id, rater=rater_id, version__gt=0).delete()


# --- submitting -----------------------------------------------------------------------------------


def _open_lease(
    *, lease: uuid.UUID, rater: Rater, kind: str, held: Slot | PastLease | None = None
) -> tuple[Slot | None, Slot | PastLease, Judgment | None]:
    """The slot that `lease` holds (None when it has lost it), the lease itself, and the judgment
    already given under it.

    A slot that it holds is filled: so its row is locked until the end of the transaction, and the
    second of two submits sees the first's judgment.
    """
    if isinstance(held, Slot) and held.campaign.kind == kind and _fill(lease=lease, rater=rater):
        return held, held, None
    slot = slots.locked(lease=lease, rater=rater)
    held = slot
    if slot is None:
        held = (
            PastLease.objects.select_for_update(of=("self",))
            .select_related("campaign", "item__gold_use")
            .filter(lease=lease, rater=rater)
            .first()
        )
    if held is None:
        raise UnableToSubmit(
            _("This item was never given to you. Go back to your work and take the next one.")
        )
    if held.campaign.kind != kind:
        raise UnableToSubmit(
            _("This item asks for another kind of answer. Open it again from your work.")
        )
    if slot is not None and _fill(lease=lease, rater=rater):
        return slot, slot, None
    return None, held, Judgment.objects.filter(lease=lease).first()


def _fill(*, lease: uuid.UUID, rater: Rater) -> bool:
    """Whether the lease held a slot, which now counts a judgment."""
    lease_as_stored = Slot._meta.get_field("lease").get_db_prep_value(lease, connection)
    return execute(_FILL, [lease_as_stored, rater.pk]) == 1


def _store(
    *,
    held: Slot | PastLease,
    slot: Slot | None,
    rater: Rater,
    presentation: Mapping[str, Any],
    active_s: float | None,
    warnings: Sequence[str],
    draft: Mapping[str, Any],
    parts: Parts,
    now: datetime,
) -> Judgment | None:
    """The judgment with its parts, its slot filled and its draft gone. None when this rater judged
    the item under another lease; what they wrote is then their draft.
    """
    if slot is None:
        if Judgment.objects.filter(item_id=held.item_id, rater=rater).exists():
            slots.store_draft(item_id=held.item_id, rater=rater, content=draft, now=now)
            return None
        slot = slots.fill_another(item_id=held.item_id, rater=rater)
    judgment = Judgment(
        kind=held.campaign.kind,
        rater=rater,
        prompt_id=held.item.prompt_id,
        campaign_id=held.campaign_id,
        item_id=held.item_id,
        slot=slot,
        lease=held.lease,
        is_extra=slot is None,
        is_gold=hasattr(held.item, "gold_use"),
        guideline_version_id=held.guideline_version_id,
        presentation=dict(presentation),
        warnings=list(warnings),
        active_s=active_s,
        leased_at=held.leased_at,
        submitted_at=now,
    )
    insert(judgment, *parts)
    execute(_FORGET_DRAFT, [held.item_id, rater.pk])
    return judgment


def _parts_of(given: _Given) -> Parts:
    ranked = [
        RankedResponse(
            response=response,
            position=position,
            rank=given.ranks.get(position),
            ratings=given.ratings.get(position, {}),
        )
        for position, response in enumerate(given.shown)
    ]
    comparison = Comparison(
        strength=given.strength, reason=given.reason, is_all_bad=given.is_all_bad
    )
    return (("judgment", [comparison]), ("comparison", ranked))


def _store_edit(
    *, judgment: Judgment, edit: Edit, shown: Sequence[Response], now: datetime
) -> None:
    name = f"rater {judgment.rater.alias}"
    defaults = {"kind": Source.Kind.PERSON, "person_id": judgment.rater.user_id, "created_at": now}
    source, _created = Source.objects.get_or_create(name=name, defaults=defaults)
    own = Response.objects.filter(prompt=judgment.prompt_id, source=source)
    number = own.aggregate(last=Max("number"))["last"]
    response = Response.objects.create(
        prompt_id=judgment.prompt_id,
        source=source,
        text=edit.text,
        number=0 if number is None else number + 1,
        created_at=now,
    )
    original = shown[edit.position]
    Demonstration.objects.create(
        judgment=judgment, text=edit.text, edit_of=original, response=response
    )


# --- checking what was given ----------------------------------------------------------------------


def _check_text(text: str) -> None:
    if not text.strip():
        raise UnableToSubmit(_("The answer is empty. Write one, or skip the item."))


def _check_further(further: Sequence[Mapping[str, str]], *, campaign: Campaign) -> None:
    if further and not campaign.asks_dialogue:
        raise UnableToSubmit(_("This campaign asks for one answer, and not for a whole dialogue."))
    expected = ("user", "assistant") * (len(further) // 2)
    if tuple(message["role"] for message in further) != expected:
        raise UnableToSubmit(
            _("A dialogue goes on by turns, user and assistant, and ends with the assistant's.")
        )
    if not all(message["content"].strip() for message in further):
        raise UnableToSubmit(_("A turn of the dialogue is empty. Write it, or remove it."))


def _checked(
    *,
    shown: Sequence[Response],
    form: rating_form.RatingForm,
    ranks: Mapping[int, int | None],
    ratings: Mapping[int, Mapping[str, Any]],
    reason: str | None,
    strength: int | None,
    is_all_bad: bool,
    edit: Edit | None,
) -> _Given:
    dense = _clean_ranks({} if is_all_bad else ranks, n_shown=len(shown), is_all_bad=is_all_bad)
    rated = _clean_ratings(form, ratings, n_shown=len(shown))
    if strength is not None and strength not in STRENGTHS:
        raise UnableToSubmit(_("The strength of a preference is a number from 1 to 4."))
    if edit is not None:
        _check_edit(edit, shown)
    return _Given(shown, dense, rated, reason, strength, is_all_bad, edit)


def _check_edit(edit: Edit, shown: Sequence[Response]) -> None:
    _check_positions({edit.position: edit}, n_shown=len(shown))
    if not edit.text.strip():
        raise UnableToSubmit(_("The edit is empty. Write it, or drop it."))
    if edit.text == shown[edit.position].text.replace("\r\n", "\n"):
        raise UnableToSubmit(
            _("The edit changes nothing. Make the response better, or drop the edit.")
        )


def _clean_ranks(
    ranks: Mapping[int, int | None], *, n_shown: int, is_all_bad: bool
) -> dict[int, int | None]:
    _check_positions(ranks, n_shown=n_shown)
    for position, rank in ranks.items():
        if rank is not None and rank < 1:
            raise UnableToSubmit(_("Ranks count from 1, the best."), position=position)
    if not is_all_bad and all(rank is None for rank in ranks.values()):
        raise UnableToSubmit(_("No response is ranked. Rank at least one, or skip the item."))
    return response_orders.dense(ranks)


def _clean_ratings(
    form: rating_form.RatingForm, ratings: Mapping[int, Mapping[str, Any]], *, n_shown: int
) -> dict[int, dict[str, int | bool]]:
    _check_positions(ratings, n_shown=n_shown)
    cleaned = {}
    for position in range(n_shown):
        cleaned[position], problems = rating_form.clean(form, ratings.get(position, {}))
        for problem in problems:
            raise UnableToSubmit(
                _sentence(problem, position), position=position, question=problem.question
            )
    return cleaned


def _check_positions(given: Mapping[int, object], *, n_shown: int) -> None:
    for position in given:
        if not 0 <= position < n_shown:
            raise UnableToSubmit(
                _("There is no response %(letter)s in this item.")
                % {"letter": response_orders.letter(position)},
                position=position,
            )


def _sentence(problem: rating_form.Problem, position: int) -> str:
    values = {
        "letter": response_orders.letter(position),
        "label": problem.label,
        "low": problem.low,
        "high": problem.high,
    }
    sentences = {
        "required": _("Response %(letter)s: answer “%(label)s”, from %(low)d to %(high)d."),
        "not_a_number": _(
            "Response %(letter)s: “%(label)s” is a whole number from %(low)d to %(high)d."
        ),
        "out_of_range": _("Response %(letter)s: “%(label)s” goes from %(low)d to %(high)d."),
        "not_a_flag": _("Response %(letter)s: “%(label)s” is either ticked or not."),
        "unknown": _(
            "Response %(letter)s: the rating form does not ask “%(label)s”. Load the page again."
        ),
    }
    return sentences[problem.code] % values
