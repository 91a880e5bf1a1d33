"""Looks at a study on Prolific: its status and every submission. A worker who has returned theirs
or whose time is up frees the items they hold at once.

Each study has its next look in its row; a beat task rings what is due. After failures the looks
become rarer.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from jobs import guard
from labeling.models import CrowdLink, CrowdVisit, ProlificStudy, ProlificSubmission
from labeling.people.crowd import services as crowd_services
from labeling.people.crowd import worker_ids
from labeling.people.prolific import client, protocol

Status = ProlificStudy.Status
Submitted = ProlificSubmission.Status
WORKING = (Submitted.RESERVED, Submitted.ACTIVE)
CLAIMED_FOR = timedelta(minutes=6)
"""A look that takes longer was by a worker that died."""
OFTEN = timedelta(minutes=2)
PAUSES: dict[str, timedelta] = {
    Status.PUBLISHING: timedelta(minutes=1),
    Status.ACTIVE: OFTEN,
    Status.COMPLETED: timedelta(hours=6),
}
PAUSE = timedelta(minutes=10)
"""Between looks at a study in any other status."""
LONGEST_PAUSE = timedelta(hours=1)


def due_study_ids(*, now: datetime) -> list[int]:
    due = ProlificStudy.objects.filter(poll_due_at__lte=now).order_by("poll_due_at")
    return list(due.values_list("pk", flat=True))


def poll_study(*, study_id: int, is_asked: bool = False, now: datetime) -> bool:
    """Look at a study that is due, or now if a person asks. False when another worker does, or when
    Prolific gave no answer: the study's row says why.
    """
    studies = ProlificStudy.objects.filter(pk=study_id)
    due = studies if is_asked else studies.filter(poll_due_at__lte=now)
    if not guard.update_one(due, poll_due_at=now + CLAIMED_FOR):
        return False
    study = studies.select_related("link__campaign__pool").get()
    try:
        remote = protocol.study(study.prolific_id)
        submissions = _as_stored(study, protocol.submissions(study_id=study.prolific_id))
    except client.UnableToUseProlific as problem:
        _note_problem(study, problem, now=now)
        return False
    with transaction.atomic():
        _store_submissions(study, submissions)
        _store_study(study, remote, submissions, now=now)
    _end_visits(study, submissions, now=now)
    return True


def _as_stored(
    study: ProlificStudy, submissions: Iterable[protocol.Submission]
) -> list[protocol.Submission]:
    """With a hash in place of each ID that a withdrawal has removed, so that it stays removed."""
    removed = {
        *_removed(study.link.visits.values_list("external_id", flat=True)),
        *_removed(study.submissions.values_list("prolific_id", flat=True)),
    }
    if not removed:
        return list(submissions)
    return [
        replace(
            submission,
            prolific_id=_stored_id(submission.prolific_id, removed),
            participant_id=_stored_id(submission.participant_id, removed),
        )
        for submission in submissions
    ]


def _removed(stored: Iterable[str]) -> list[str]:
    return [submission for submission in stored if worker_ids.is_removed(submission)]


def _stored_id(prolific_id: str, removed: Set[str]) -> str:
    return next(
        (stored for stored in worker_ids.as_stored(prolific_id) if stored in removed), prolific_id
    )


def _note_problem(
    study: ProlificStudy, problem: client.UnableToUseProlific, *, now: datetime
) -> None:
    n = min(study.n_failures + 1, 30)
    pause = min(OFTEN * 2 ** min(n, 10), LONGEST_PAUSE)
    if isinstance(problem, client.TooManyRequests):
        pause = max(pause, timedelta(seconds=problem.wait_s))
    ProlificStudy.objects.filter(pk=study.pk).update(
        n_failures=n, problem=problem.sentence, poll_due_at=now + pause
    )
    if isinstance(problem, client.TokenRefused):
        _warn(study, now=now)


def _warn(study: ProlificStudy, *, now: datetime) -> None:
    """Once a day and study."""
    notices_services.notify(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=f"prolific-token-{study.pk}-{now.astimezone(UTC):%Y-%m-%d}",
        kind=Notice.Kind.WARNING,
        words=lambda: (
            _("Prolific refuses this site's token, so “%(name)s” is not up to date.")
            % {"name": study.link.name}
        ),
        path=reverse("crowd_prolific", args=[study.link_id]),
        now=now,
    )


def _store_submissions(study: ProlificStudy, submissions: Iterable[protocol.Submission]) -> None:
    visits = dict(study.link.visits.values_list("external_id", "pk"))
    rows = {
        submission.prolific_id: ProlificSubmission(
            study=study,
            prolific_id=submission.prolific_id,
            participant_id=submission.participant_id[:200],
            visit_id=visits.get(submission.participant_id),
            status=submission.status[:32],
            code=submission.code[:64],
            started_at=submission.started_at,
            completed_at=submission.completed_at,
            return_asked_at=submission.return_asked_at,
        )
        for submission in submissions
    }
    ProlificSubmission.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["prolific_id"],
        update_fields=[
            "participant_id",
            "visit",
            "status",
            "code",
            "started_at",
            "completed_at",
            "return_asked_at",
        ],
    )


def _store_study(
    study: ProlificStudy,
    seen: protocol.Study,
    submissions: Sequence[protocol.Submission],
    *,
    now: datetime,
) -> None:
    is_busy = any(submission.status in WORKING for submission in submissions)
    pause = OFTEN if is_busy else PAUSES.get(seen.status, PAUSE)
    n_places = Greatest(F("n_places"), Value(seen.n_places))  # an admin may just have added some
    ProlificStudy.objects.filter(pk=study.pk).update(
        status=seen.status,
        n_places=n_places,
        currency=seen.currency or study.currency,
        polled_at=now,
        poll_due_at=now + pause,
        n_failures=0,
        problem="",
    )
    CrowdLink.objects.filter(pk=study.link_id).update(n_places=n_places)


def _end_visits(
    study: ProlificStudy, submissions: Iterable[protocol.Submission], *, now: datetime
) -> None:
    """Of participants whose latest submission is over. Handed in without a code counts too: they
    will not come back to their items.
    """
    latest: dict[str, protocol.Submission] = {}
    for submission in submissions:
        before = latest.get(submission.participant_id)
        if before is None or _began(submission) >= _began(before):
            latest[submission.participant_id] = submission
    working = study.link.visits.filter(state=CrowdVisit.State.WORKING)
    for visit in working.select_related("link__campaign__pool", "rater"):
        last = latest.get(visit.external_id)
        if last is None or last.status in (*WORKING, Submitted.PROCESSING):
            continue
        if last.status == Submitted.RETURNED:
            crowd_services.return_visit(visit=visit, now=now)
        elif last.status in Submitted.values:
            crowd_services.time_out_visit(visit=visit, now=now)


def _began(submission: protocol.Submission) -> datetime:
    return submission.started_at or datetime.min.replace(tzinfo=UTC)
