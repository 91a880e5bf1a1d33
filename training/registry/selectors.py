"""Queries for models and their lineage."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet

from labeling.models import Export
from training.configs.offline.dpo import DpoConfig
from training.configs.offline.kto import KtoConfig
from training.configs.online.grpo import GrpoConfig
from training.configs.online.rloo import RlooConfig
from training.configs.ppo import PpoConfig
from training.models import Chain, Publication, Run, Snapshot, TrainedModel
from training.snapshots.selectors import best_response_runs

# Longer lineages are cut off.
N_ANCESTORS = 20
PREFERENCE_KINDS = (
    PpoConfig.kind,
    RlooConfig.kind,
    GrpoConfig.kind,
    DpoConfig.kind,
    KtoConfig.kind,
)


@dataclass(frozen=True)
class LineageStep:
    """One model of a lineage and what made it. A base model has neither run nor snapshot."""

    model: TrainedModel
    run: Run | None
    snapshot: Snapshot | None


def models(*, kind: str = "") -> QuerySet[TrainedModel]:
    """Newest first."""
    queryset = (
        TrainedModel.objects.select_related("parent", "run__snapshot", "endpoint")
        .annotate(n_children=Count("children"))
        .order_by("-created_at", "-pk")
    )
    return queryset.filter(kind=kind) if kind else queryset


def usable_models() -> QuerySet[TrainedModel]:
    """Language models with weights; the one that was approved last first, then the newest."""
    models = TrainedModel.objects.filter(
        kind=TrainedModel.Kind.POLICY, freed_at=None, endpoint=None
    ).exclude(stage=TrainedModel.Stage.RETIRED)
    return models.order_by(F("approved_at").desc(nulls_last=True), "-pk")


def lineage(*, model: TrainedModel) -> list[LineageStep]:
    """From this model back to its base."""
    steps: list[LineageStep] = []
    current: TrainedModel | None = model
    while current is not None and len(steps) < N_ANCESTORS:
        steps.append(
            LineageStep(current, current.run, current.run.snapshot if current.run else None)
        )
        parents = TrainedModel.objects.select_related(
            "run__snapshot",
            "run__ptx_snapshot",
            "run__reward_model",
            "run__reference_model",
            "parent",
        )
        current = parents.get(pk=current.parent_id) if current.parent_id else None
    return steps


def start_of_line(*, model: TrainedModel) -> TrainedModel:
    """The fine-tuned or base model that a line of improvements began with; the model itself if that
    one can no longer be loaded.
    """
    begun = next((step for step in lineage(model=model) if not _is_improvement(step)), None)
    if begun is None or begun.model.freed_at or begun.model.stage == TrainedModel.Stage.RETIRED:
        return model
    return begun.model


def _is_improvement(step: LineageStep) -> bool:
    """Whether the step learned from preferences: it, or the choice of its data."""
    if step.run is None or step.snapshot is None:
        return False
    filters = step.snapshot.filters
    takes_best = filters.get("best_of") or filters.get("best_voted_in") or filters.get("revised_in")
    return step.run.kind in PREFERENCE_KINDS or bool(takes_best)


def reward_lineages(*, steps: Iterable[LineageStep]) -> list[list[LineageStep]]:
    """The lineages of the reward models behind these steps: used in PPO, RLOO or GRPO, or to
    select the best responses.

    Each is listed once, followed by those behind its own steps. Models listed before are left out.
    """
    lineages: list[list[LineageStep]] = []
    seen, waiting = {step.model.pk for step in steps}, list(steps)
    while waiting:
        for judge in _reward_models_of(waiting.pop(0)):
            line = [step for step in lineage(model=judge) if step.model.pk not in seen]
            if judge.pk in seen or not line:
                continue
            seen |= {step.model.pk for step in line}
            lineages.append(line)
            waiting += line
    return lineages


def is_optimised_on(*, model: TrainedModel, judge: TrainedModel) -> bool:
    """Whether the model, or one it descends from, was trained to please this reward model."""
    steps = lineage(model=model)
    return any(judge == optimised_on for step in steps for optimised_on in _reward_models_of(step))


def _reward_models_of(step: LineageStep) -> list[TrainedModel]:
    rewarding = [step.run.reward_model] if step.run else []
    choosing = (
        [run.reward_model for run in best_response_runs(snapshot=step.snapshot)]
        if step.snapshot
        else []
    )
    return [model for model in [*rewarding, *choosing] if model is not None]


def gate_sentences(*, model: TrainedModel) -> list[tuple[Chain, str]]:
    """The chains whose gate decided about it, each with its verdict."""
    links = model.gates.exclude(verdict={}).select_related("chain__schedule").order_by("pk")
    return [(link.chain, link.verdict["sentence"]) for link in links]


def children(*, model: TrainedModel) -> list[TrainedModel]:
    return list(model.children.select_related("run").order_by("-created_at", "-pk"))


def runs_from(*, model: TrainedModel) -> list[Run]:
    """The runs that started from it, newest first."""
    return list(model.runs_from.select_related("snapshot", "trained_model").order_by("-pk"))


def is_registered(*, location: str) -> bool:
    """Whether a registered model has this location."""
    return TrainedModel.objects.filter(location=location).exists()


def location_of(*, run: Run) -> str:
    """Where the model that the run has left so far is; "" without one."""
    return TrainedModel.objects.filter(run=run).values_list("location", flat=True).first() or ""


def is_still_training(*, model: TrainedModel) -> bool:
    """Whether the run that made it was resumed, and will replace its weights."""
    return model.run is not None and model.run.state != Run.State.FINISHED


N_PUBLICATIONS = 5


@dataclass(frozen=True)
class PublicationStatus:
    """A publication, and whether it is still in progress."""

    publication: Publication
    is_going: bool


def publications(*, of: TrainedModel | Export) -> list[PublicationStatus]:
    """Newest first."""
    queryset = of.publications.select_related("created_by").order_by("-pk")[:N_PUBLICATIONS]
    return [
        PublicationStatus(
            publication, publication.state in (Publication.State.QUEUED, Publication.State.RUNNING)
        )
        for publication in queryset
    ]
