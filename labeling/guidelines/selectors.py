"""Read queries of guidelines for raters: their guidelines, which versions they have read, and what
changed since.
"""

from dataclasses import dataclass
from functools import lru_cache

from labeling.guidelines import differences, rating_form
from labeling.models import Campaign, Guideline, GuidelineReading, GuidelineVersion, Judgment, Rater
from labeling.models import examples as models_examples


@dataclass(frozen=True)
class Changes:
    """What changed since `before`: in the text, the examples and the rating form."""

    before: GuidelineVersion
    text: list[differences.DiffLine]
    examples: list[differences.DiffLine]
    form: list[differences.DiffLine]


def guidelines_of(*, rater: Rater) -> list[Guideline]:
    """Guidelines of the campaigns that the rater's pools have or had."""
    theirs = Campaign.objects.exclude(state=Campaign.State.DRAFT).filter(
        pool__memberships__rater=rater, pool__memberships__is_active=True
    )
    return list(Guideline.objects.filter(pk__in=theirs.values("guideline")).order_by("name"))


def latest_version(*, guideline: Guideline) -> GuidelineVersion:
    """There is always at least one version."""
    return guideline.versions.select_related("guideline").latest("number")


@lru_cache(maxsize=256)
def version(pk: int) -> GuidelineVersion:
    """Cached per process, because a version never changes."""
    return GuidelineVersion.objects.get(pk=pk)


@lru_cache(maxsize=256)
def form_of(version_pk: int | None) -> rating_form.RatingForm:
    """The rating form of a version; without a version, a form without questions."""
    return (
        rating_form.RatingForm()
        if version_pk is None
        else rating_form.parse(version(version_pk).form)
    )


def needs_reading(*, rater: Rater, campaign: Campaign) -> bool:
    """Whether the guideline has changed since the rater last worked with it, and they have not
    confirmed that they read it.

    A rater who uses a guideline for the first time does not have to confirm: there is no change to
    show.
    """
    last = _worked_by(rater=rater, guideline_id=campaign.guideline_id)
    if last in {None, campaign.guideline_version_id}:
        return False
    return not GuidelineReading.objects.filter(
        rater=rater, version=campaign.guideline_version_id
    ).exists()


def last_read(*, rater: Rater | None, latest: GuidelineVersion) -> GuidelineVersion | None:
    """The newest version before `latest` that the rater worked with or confirmed reading; without
    one, the version before `latest`.
    """
    earlier = GuidelineVersion.objects.filter(
        guideline=latest.guideline_id, number__lt=latest.number
    )
    worked_by = _worked_by(rater=rater, guideline_id=latest.guideline_id) if rater else None
    read = earlier.filter(readings__rater=rater) if rater else earlier.none()
    known = earlier.filter(pk__in=[worked_by]) | earlier.filter(pk__in=read.values("pk"))
    return known.order_by("-number").first() or earlier.order_by("-number").first()


def changes_since(*, before: GuidelineVersion, latest: GuidelineVersion) -> Changes:
    return Changes(
        before=before,
        text=differences.changes(before.text.splitlines(), latest.text.splitlines()),
        examples=example_changes(before=before, after=latest),
        form=differences.changes(_form_lines(before), _form_lines(latest), context=1),
    )


def example_changes(
    *, before: GuidelineVersion, after: GuidelineVersion
) -> list[differences.DiffLine]:
    older, newer = (
        models_examples.lines(models_examples.parse(version.examples))
        for version in (before, after)
    )
    return differences.changes(older, newer)


def _worked_by(*, rater: Rater, guideline_id: int) -> int | None:
    """The version of the rater's latest judgment under this guideline."""
    theirs = Judgment.objects.filter(rater=rater, guideline_version__guideline=guideline_id)
    return theirs.order_by("-submitted_at").values_list("guideline_version_id", flat=True).first()


def _form_lines(version: GuidelineVersion) -> list[str]:
    return differences.form_lines(rating_form.parse(version.form))
