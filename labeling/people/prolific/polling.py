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
    if due.update(poll_due_at=now + CLAIMED_FOR) != 1:
        return False
    study = studies.select_related("link__campaign__pool").get()
    try:
        found = protocol.study(study.prolific_id)
        submissions = _as_stored(study, protocol.submissions(study_id=study.prolific_id))
    except client.UnableToUseProlific as problem:
        _note_problem(study, problem, now=now)
        return False
    with transaction.atomic():
        _store_submissions(study, submissions)
        _store_study(study, found, submissions, now=now)
    _end_visits(study, submissions, now=now)
    return True


def _as_stored(
    study: ProlificStudy, found: Iterable[protocol.Submission]
) -> list[protocol.Submission]:
    """With a hash in place of each ID that a withdrawal has removed, so that it stays removed."""
    removed = {
        *_removed(study.link.visits.values_list("external_id", flat=True)),
        *_removed(study.submissions.values_list("prolific_id", flat=True)),
    }
    if not removed:
        return list(found)
    return [
        replace(
            each,
            prolific_id=_stored_id(each.prolific_id, removed),
            participant_id=_stored_id(each.participant_id, removed),
        )
        for each in found
    ]


def _removed(stored: Iterable[str]) -> list[str]:
    return [each for each in stored if worker_ids.is_removed(each)]


def _stored_id(given: str, removed: Set[str]) -> str:
    return next((each for each in worker_ids.as_stored(given) if each in removed), given)


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


def _store_submissions(study: ProlificStudy, found: Iterable[protocol.Submission]) -> None:
    visits = dict(study.link.visits.values_list("external_id", "pk"))
    rows = {
        each.prolific_id: ProlificSubmission(
            study=study,
            prolific_id=each.prolific_id,
            participant_id=each.participant_id[:200],
            visit_id=visits.get(each.participant_id),
            status=each.status[:32],
            code=each.code[:64],
            started_at=each.started_at,
            completed_at=each.completed_at,
            return_asked_at=each.return_asked_at,
        )
        for each in found
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
    found: protocol.Study,
    submissions: Sequence[protocol.Submission],
    *,
    now: datetime,
) -> None:
    is_busy = any(each.status in WORKING for each in submissions)
    pause = OFTEN if is_busy else PAUSES.get(found.status, PAUSE)
    n_places = Greatest(F("n_places"), Value(found.n_places))  # an admin may just have added some
    ProlificStudy.objects.filter(pk=study.pk).update(
        status=found.status,
        n_places=n_places,
        currency=found.currency or study.currency,
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
    for each in submissions:
        before = latest.get(each.participant_id)
        if before is None or _began(each) >= _began(before):
            latest[each.participant_id] = each
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
