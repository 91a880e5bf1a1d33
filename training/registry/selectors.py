"""Reads of the registry: models, and where each came from."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from training.models import Publication, Run, Snapshot, TrainedModel
from training.snapshots.selectors import chosen_from

# A chain longer than this is cut; nobody reads on.
N_ANCESTORS = 20


@dataclass(frozen=True)
class LineageStep:
    """One model of a lineage, with what made it; a base model has neither run nor snapshot."""

    model: TrainedModel
    run: Run | None
    snapshot: Snapshot | None


def models(*, kind: str = "") -> QuerySet[TrainedModel]:
    """The newest first."""
    found = (
        TrainedModel.objects.select_related("parent", "run__snapshot", "endpoint")
        .annotate(n_children=Count("children"))
        .order_by("-created_at", "-pk")
    )
    return found.filter(kind=kind) if kind else found


def lineage(*, model: TrainedModel) -> list[LineageStep]:
    """From this model back to the base it began with."""
    steps: list[LineageStep] = []
    current: TrainedModel | None = model
    while current is not None and len(steps) < N_ANCESTORS:
        steps.append(
            LineageStep(current, current.run, current.run.snapshot if current.run else None)
        )
        parents = TrainedModel.objects.select_related(
            "run__snapshot", "run__reward_model", "parent"
        )
        current = parents.get(pk=current.parent_id) if current.parent_id else None
    return steps


def judges(*, steps: Iterable[LineageStep]) -> list[list[LineageStep]]:
    """The lines of the reward models that taught what these steps left: in PPO and RLOO, or by
    choosing the best responses.

    Each once, and those that taught a judge's own line after it. What is on an earlier line already
    is not told again.
    """
    found: list[list[LineageStep]] = []
    told, waiting = {step.model.pk for step in steps}, list(steps)
    while waiting:
        for judge in _judges_of(waiting.pop(0)):
            line = [step for step in lineage(model=judge) if step.model.pk not in told]
            if judge.pk in told or not line:
                continue
            told |= {step.model.pk for step in line}
            found.append(line)
            waiting += line
    return found


def _judges_of(step: LineageStep) -> list[TrainedModel]:
    rewarding = [step.run.reward_model] if step.run else []
    choosing = (
        [run.reward_model for run in chosen_from(snapshot=step.snapshot)] if step.snapshot else []
    )
    return [one for one in [*rewarding, *choosing] if one is not None]


def children(*, model: TrainedModel) -> list[TrainedModel]:
    return list(model.children.select_related("run").order_by("-created_at", "-pk"))


def is_registered(*, location: str) -> bool:
    """Whether a model's weights are said to lie there."""
    return TrainedModel.objects.filter(location=location).exists()


N_PUBLICATIONS = 5


@dataclass(frozen=True)
class OnItsWay:
    """A publication, and whether it still changes by itself."""

    publication: Publication
    is_going: bool


def publications(*, model: TrainedModel) -> list[OnItsWay]:
    """The newest first."""
    found = model.publications.select_related("created_by").order_by("-pk")[:N_PUBLICATIONS]
    return [
        OnItsWay(one, one.state in (Publication.State.QUEUED, Publication.State.RUNNING))
        for one in found
    ]
