"""Judgments that a reviewer takes out of what is measured and learned from, and puts back. Nothing is deleted or unpaid."""

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from labeling.models import Judgment, QualityReport, SetAside


def set_aside(*, judgment: Judgment, reason: str, by: User | None, now: datetime) -> bool:
    """Out of agreement, consensus, snapshots and exports from here on; False when it was already.

    What was frozen before stays as it was. A later correction by the rater is a judgment of its own and counts again.
    """
    with transaction.atomic():
        stored, is_new = SetAside.objects.get_or_create(judgment=judgment, defaults={"reason": reason, "by": by, "at": now})
        if is_new:
            audit.record(by=by, action="set_aside", target=stored, after=_about(judgment) | {"reason": reason}, now=now)
            outdate(campaign_id=judgment.campaign_id)
    return is_new


def take_back(*, judgment: Judgment, by: User | None, now: datetime) -> bool:
    """The judgment counts again; False when it was not set aside."""
    with transaction.atomic():
        stored = SetAside.objects.select_for_update().filter(judgment=judgment).first()
        if stored is None:
            return False
        before = _about(judgment) | {"reason": stored.reason}
        audit.record(by=by, action="take_back", target=stored, before=before, now=now)
        stored.delete()
        outdate(campaign_id=judgment.campaign_id)
    return True


def outdate(*, campaign_id: int | None) -> None:
    """The campaign's quality report no longer holds, although no judgment is new: the beat computes it again."""
    QualityReport.objects.filter(campaign=campaign_id).update(is_outdated=True)


def _about(judgment: Judgment) -> dict[str, object]:
    return {"judgment": judgment.pk, "rater": judgment.rater.alias, "campaign": str(judgment.campaign or "")}
