"""A campaign and a prompt as researchers see them: what was asked and what was answered. Of raters
only how many.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from labeling.access import visible
from labeling.campaigns import board
from labeling.guidelines import rating_form
from labeling.models import (
    Campaign,
    GuidelineVersion,
    Judgment,
    Prompt,
    Response,
    Source,
)
from labeling.quality import campaign_figures
from labeling.votes import counting
from training.models import Snapshot, TrainedModel

N_SNAPSHOTS_SHOWN = 30


@dataclass(frozen=True)
class GuidelineUse:
    """A version of the guideline, its questions, and the number of judgments under it."""

    version: GuidelineVersion
    questions: list[str]
    n_judgments: int


@dataclass(frozen=True)
class CampaignSummary:
    """A campaign at a glance. `compared`: the sources of the compared responses, with
    their models.
    """

    n_items: int
    n_judgments: int
    n_raters: int
    versions: list[GuidelineUse]
    snapshots: list[Snapshot]
    """each annotated with n_from_here"""
    compared: list[tuple[Source, TrainedModel | None]]


def campaign_summary(*, campaign: Campaign, now: datetime) -> CampaignSummary:
    answered = campaign_figures.answered(campaign=campaign, now=now)
    return CampaignSummary(
        n_items=campaign.items.count(),
        n_judgments=answered.n_judgments,
        n_raters=answered.n_raters,
        versions=_versions(campaign, dict(answered.n_by_version)),
        snapshots=list(_snapshots(Judgment.versions.filter(campaign=campaign))),
        compared=_compared(campaign, now) if campaign.compares else [],
    )


def responses_to(*, prompt: Prompt) -> QuerySet[Response]:
    """All responses to the prompt by source, each annotated with how often it was compared."""
    counted = counting.counts("ranked__comparison__judgment__", with_extra=True)
    responses = (
        visible(prompt.responses.all())
        .exclude(counting.by_withdrawn())
        .select_related("source")
        .annotate(n_judged=Count("ranked", filter=counted))
    )
    return responses.order_by("source__name", "number", "pk")


def models_of(*, sources: QuerySet[Source]) -> dict[int, TrainedModel]:
    """The models of these sources, by source id."""
    return {
        model.source_id or 0: model for model in TrainedModel.objects.filter(source__in=sources)
    }


def campaigns_asking(*, prompt: Prompt) -> list[Campaign]:
    return list(Campaign.objects.filter(items__prompt=prompt).distinct().order_by("name"))


def snapshots_with(*, prompt: Prompt) -> list[Snapshot]:
    """Snapshots with judgments on the prompt, newest first, annotated with n_from_here."""
    return list(_snapshots(Judgment.versions.filter(prompt=prompt)))


def n_judgments_on(*, prompt: Prompt) -> int:
    return _counted(prompt.judgments.all()).count()


def _counted(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    """Judgments that count, without those of unpublished imports."""
    return visible(judgments.filter(counting.counts(with_extra=True, with_repeats=True)))


def _versions(campaign: Campaign, n_of: dict[int | None, int]) -> list[GuidelineUse]:
    """Newest first, including the current one even without judgments."""
    n_of.setdefault(campaign.guideline_version_id, 0)
    versions = GuidelineVersion.objects.filter(
        pk__in=[pk for pk in n_of if pk is not None]
    ).select_related("guideline")
    return [
        GuidelineUse(version, _questions(version), n_of[version.pk])
        for version in versions.order_by("-number")
    ]


def _questions(version: GuidelineVersion) -> list[str]:
    return [question.label for question in rating_form.parse(version.form).questions]


def _snapshots(judgments: QuerySet[Judgment]) -> QuerySet[Snapshot]:
    holding = Snapshot.objects.filter(memberships__judgment__in=judgments)
    return holding.annotate(n_from_here=Count("memberships")).order_by("-pk")[:N_SNAPSHOTS_SHOWN]


def _compared(campaign: Campaign, now: datetime) -> list[tuple[Source, TrainedModel | None]]:
    named = board.compared_sources(campaign=campaign, now=now)
    sources = Source.objects.filter(name__in=[name for name, _n in named]).order_by("name")
    models = models_of(sources=sources)
    return [(source, models.get(source.pk)) for source in sources]
