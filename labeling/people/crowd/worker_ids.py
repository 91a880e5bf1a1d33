"""The IDs by which a platform knows its workers. After a withdrawal only a keyed hash of the ID
stays: it recognizes a worker who comes again, and cannot be turned back into the ID.
"""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import salted_hmac

from labeling.models import CrowdVisit, ProlificSubmission, Rater

MARK = "removed:"
"""What stands in place of a removed ID begins with it."""
LENGTH = 32
BATCH = 500


def hashed(worker_id: str) -> str:
    """What stands in place of this ID once it is removed."""
    return _hashed(worker_id, settings.SECRET_KEY)


def as_stored(worker_id: str) -> list[str]:
    """Everything that this ID may be stored as: itself, or removed under a key still in use."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [worker_id, *(_hashed(worker_id, key) for key in keys)]


def is_removed(stored: str) -> bool:
    return stored.startswith(MARK)


def shown(stored: str) -> str | None:
    """For the worker's own data."""
    return None if is_removed(stored) else stored


def remove(*, rater: Rater) -> None:
    """Replace the IDs of a rater who has withdrawn. Bonuses are paid to submissions, whose numbers
    stay until they are settled.
    """
    visits = list(CrowdVisit.objects.filter(_clear("external_id"), rater=rater))
    for visit in visits:
        visit.external_id = hashed(visit.external_id)
    CrowdVisit.objects.bulk_update(visits, ["external_id"], batch_size=BATCH)
    handed_in = list(
        ProlificSubmission.objects.filter(_clear("participant_id"), visit__rater=rater)
    )
    for submission in handed_in:
        submission.participant_id = hashed(submission.participant_id)
    ProlificSubmission.objects.bulk_update(handed_in, ["participant_id"], batch_size=BATCH)


def remove_late() -> int:
    """Remove what was stored while its rater withdrew, or who withdrew before IDs were removed.
    Returns how many raters.
    """
    visits = CrowdVisit.objects.filter(_clear("external_id"), rater=OuterRef("pk"))
    handed_in = ProlificSubmission.objects.filter(
        _clear("participant_id"), visit__rater=OuterRef("pk")
    )
    left = Rater.people.filter(Exists(visits) | Exists(handed_in), withdrawn_at__isnull=False)
    raters = list(left.order_by("pk")[:BATCH])
    for rater in raters:
        remove(rater=rater)
    return len(raters)


def _clear(field: str) -> Q:
    return ~Q(**{f"{field}__startswith": MARK})


def _hashed(worker_id: str, key: str) -> str:
    made = salted_hmac("labeling.people.worker_ids", worker_id, secret=key, algorithm="sha256")
    return MARK + made.hexdigest()[:LENGTH]
