"""Bonuses: prepared on Prolific, confirmed by an admin, sent by a worker, and looked up.

The row is the queue, as for everything that must not happen twice: a worker claims a batch, stores
how many bonuses Prolific lists for each participant, and only then asks it to pay. Without an
answer the batch is unconfirmed until the bonuses appear there; a request is sent again only by an
admin, after they did not.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from jobs.messages import Message
from labeling.models import ProlificBonus, ProlificBonusBatch, ProlificStudy, ProlificSubmission
from labeling.pay.timesheets import receipts
from labeling.people.prolific import client, dues, protocol
from labeling.queue.spending import money

State = ProlificBonusBatch.State
OPEN = (State.READY, State.QUEUED, State.SENDING, State.UNCONFIRMED, State.NOT_FOUND)
LOOKED_FOR = timedelta(minutes=30)
"""Prolific pays within minutes: a bonus that is not listed after this time was not paid."""
SENDING_AT_MOST = timedelta(minutes=20)
"""A batch that is being sent for longer was claimed by a worker that died."""
RETRY_S = 120
"""Before a batch that could not be sent is tried again."""
BETWEEN_LOOKS = timedelta(minutes=5)
LOOKED_AFTER_FOR = timedelta(days=2)
"""How long a batch that Prolific accepted is looked up."""

BONUSES = Message(
    "labeling.people.tasks.send_prolific_bonus", limit=timedelta(minutes=15), argument="batch_id"
)
"""Pays confirmed bonuses."""


class UnableToPayBonus(Refusal):
    """No bonus can be prepared or sent; the text says why."""


def open_batch(*, study: ProlificStudy) -> ProlificBonusBatch | None:
    """The one that must be settled before another is prepared."""
    return study.bonuses.filter(state__in=OPEN).first()


def batches(*, study: ProlificStudy) -> QuerySet[ProlificBonusBatch]:
    """Latest first."""
    return study.bonuses.select_related("created_by").order_by("-pk")


def prepare(
    *, study: ProlificStudy, submission_ids: Collection[int], by: User, now: datetime
) -> ProlificBonusBatch:
    """Set up what is due to these submissions on Prolific, which says the total with fees. No
    money moves. Raises UnableToPayBonus and client.UnableToUseProlific.
    """
    if open_batch(study=study) is not None:
        raise UnableToPayBonus(_("Other bonuses are not settled yet."))
    due = [
        row for row in dues.rows(study=study) if row.due and row.submission.pk in submission_ids
    ][: protocol.BONUSES_AT_ONCE]
    if not due:
        raise UnableToPayBonus(_("Nothing is due to these participants."))
    amounts = {
        row.submission.prolific_id: money.to_major(Decimal(row.due), study.currency) for row in due
    }
    prepared = protocol.prepare_bonuses(study_id=study.prolific_id, amounts=amounts)
    try:
        with transaction.atomic():
            return _create(study, prepared, due, by=by, now=now)
    except IntegrityError as problem:  # another admin was faster
        raise UnableToPayBonus(_("Other bonuses are not settled yet.")) from problem


def pay(*, batch: ProlificBonusBatch, total: int, by: User, now: datetime) -> None:
    """Confirm a prepared batch, whose `total` the admin has seen. A worker sends it. Raises
    UnableToPayBonus; a repeated call changes nothing and is refused.
    """
    ready = ProlificBonusBatch.objects.filter(pk=batch.pk, state=State.READY, total=total)
    with transaction.atomic():
        if not guard.update_one(ready, state=State.QUEUED, send_due_at=now):
            raise UnableToPayBonus(_("These bonuses have changed. Check them again."))
        _record(batch, "pay_bonus", by=by, now=now)
        BONUSES.wake_on_commit(batch.pk)


def send_again(*, batch: ProlificBonusBatch, by: User, now: datetime) -> None:
    """Queue a batch again that Prolific does not list. Raises UnableToPayBonus."""
    missing = ProlificBonusBatch.objects.filter(pk=batch.pk, state=State.NOT_FOUND)
    with transaction.atomic():
        if not guard.update_one(missing, state=State.QUEUED, send_due_at=now, problem=""):
            raise UnableToPayBonus(
                _("These bonuses may have been paid. They can be sent again once this is known.")
            )
        _record(batch, "resend", by=by, now=now)
        BONUSES.wake_on_commit(batch.pk)


def discard(*, batch: ProlificBonusBatch, by: User, now: datetime) -> None:
    """Drop a batch that was not sent, or that Prolific does not list. Raises UnableToPayBonus."""
    unpaid = ProlificBonusBatch.objects.filter(
        pk=batch.pk, state__in=[State.READY, State.NOT_FOUND]
    )
    with transaction.atomic():
        if not guard.update_one(unpaid, state=State.DISCARDED):
            raise UnableToPayBonus(_("These bonuses have been sent, so they cannot be discarded."))
        _record(batch, "discard", by=by, now=now)


# --- the worker -----------------------------------------------------------------------------------


def waiting_batch_ids(*, now: datetime) -> list[int]:
    """Queued batches, whose message may be lost."""
    return list(_queued(now).order_by("pk").values_list("pk", flat=True))


def batch_ids_to_look_up(*, now: datetime) -> list[int]:
    """Batches of which nobody knows yet whether they were paid."""
    rested = Q(looked_up_at=None) | Q(looked_up_at__lte=now - BETWEEN_LOOKS)
    unknown = (
        Q(state=State.UNCONFIRMED)
        | Q(state=State.SENDING, sent_at__lte=now - SENDING_AT_MOST)
        | Q(state=State.SENT, sent_at__gt=now - LOOKED_AFTER_FOR)
    )
    queryset = ProlificBonusBatch.objects.filter(rested, unknown)
    return list(queryset.order_by("pk").values_list("pk", flat=True))


def send(*, batch_id: int, now: datetime) -> bool:
    """Ask Prolific to pay a queued batch. False when it was not sent: another worker has it, it
    waits for a next try, or the row says what is wrong.
    """
    if not guard.update_one(_queued(now).filter(pk=batch_id), state=State.SENDING, sent_at=now):
        return False
    batch = ProlificBonusBatch.objects.select_related("study__link__campaign").get(pk=batch_id)
    lines = list(batch.lines.select_related("submission"))
    try:
        problem = _look_first(batch, lines)
    except client.UnableToUseProlific as problem_there:  # nothing was sent yet
        _back_to_queue(batch, problem_there, now=now)
        return False
    if problem:
        _settle(batch, State.REFUSED, problem)
        return False
    if any(line.is_paid for line in lines):  # an earlier request had worked after all
        _settle(batch, State.SENT)
        return False
    return _pay(batch, now=now)


def look_up(*, batch_id: int, now: datetime) -> bool:
    """Whether Prolific lists every bonus of a batch."""
    queryset = ProlificBonusBatch.objects.select_related("study").filter(pk=batch_id)
    batch = queryset.filter(state__in=[State.SENDING, State.SENT, State.UNCONFIRMED]).first()
    if batch is None:
        return False
    ProlificBonusBatch.objects.filter(pk=batch_id).update(looked_up_at=now)
    lines = list(batch.lines.select_related("submission"))
    if any(line.n_before is None for line in lines):  # its worker died before it sent anything
        _settle(batch, State.QUEUED)
        return False
    try:
        for line in lines:
            _look(line)
    except client.UnableToUseProlific as problem:
        _settle(batch, batch.state, problem.sentence)
        return False
    _settle(batch, _state_after_look(batch, lines, now=now))
    return all(line.is_paid for line in lines)


def _queued(now: datetime) -> QuerySet[ProlificBonusBatch]:
    return ProlificBonusBatch.objects.filter(state=State.QUEUED, send_due_at__lte=now)


def _create(
    study: ProlificStudy,
    prepared: protocol.Prepared,
    due: Sequence[dues.Row],
    *,
    by: User,
    now: datetime,
) -> ProlificBonusBatch:
    batch = ProlificBonusBatch.objects.create(
        study=study,
        prolific_id=prepared.prolific_id,
        amount=sum(row.due for row in due),
        total=prepared.total,
        created_by=by,
        created_at=now,
    )
    ProlificBonus.objects.bulk_create(
        ProlificBonus(batch=batch, submission=row.submission, amount=row.due) for row in due
    )
    _record(batch, "prepare_bonus", by=by, now=now)
    return batch


def _look_first(batch: ProlificBonusBatch, lines: Sequence[ProlificBonus]) -> str:
    """Store what Prolific lists before the request. Returns a sentence if it lists bonuses that the
    batch does not know of, because then less is due.
    """
    n_other = 0
    for line in lines:
        if line.n_before is not None:  # of an earlier request
            _look(line)
            continue
        known = max(_paid_before(batch, line), line.submission.bonus_seen)
        paid = protocol.bonuses_paid(line.submission.prolific_id)
        ProlificBonus.objects.filter(pk=line.pk).update(n_before=paid.count(line.amount))
        ProlificSubmission.objects.filter(pk=line.submission_id).update(bonus_seen=sum(paid))
        n_other += sum(paid) > known
    if not n_other:
        return ""
    return _(
        "Prolific lists other bonuses for %(n)d of these participants. Nothing was paid. Prepare"
        " the bonuses again: what is due now counts them."
    ) % {"n": n_other}


def _paid_before(batch: ProlificBonusBatch, line: ProlificBonus) -> int:
    others = ProlificBonus.objects.filter(submission=line.submission_id).exclude(batch=batch)
    counted = others.exclude(batch__state__in=receipts.NOT_PAID)
    total: int = counted.aggregate(total=Coalesce(Sum("amount"), 0))["total"]
    return total


def _look(line: ProlificBonus) -> None:
    paid = protocol.bonuses_paid(line.submission.prolific_id)
    line.is_paid = paid.count(line.amount) > (line.n_before or 0)
    ProlificBonus.objects.filter(pk=line.pk).update(is_paid=line.is_paid)
    ProlificSubmission.objects.filter(pk=line.submission_id).update(bonus_seen=sum(paid))


def _pay(batch: ProlificBonusBatch, *, now: datetime) -> bool:
    try:
        protocol.pay_bonuses(batch.prolific_id)
    except client.NoAnswer as problem:
        _settle(batch, State.UNCONFIRMED, problem.sentence)
    except (client.NotReached, client.TooManyRequests) as problem:
        _back_to_queue(batch, problem, now=now)
    except client.UnableToUseProlific as problem:
        _settle(batch, State.REFUSED, problem.sentence)
    else:
        _settle(batch, State.SENT)
        return True
    return False


def _back_to_queue(
    batch: ProlificBonusBatch, problem: client.UnableToUseProlific, *, now: datetime
) -> None:
    wait_s = problem.wait_s if isinstance(problem, client.TooManyRequests) else RETRY_S
    sending = ProlificBonusBatch.objects.filter(pk=batch.pk, state=State.SENDING)
    sending.update(
        state=State.QUEUED,
        send_due_at=now + timedelta(seconds=max(wait_s, RETRY_S)),
        problem=problem.sentence,
    )


def _state_after_look(
    batch: ProlificBonusBatch, lines: Sequence[ProlificBonus], *, now: datetime
) -> str:
    if all(line.is_paid for line in lines):
        return State.PAID
    if batch.state == State.SENT or any(line.is_paid for line in lines):
        return State.SENT
    is_missing = batch.sent_at is not None and batch.sent_at <= now - LOOKED_FOR
    return State.NOT_FOUND if is_missing else State.UNCONFIRMED


def _settle(batch: ProlificBonusBatch, state: str, problem: str = "") -> None:
    """From the state in which it was read: another worker may have been faster."""
    as_read = ProlificBonusBatch.objects.filter(pk=batch.pk, state=batch.state)
    as_read.update(state=state, problem=problem)


def _record(batch: ProlificBonusBatch, action: str, *, by: User, now: datetime) -> None:
    after = {
        "amount": dues.in_words(batch.study, batch.amount),
        "total": dues.in_words(batch.study, batch.total),
        "n_participants": batch.lines.count(),
    }
    audit_log.record(by, action, batch, after=after, now=now)
