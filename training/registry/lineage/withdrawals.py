"""What a rater's judgments and texts went into: snapshots, the runs that learned from them, and
every model made of those.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from labeling.models import Judgment, RankedResponse, Rater
from training.configs import roles
from training.models import Run, Snapshot, SnapshotJudgment, TrainedModel
from training.snapshots.selectors import with_the_best_of


@dataclass(frozen=True)
class TouchedSnapshot:
    snapshot: Snapshot
    n_judgments: int
    """in it that this rater gave, or in which others compared a text of theirs"""


@dataclass(frozen=True)
class Touched:
    """Everything with something of the rater's in it, directly or through a model it was made
    from.
    """

    n_judgments: int
    snapshots: list[TouchedSnapshot]
    runs: list[Run]
    models: list[TrainedModel]


def touched_by(*, rater: Rater) -> Touched:
    """Every version of a judgment counts: a snapshot may hold one that was corrected since."""
    wrote = Q(response__author=rater)
    if rater.user_id is not None:
        wrote |= Q(response__source__person=rater.user_id)
    theirs: list[QuerySet[Any, Any]] = [
        Judgment.versions.filter(rater=rater).values("pk"),
        RankedResponse.objects.filter(wrote).values("comparison__judgment"),
    ]
    held = {
        pair
        for judgments in theirs
        for pair in (
            SnapshotJudgment.objects.filter(judgment__in=judgments)
            .values_list("snapshot_id", "judgment_id")
            .iterator()
        )
    }
    counts = Counter(snapshot_id for snapshot_id, _judgment_id in held)
    snapshots = Snapshot.objects.filter(pk__in=counts).order_by("-created_at", "-pk")
    runs, models = _descended(set(counts))
    return Touched(
        n_judgments=Judgment.objects.filter(rater=rater).count(),
        snapshots=[TouchedSnapshot(snapshot, counts[snapshot.pk]) for snapshot in snapshots],
        runs=list(Run.objects.filter(pk__in=runs).select_related("snapshot").order_by("-pk")),
        models=list(TrainedModel.objects.filter(pk__in=models).order_by("-pk")),
    )


def _descended(snapshots: set[int]) -> tuple[set[int], set[int]]:
    """Runs on the snapshots, their models, runs that start from those or are rewarded by them, and
    so on; the best responses of such a run are a snapshot of it.
    """
    runs = set(Run.objects.filter(snapshot__in=snapshots).values_list("pk", flat=True))
    models: set[int] = set()
    while True:
        found = set(
            TrainedModel.objects.filter(Q(run__in=runs) | Q(parent__in=models)).values_list(
                "pk", flat=True
            )
        )
        used = Q(base_model__in=found)
        for role in roles.BESIDE:
            used |= Q((f"{role.name}__in", found)) if role.teaches else Q()
        used |= Q(snapshot__in=with_the_best_of(runs=runs))
        after = set(Run.objects.filter(used).values_list("pk", flat=True))
        if found <= models and after <= runs:
            return runs, models
        models, runs = models | found, runs | after
