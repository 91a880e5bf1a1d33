"""Read queries of guidelines: lists for admins, a rater's guidelines and what changed since they
last read them, and items whose disagreement shows a gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Count, Max, QuerySet

from labeling.guidelines import differences, rating_form
from labeling.models import (
    Adjudication,
    Campaign,
    Guideline,
    GuidelineReading,
    GuidelineVersion,
    Judgment,
    Rater,
)
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
    theirs = Judgment.of_everyone.filter(rater=rater, guideline_version__guideline=guideline_id)
    return theirs.order_by("-submitted_at").values_list("guideline_version_id", flat=True).first()


def _form_lines(version: GuidelineVersion) -> list[str]:
    return differences.form_lines(rating_form.parse(version.form))


@dataclass(frozen=True)
class GuidelineRow:
    guideline: Guideline
    n_versions: int
    last_at: datetime | None
    n_campaigns: int


def guideline_rows(*, guidelines: Iterable[Guideline]) -> list[GuidelineRow]:
    """A row for each of `guidelines`, with two more queries in total."""
    shown = list(guidelines)
    versions = {
        row["guideline_id"]: row
        for row in (
            GuidelineVersion.objects.filter(guideline__in=shown)
            .order_by()
            .values("guideline_id")
            .annotate(n=Count("pk"), last_at=Max("created_at"))
        )
    }
    campaigns = dict(
        Campaign.objects.filter(guideline__in=shown)
        .values_list("guideline_id")
        .annotate(n=Count("pk"))
    )
    return [
        GuidelineRow(
            guideline=guideline,
            n_versions=versions[guideline.pk]["n"] if guideline.pk in versions else 0,
            last_at=versions[guideline.pk]["last_at"] if guideline.pk in versions else None,
            n_campaigns=campaigns.get(guideline.pk, 0),
        )
        for guideline in shown
    ]


def is_same(
    *,
    version: GuidelineVersion,
    text: str,
    form: rating_form.RatingForm,
    examples: Sequence[models_examples.Example],
) -> bool:
    """Whether another version with this would say what `version` says."""
    return (
        text.split("\n") == version.text.strip().replace("\r\n", "\n").split("\n")
        and form.as_json == rating_form.parse(version.form).as_json
        and models_examples.as_json(examples) == version.examples
    )


def guideline_versions(*, guideline: Guideline) -> list[GuidelineVersion]:
    """Newest first; there is always at least one."""
    return list(guideline.versions.select_related("created_by").order_by("-number"))


def constitution(*, version: int) -> dict[str, object] | None:
    """The principles of a version as a run reads them; None if it has none."""
    found = GuidelineVersion.objects.select_related("guideline").filter(pk=version).first()
    principles = rating_form.parse(found.form).principles if found else ()
    if found is None or not principles:
        return None
    return {
        "id": found.pk,
        "guideline": str(found),
        "principles": [
            {
                "name": principle.name,
                "text": f"{principle.label}: {principle.help}"
                if principle.help
                else principle.label,
            }
            for principle in principles
        ],
    }


def principle_labels(*, version: int) -> dict[str, str]:
    """Name → label of each principle of a version; empty without one."""
    found = GuidelineVersion.objects.filter(pk=version).first()
    principles = rating_form.parse(found.form).principles if found else ()
    return {principle.name: principle.label for principle in principles}


def constitutions() -> list[GuidelineVersion]:
    """The latest version of each guideline that has principles, by name."""
    newest = Guideline.objects.annotate(newest=Max("versions__pk")).values("newest")
    versions = GuidelineVersion.objects.filter(pk__in=newest).select_related("guideline")
    return [
        version
        for version in versions.order_by("guideline__name")
        if rating_form.parse(version.form).principles
    ]


def campaigns_of_guideline(*, guideline: Guideline) -> QuerySet[Campaign]:
    return guideline.campaigns.select_related("guideline_version").order_by("name")


def guideline_gaps(*, guideline: Guideline) -> QuerySet[Adjudication]:
    """Adjudicated items whose disagreement was caused by a gap in the guideline, latest first."""
    gaps = Adjudication.objects.filter(
        reason=Adjudication.Reason.GUIDELINE_GAP, item__campaign__guideline=guideline
    )
    return gaps.select_related("item__campaign", "item__prompt", "guideline_version").order_by(
        "-at", "-pk"
    )
