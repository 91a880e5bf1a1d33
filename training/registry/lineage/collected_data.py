"""A campaign and a prompt as researchers see them: what was asked and what was answered. Of raters
only how many.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict

from django.db.models import Case, Count, IntegerField, QuerySet, When

from jobs.messages import Message
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
from labeling.quality.campaign_figures import Answered
from labeling.quality.figure_cache import (
    CachedFigures,
    Compute,
    cached_figures,
    known_figures,
    refresh,
)
from labeling.votes import counting
from training.models import Snapshot, TrainedModel

N_SNAPSHOTS_SHOWN = 30
REFRESH_SNAPSHOTS = Message(
    "training.registry.tasks.refresh_snapshots",
    limit=timedelta(minutes=5),
    otherwise="The next reader asks again.",
)
"""Counts again what snapshots hold of a campaign."""
InSnapshots = list[tuple[int, int]]
"""(id of a snapshot, number of its judgments), newest first"""


class _Figure(TypedDict):
    """What the cache of figures has to know of one."""

    name: str
    kind: Any
    compute: Compute[InSnapshots]
    message: Message


@dataclass(frozen=True)
class GuidelineUse:
    """A version of the guideline, its questions, and the number of judgments under it; None while
    they are being counted.
    """

    version: GuidelineVersion
    questions: list[str]
    n_judgments: int | None


@dataclass(frozen=True)
class CampaignSummary:
    """A campaign at a glance. `answered`, `snapshots` and `compared` are None while they are being
    counted.
    """

    n_items: int
    answered: CachedFigures[Answered] | None
    versions: list[GuidelineUse]
    snapshots: list[Snapshot] | None
    """each annotated with n_from_here"""
    compared: list[tuple[Source, TrainedModel | None]] | None
    """the sources of the compared responses, with their models"""


def known_summary(*, campaign: Campaign, now: datetime) -> CampaignSummary:
    """What a page can show at once."""
    held = known_figures(**_IN_SNAPSHOTS, ids=[campaign.pk], now=now)
    return _summary(
        campaign,
        campaign_figures.known_answered(campaign=campaign, now=now),
        held[campaign.pk].value if held else None,
        board.known_sources(campaign=campaign, now=now) if campaign.compares else [],
    )


def counted_summary(*, campaign: Campaign, now: datetime) -> CampaignSummary:
    """With all of its figures, for a program that waits for them."""
    return _summary(
        campaign,
        campaign_figures.answered(campaign=campaign, now=now),
        cached_figures(**_IN_SNAPSHOTS, ids=[campaign.pk], now=now)[campaign.pk].value,
        board.compared_sources(campaign=campaign, now=now) if campaign.compares else [],
    )


def refresh_snapshots(*, name: str, pk: int, now: datetime) -> None:
    """Counts again how many of a campaign's judgments snapshots hold. Called by a worker."""
    assert name == _IN_SNAPSHOTS["name"]
    refresh(name=name, ids=[pk], compute=_in_snapshots, now=now)


def _summary(
    campaign: Campaign,
    answered: CachedFigures[Answered] | None,
    held: InSnapshots | None,
    sources: board.Sources | None,
) -> CampaignSummary:
    return CampaignSummary(
        n_items=campaign.items.count(),
        answered=answered,
        versions=_versions(campaign, answered.value if answered else None),
        snapshots=None if held is None else _counted_snapshots(held),
        compared=None if sources is None else _with_models(sources),
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
    return list(_snapshots(Judgment.versions_of_everyone.filter(prompt=prompt)))


def n_judgments_on(*, prompt: Prompt) -> int:
    return _counted(prompt.judgments.all()).count()


def _counted(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    """Judgments that count, without those of unpublished imports."""
    return visible(judgments.filter(counting.counts(with_extra=True, with_repeats=True)))


def _versions(campaign: Campaign, answered: Answered | None) -> list[GuidelineUse]:
    """Newest first, including the current one even without judgments."""
    n_of = dict(answered.n_by_version) if answered else {}
    used = {pk for pk in n_of if pk is not None} | {campaign.guideline_version_id}
    versions = GuidelineVersion.objects.filter(pk__in=used).select_related("guideline")
    return [
        GuidelineUse(version, _questions(version), n_of.get(version.pk, 0) if answered else None)
        for version in versions.order_by("-number")
    ]


def _questions(version: GuidelineVersion) -> list[str]:
    return [question.label for question in rating_form.parse(version.form).questions]


def _snapshots(judgments: QuerySet[Judgment]) -> QuerySet[Snapshot]:
    holding = Snapshot.objects.filter(memberships__judgment__in=judgments)
    return holding.annotate(n_from_here=Count("memberships")).order_by("-pk")[:N_SNAPSHOTS_SHOWN]


def _in_snapshots(ids: Collection[int], _now: datetime) -> dict[int, InSnapshots]:
    def of(pk: int) -> InSnapshots:
        judgments = Judgment.versions_of_everyone.filter(campaign=pk)
        holding = Snapshot.objects.filter(memberships__judgment__in=judgments).values_list("pk")
        counted = holding.annotate(n=Count("memberships")).order_by("-pk")
        return list(counted[:N_SNAPSHOTS_SHOWN])

    return {pk: of(pk) for pk in ids}


_IN_SNAPSHOTS: _Figure = {
    "name": "in_snapshots",
    "kind": InSnapshots,
    "compute": _in_snapshots,
    "message": REFRESH_SNAPSHOTS,
}


def _counted_snapshots(held: InSnapshots) -> list[Snapshot]:
    """Newest first."""
    if not held:
        return []
    cases = [When(pk=pk, then=n) for pk, n in held]
    n_from_here = Case(*cases, output_field=IntegerField())
    snapshots = Snapshot.objects.filter(pk__in=dict(held)).annotate(n_from_here=n_from_here)
    return list(snapshots.order_by("-pk"))


def _with_models(named: board.Sources) -> list[tuple[Source, TrainedModel | None]]:
    sources = Source.objects.filter(name__in=[name for name, _n in named]).order_by("name")
    models = models_of(sources=sources)
    return [(source, models.get(source.pk)) for source in sources]
