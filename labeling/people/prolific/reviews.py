"""What a person decides about submissions: approve, ask to return, reject. A rejection is one
person's about one submission, with a reason; nothing here decides by a figure.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from labeling.models import ProlificStudy, ProlificSubmission
from labeling.people.prolific import client, dues, protocol

Status = ProlificSubmission.Status


class RejectionCategory(TextChoices):
    """Prolific's own."""

    FAILED_INSTRUCTIONS = "FAILED_INSTRUCTIONS", gettext_lazy("Did not follow the instructions")
    FAILED_CHECK = "FAILED_CHECK", gettext_lazy("Failed fair attention checks")
    LOW_EFFORT = "LOW_EFFORT", gettext_lazy("Clearly low effort")
    MALINGERING = "MALINGERING", gettext_lazy("Answered untruthfully")
    TOO_QUICKLY = "TOO_QUICKLY", gettext_lazy("Exceptionally fast")
    TOO_SLOWLY = "TOO_SLOWLY", gettext_lazy("Exceptionally slow")
    NO_CODE = "NO_CODE", gettext_lazy("No completion code")
    BAD_CODE = "BAD_CODE", gettext_lazy("Wrong completion code")
    NO_DATA = "NO_DATA", gettext_lazy("No answers here")
    UNSUPP_DEVICE = "UNSUPP_DEVICE", gettext_lazy("Device that the study does not allow")
    INCOMP_LONGITUDINAL = "INCOMP_LONGITUDINAL", gettext_lazy("Left out a part of the study")
    OTHER = "OTHER", gettext_lazy("Other")


class UnableToReview(Refusal):
    """The submission cannot be decided like this; the text says why."""


def approve(*, submission: ProlificSubmission, by: User, now: datetime) -> ProlificSubmission:
    """Pay the reward. Repeating it pays nothing more. Raises UnableToReview and
    client.UnableToUseProlific.
    """
    _check_pending(submission)
    protocol.approve(submission.prolific_id)
    return _decided(submission, "approve", after={}, by=by, now=now)


def approve_passed(
    *, study: ProlificStudy, submission_ids: Collection[int], by: User, now: datetime
) -> int:
    """Approve those of these submissions that were handed in with the right code for a complete
    visit. Returns how many. Raises UnableToReview and client.UnableToUseProlific.
    """
    passed = [
        row.submission
        for row in dues.rows(study=study)
        if row.has_passed and row.submission.pk in submission_ids
    ]
    if not passed:
        raise UnableToReview(_("None of these submissions is waiting for approval."))
    protocol.approve_all([submission.prolific_id for submission in passed])
    with transaction.atomic():
        ids = [submission.pk for submission in passed]
        ProlificSubmission.objects.filter(pk__in=ids).update(status=Status.PROCESSING)
        ProlificStudy.objects.filter(pk=study.pk).update(poll_due_at=now)
        after = {"n_submissions": len(passed)}
        audit_log.record(by, "approve", study, after=after, now=now)
    return len(passed)


def ask_to_return(
    *, submission: ProlificSubmission, reason: str, by: User, now: datetime
) -> ProlificSubmission:
    """Ask the participant to return their submission: Prolific tells them the reason. Raises
    UnableToReview and client.UnableToUseProlific.
    """
    if submission.status not in dues.RETURNABLE:
        raise UnableToReview(_already(submission))
    if submission.return_asked_at is not None:
        raise UnableToReview(_("This participant has been asked to return it already."))
    protocol.ask_to_return(submission.prolific_id, reason=reason)
    return _decided(submission, "ask_return", after={"reason": reason}, by=by, now=now)


def reject(
    *, submission: ProlificSubmission, category: str, message: str, by: User, now: datetime
) -> ProlificSubmission:
    """Refuse the reward, with one of RejectionCategory and a message to the participant. It cannot
    be undone. Raises UnableToReview and client.UnableToUseProlific.
    """
    _check_pending(submission)
    if len(message) < protocol.FEWEST_REJECTION_CHARACTERS:
        sentence = _("Prolific needs a message of at least %(n)d characters.")
        raise UnableToReview(sentence % {"n": protocol.FEWEST_REJECTION_CHARACTERS})
    protocol.reject(submission.prolific_id, category=category, message=message)
    after = {"category": category, "message": message}
    return _decided(submission, "reject", after=after, by=by, now=now)


def _check_pending(submission: ProlificSubmission) -> None:
    if submission.status != Status.AWAITING_REVIEW:
        raise UnableToReview(_already(submission))


def _already(submission: ProlificSubmission) -> str:
    sentence = _("This submission is %(status)s on Prolific, so this is not possible.")
    return sentence % {"status": submission.get_status_display()}


def _decided(
    submission: ProlificSubmission, action: str, *, after: dict[str, str], by: User, now: datetime
) -> ProlificSubmission:
    """Store what Prolific says of the submission now; if it says nothing, the next poll does."""
    before = {"status": submission.status}
    try:
        seen = protocol.submission(submission.prolific_id)
        submission.status, submission.return_asked_at = seen.status, seen.return_asked_at
    except client.UnableToUseProlific:  # what was asked for is done all the same
        submission.status = Status.PROCESSING
    with transaction.atomic():
        submission.save(update_fields=["status", "return_asked_at"])
        ProlificStudy.objects.filter(pk=submission.study_id).update(poll_due_at=now)
        changed = {"status": submission.status} | after
        audit_log.record(by, action, submission, before=before, after=changed, now=now)
    return submission
