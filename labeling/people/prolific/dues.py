"""What each participant is owed beyond what Prolific has paid them: from the pool's rates, and the
full reward for those who finished after their time was up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from labeling.models import (
    CrowdVisit,
    Judgment,
    ProlificStudy,
    ProlificSubmission,
)
from labeling.pay.timesheets import receipts, visits
from labeling.people.crowd import worker_ids
from labeling.queue.spending import money

Status = ProlificSubmission.Status
OVER = (Status.TIMED_OUT, Status.RETURNED)
RETURNABLE = (Status.RESERVED, Status.ACTIVE, Status.AWAITING_REVIEW)
OWED = (Status.APPROVED, Status.SCREENED_OUT, *OVER)
"""Submissions whose bonus can be counted: their reward is decided, and was not refused."""


@dataclass(frozen=True)
class Row:
    """A submission with the worker's visit. Amounts are in minor units."""

    submission: ProlificSubmission
    n_given: int
    earned: int
    received: int
    """by the participant in this study: rewards, and bonuses, those on their way included"""
    due: int
    is_marked_paid: bool
    """the Pay page says that this worker's days are paid"""

    @property
    def visit(self) -> CrowdVisit | None:
        return self.submission.visit

    @property
    def prolific_id(self) -> str:
        """Empty once it was removed after a withdrawal."""
        return worker_ids.shown(self.submission.prolific_id) or ""

    @property
    def is_late(self) -> bool:
        """Finished here, after Prolific had given the place away."""
        return _is_late(self.submission, self.n_given)

    @property
    def has_passed(self) -> bool:
        """Handed in on Prolific with the code that the site gave, for a complete visit."""
        visit = self.visit
        return (
            self.submission.status == Status.AWAITING_REVIEW
            and visit is not None
            and visit.state == CrowdVisit.State.COMPLETE
            and self.submission.code == (visit.code or visit.link.completion_code)
        )

    @property
    def is_returnable(self) -> bool:
        """Whether the participant can still be asked to return it."""
        return self.submission.status in RETURNABLE and self.submission.return_asked_at is None

    @property
    def is_reviewable(self) -> bool:
        return self.submission.status == Status.AWAITING_REVIEW


def rows(*, study: ProlificStudy) -> list[Row]:
    """Every submission, latest first, in a constant number of queries."""
    submissions = list(
        study.submissions.select_related("visit__rater", "visit__link").order_by(
            F("started_at").desc(nulls_last=True), "-pk"
        )
    )
    earned = visits.earned_through(link=study.link, currency=study.currency)
    paid_days = visits.paid_days(link=study.link)
    n_answers = _n_given(study)
    received = receipts.received(study, submissions)
    latest = _latest(submissions)
    return [
        _row(
            study,
            submission,
            n_given=n_answers.get(submission.visit_id or 0, 0),
            # A participant who came back has several submissions and one visit, which is paid once.
            earned=earned if submission.pk in latest else None,
            received=received[submission.participant_id],
            paid_days=paid_days,
        )
        for submission in submissions
    ]


def in_words(study: ProlificStudy, amount: int) -> str:
    """“1.50 GBP”, without a currency until Prolific says it."""
    return money.words(Decimal(amount), study.currency).strip()


def _row(
    study: ProlificStudy,
    submission: ProlificSubmission,
    *,
    n_given: int,
    earned: Mapping[int, Decimal] | None,
    received: int,
    paid_days: Mapping[int, Sequence[tuple[date, date]]],
) -> Row:
    visit = submission.visit
    owed = 0
    if earned is not None and visit is not None:
        owed = int(money.whole(earned.get(visit.rater_id, Decimal(0))))
        if _is_late(submission, n_given):
            owed = max(owed, study.reward)
    is_marked_paid = visit is not None and _is_marked_paid(visit, paid_days)
    is_counted = (
        submission.status in OWED
        and bool(study.currency)
        and not is_marked_paid
        and not worker_ids.is_removed(submission.prolific_id)  # nothing was due then
    )
    return Row(
        submission=submission,
        n_given=n_given,
        earned=owed,
        received=received,
        due=max(0, owed - received) if is_counted else 0,
        is_marked_paid=is_marked_paid,
    )


def _is_late(submission: ProlificSubmission, n_given: int) -> bool:
    visit = submission.visit
    return (
        submission.status in OVER
        and visit is not None
        and (visit.state == CrowdVisit.State.COMPLETE or n_given >= visit.link.n_items)
    )


def _is_marked_paid(
    visit: CrowdVisit, paid_days: Mapping[int, Sequence[tuple[date, date]]]
) -> bool:
    day = visit.started_at.astimezone(UTC).date()
    return any(since <= day <= until for since, until in paid_days.get(visit.rater_id, ()))


def _latest(submissions: Iterable[ProlificSubmission]) -> set[int]:
    """Of each participant; `submissions` are latest first."""
    latest: dict[str, int] = {}
    for submission in submissions:
        latest.setdefault(submission.participant_id, submission.pk)
    return set(latest.values())


def _n_given(study: ProlificStudy) -> dict[int, int]:
    """Answers in each visit."""
    judgments = (
        Judgment.of_everyone.filter(
            rater=OuterRef("rater"),
            campaign=study.link.campaign_id,
            submitted_at__gte=OuterRef("started_at"),
        )
        .order_by()
        .values("rater")
        .annotate(n=Count("pk"))
        .values("n")
    )
    counted = study.link.visits.annotate(n=Coalesce(Subquery(judgments), 0))
    return dict(counted.values_list("pk", "n"))
