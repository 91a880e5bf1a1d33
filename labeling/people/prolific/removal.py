"""Removes the numbers of submissions on Prolific whose rater has withdrawn and was paid."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from labeling.models import ProlificBonus, ProlificBonusBatch, ProlificStudy, ProlificSubmission
from labeling.people.crowd import worker_ids
from labeling.people.prolific import bonuses, dues

Status = ProlificSubmission.Status
KEPT_FOR = timedelta(days=30)
"""After the withdrawal: rewards can be decided and bonuses paid."""
DECIDED = (*dues.OWED, Status.REJECTED)


def remove_settled(*, now: datetime) -> int:
    """Remove the numbers of submissions to which nothing is due any more. Returns how many."""
    waiting = _waiting(now=now)
    studies = ProlificStudy.objects.filter(pk__in=waiting.values("study"))
    return sum(_remove_of(study, waiting) for study in studies.select_related("link__campaign"))


def _remove_of(study: ProlificStudy, waiting: QuerySet[ProlificSubmission]) -> int:
    if not study.currency:  # nobody knows what is due
        return 0
    ids = set(waiting.filter(study=study).values_list("pk", flat=True))
    settled = [
        row.submission
        for row in dues.rows(study=study)
        if row.submission.pk in ids and row.due == 0
    ]
    for submission in settled:
        submission.prolific_id = worker_ids.hashed(submission.prolific_id)
    ProlificSubmission.objects.bulk_update(settled, ["prolific_id"])
    return len(settled)


def _waiting(*, now: datetime) -> QuerySet[ProlificSubmission]:
    state = ProlificBonusBatch.State
    looked_up = Q(
        batch__state=state.SENT, batch__sent_at__gt=now - bonuses.LOOKED_AFTER_FOR, is_paid=False
    )
    unsettled = ProlificBonus.objects.filter(
        Q(batch__state__in=bonuses.OPEN) | looked_up, submission=OuterRef("pk")
    )
    return ProlificSubmission.objects.filter(
        ~Exists(unsettled),
        ~Q(prolific_id__startswith=worker_ids.MARK),
        visit__rater__withdrawn_at__lte=now - KEPT_FOR,
        status__in=DECIDED,
    )
