"""Creates guidelines and adds versions. A version never changes; an edit adds the next one."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts import audit_log
from accounts.models import User
from labeling.guidelines import rating_form
from labeling.models import Campaign, Guideline, GuidelineReading, GuidelineVersion, Rater
from labeling.models.examples import Example, as_json


def create_guideline(
    *,
    name: str,
    text: str,
    form: rating_form.RatingForm | None = None,
    examples: Sequence[Example] = (),
    by: User | None,
    now: datetime,
) -> Guideline:
    """Create a guideline with version 1. Without a form it asks InstructGPT's questions."""
    with transaction.atomic():
        guideline = Guideline.objects.create(name=name, created_at=now)
        GuidelineVersion.objects.create(
            guideline=guideline,
            number=1,
            text=text,
            form=(form or rating_form.default()).as_json,
            examples=as_json(examples),
            created_by=by,
            created_at=now,
        )
        audit_log.record(by, "create", guideline, after={"name": name}, now=now)
    return guideline


def acknowledge(*, version: GuidelineVersion, rater: Rater, now: datetime) -> None:
    """Record that the rater has read this version. Safe to call twice."""
    reading = GuidelineReading(version=version, rater=rater, read_at=now)
    GuidelineReading.objects.bulk_create([reading], ignore_conflicts=True)


def new_guideline_version(
    *,
    guideline: Guideline,
    text: str,
    form: rating_form.RatingForm,
    examples: Sequence[Example] = (),
    is_major: bool = False,
    by: User | None,
    now: datetime,
) -> GuidelineVersion:
    """Add the next version, which takes effect at once for every campaign of the guideline that is
    not closed.

    Items that raters hold keep the version they were shown. After a major version, raters whose
    pool has an onboarding step about the guideline have to pass it again before their next item.
    """
    with transaction.atomic():
        Guideline.objects.select_for_update().get(pk=guideline.pk)  # one version number at a time
        newest = guideline.versions.aggregate(newest=Max("number"))["newest"] or 0
        version = GuidelineVersion.objects.create(
            guideline=guideline,
            number=newest + 1,
            text=text,
            form=form.as_json,
            examples=as_json(examples),
            is_major=is_major,
            created_by=by,
            created_at=now,
        )
        Campaign.objects.filter(guideline=guideline).exclude(state=Campaign.State.CLOSED).update(
            guideline_version=version
        )
        audit_log.record(
            by,
            "new_version",
            guideline,
            after={"number": version.number, "is_major": is_major},
            now=now,
        )
    return version
