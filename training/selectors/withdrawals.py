"""What a rater's judgments went into: snapshots, the runs that learned from them, and every model that comes from those."""

from dataclasses import dataclass

from django.db.models import Q

from labeling.models import Judgment, Rater
from training.models import Run, Snapshot, SnapshotJudgment, TrainedModel


@dataclass(frozen=True)
class TouchedSnapshot:
    snapshot: Snapshot
    n_judgments: int
    """of this rater in it"""


@dataclass(frozen=True)
class Touched:
    """Everything with something of the rater's in it, directly or through a model it was made from."""

    n_judgments: int
    snapshots: list[TouchedSnapshot]
    runs: list[Run]
    models: list[TrainedModel]


def touched_by(*, rater: Rater) -> Touched:
    """Every version of a judgment counts: a snapshot may hold one that was corrected since."""
    given = SnapshotJudgment.objects.filter(judgment__in=Judgment.versions.filter(rater=rater).values("pk"))
    counts: dict[int, int] = {}
    for snapshot_id in given.values_list("snapshot_id", flat=True).iterator():
        counts[snapshot_id] = counts.get(snapshot_id, 0) + 1
    snapshots = Snapshot.objects.filter(pk__in=counts).order_by("-created_at", "-pk")
    runs, models = _descended(set(counts))
    return Touched(
        n_judgments=Judgment.objects.filter(rater=rater).count(),
        snapshots=[TouchedSnapshot(snapshot, counts[snapshot.pk]) for snapshot in snapshots],
        runs=list(Run.objects.filter(pk__in=runs).select_related("snapshot").order_by("-pk")),
        models=list(TrainedModel.objects.filter(pk__in=models).order_by("-pk")),
    )


def _descended(snapshots: set[int]) -> tuple[set[int], set[int]]:
    """Runs on the snapshots, their models, runs and models that start from those or are rewarded by them, and so on."""
    runs = set(Run.objects.filter(snapshot__in=snapshots).values_list("pk", flat=True))
    models: set[int] = set()
    while True:
        found = set(TrainedModel.objects.filter(Q(run__in=runs) | Q(parent__in=models)).values_list("pk", flat=True))
        used = Q(base_model__in=found) | Q(reward_model__in=found) | Q(watchdog_model__in=found)
        after = set(Run.objects.filter(used).values_list("pk", flat=True))
        if found <= models and after <= runs:
            return runs, models
        models, runs = models | found, runs | after
