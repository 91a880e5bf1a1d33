"""What Prolific has paid workers, and how it lowers what is due on their timesheets."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from labeling.models import (
    Payment,
    ProlificBonus,
    ProlificBonusBatch,
    ProlificStudy,
    ProlificSubmission,
)
from labeling.pay.timesheets.sheets import PROLIFIC, TimesheetLine

Status = ProlificSubmission.Status
State = ProlificBonusBatch.State
NOT_PAID = (State.READY, State.REFUSED, State.DISCARDED)
"""Batches in any other state have been paid, or may be."""
Key = tuple[int, int | None, str]
"""rater, pool and currency"""


@dataclass(frozen=True)
class _Receipt:
    """What a rater has received for the work in a pool from this day on, in minor units."""

    since: dt.date
    amount: int


def received(study: ProlificStudy, submissions: Iterable[ProlificSubmission]) -> dict[str, int]:
    """Participant → rewards and bonuses, also those that were not paid from here."""
    ours = _bonuses(study)
    amounts: dict[str, int] = defaultdict(int)
    for submission in submissions:
        bonus = max(ours[submission.pk], submission.bonus_seen)
        amounts[submission.participant_id] += _reward(study, submission) + bonus
    return amounts


def submissions(**raters: object) -> QuerySet[ProlificSubmission]:
    """`raters`: rater, or rater__in."""
    of_raters = {f"visit__{name}": value for name, value in raters.items()}
    return ProlificSubmission.objects.filter(**of_raters).exclude(study__currency="")


def with_receipts(lines: Sequence[TimesheetLine], *, raters: Set[int]) -> list[TimesheetLine]:
    """The lines, and one for each day of which Prolific has paid these raters a part that was
    due.
    """
    unpaid = raters & {line.rater_id for line in lines if not line.is_paid}
    receipts = _receipts(unpaid) if unpaid else {}
    credited: list[TimesheetLine] = []
    for key, of_rater in receipts.items():
        left = Decimal(sum(receipt.amount for receipt in of_rater))
        begins = min(receipt.since for receipt in of_rater)
        for day, due in sorted(_due_by_day(lines, key).items()):
            amount = min(left, sum((line.amount or Decimal(0) for line in due), Decimal(0)))
            if day >= begins and amount > 0:
                credited.append(_credit(due[0], amount))
                left -= amount
    return [*lines, *credited]


def _due_by_day(lines: Iterable[TimesheetLine], key: Key) -> dict[dt.date, list[TimesheetLine]]:
    days: dict[dt.date, list[TimesheetLine]] = defaultdict(list)
    for line in lines:
        if not line.is_paid and (line.rater_id, line.pool_id, line.currency) == key:
            days[line.day].append(line)
    return days


def _credit(line: TimesheetLine, amount: Decimal) -> TimesheetLine:
    return TimesheetLine(
        rater_id=line.rater_id,
        day=line.day,
        pool_id=line.pool_id,
        pool=line.pool,
        kind=PROLIFIC,
        n=0,
        n_extra=0,
        n_skipped=0,
        seconds=0.0,
        rate=None,
        amount=-amount,
        currency=line.currency,
    )


def _receipts(raters: Iterable[int]) -> dict[Key, list[_Receipt]]:
    """By rater, pool and currency; without visits on a day that is marked as paid, which settles
    what Prolific paid for them too.
    """
    by_study: dict[int, list[ProlificSubmission]] = defaultdict(list)
    of_raters = submissions(rater__in=set(raters))
    for submission in of_raters.select_related("study__link__campaign", "visit"):
        by_study[submission.study_id].append(submission)
    marked = _marked(raters)
    receipts: dict[Key, list[_Receipt]] = defaultdict(list)
    for own in by_study.values():
        study = own[0].study
        visits = {row.participant_id: row.visit for row in own if row.visit}
        for participant, amount in received(study, own).items():
            visit = visits[participant]
            day = visit.started_at.astimezone(dt.UTC).date()
            if not any(since <= day <= until for since, until in marked[visit.rater_id]):
                key = (visit.rater_id, study.link.campaign.pool_id, study.currency)
                receipts[key].append(_Receipt(day, amount))
    return receipts


def _marked(raters: Iterable[int]) -> dict[int, list[tuple[dt.date, dt.date]]]:
    periods: dict[int, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    payments = Payment.objects.filter(rater__in=set(raters))
    for rater_id, since, until in payments.values_list("rater_id", "since", "until"):
        periods[rater_id].append((since, until))
    return periods


def _reward(study: ProlificStudy, submission: ProlificSubmission) -> int:
    if submission.status == Status.APPROVED:
        return study.reward
    return (study.screen_out_reward or 0) if submission.status == Status.SCREENED_OUT else 0


def _bonuses(study: ProlificStudy) -> dict[int, int]:
    """Submission → its bonuses, paid or on their way."""
    totals: dict[int, int] = defaultdict(int)
    lines = ProlificBonus.objects.filter(~Q(batch__state__in=NOT_PAID), batch__study=study)
    for submission_id, total in lines.values_list("submission").annotate(Sum("amount")):
        totals[submission_id] = total
    return totals
