"""Reads of the registry: models, and where each came from."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from training.models import Run, Snapshot, TrainedModel

# A chain longer than this is cut; nobody reads on.
N_ANCESTORS = 20


@dataclass(frozen=True)
class Step:
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


def lineage(*, model: TrainedModel) -> list[Step]:
    """From this model back to the base it began with."""
    steps: list[Step] = []
    current: TrainedModel | None = model
    while current is not None and len(steps) < N_ANCESTORS:
        steps.append(Step(current, current.run, current.run.snapshot if current.run else None))
        parents = TrainedModel.objects.select_related("run__snapshot", "run__reward_model", "parent")
        current = parents.get(pk=current.parent_id) if current.parent_id else None
    return steps


def children(*, model: TrainedModel) -> list[TrainedModel]:
    return list(model.children.select_related("run").order_by("-created_at", "-pk"))


def is_registered(*, location: str) -> bool:
    """Whether a model's weights are said to lie there."""
    return TrainedModel.objects.filter(location=location).exists()
