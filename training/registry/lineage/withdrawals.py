"""What a rater's judgments and texts went into: snapshots, runs trained on them, and every model
derived.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from labeling.access import prompts_written_by
from labeling.models import Judgment, RankedResponse, Rater
from training.configs import roles
from training.models import Run, Snapshot, SnapshotJudgment, SnapshotPrompt, TrainedModel
from training.snapshots.selectors import snapshots_of_best_responses


@dataclass(frozen=True)
class TouchedSnapshot:
    snapshot: Snapshot
    n_judgments: int
    """given by this rater, comparing a text of theirs, or on a prompt of theirs"""
    n_prompts: int = 0
    """written by this rater, in a snapshot of prompts"""


@dataclass(frozen=True)
class Touched:
    """Everything derived from the rater's data, directly or through another model."""

    n_judgments: int
    snapshots: list[TouchedSnapshot]
    runs: list[Run]
    models: list[TrainedModel]


def touched_by(*, rater: Rater) -> Touched:
    """Every version of a judgment counts: a snapshot may hold one that was corrected later."""
    wrote = Q(response__author=rater)
    if rater.user_id is not None:
        wrote |= Q(response__source__person=rater.user_id)
    theirs: list[QuerySet[Any, Any]] = [
        Judgment.versions_of_everyone.filter(rater=rater).values("pk"),
        RankedResponse.objects.filter(wrote).values("comparison__judgment"),
        Judgment.versions_of_everyone.filter(prompt__in=prompts_written_by(rater)).values("pk"),
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
    drawn = SnapshotPrompt.objects.filter(prompt__in=prompts_written_by(rater))
    n_prompts = Counter(drawn.values_list("snapshot_id", flat=True))
    touched = counts.keys() | n_prompts.keys()
    snapshots = Snapshot.objects.filter(pk__in=touched).order_by("-created_at", "-pk")
    runs, models = _descended(set(touched))
    return Touched(
        n_judgments=Judgment.of_everyone.filter(rater=rater).count(),
        snapshots=[
            TouchedSnapshot(snapshot, counts[snapshot.pk], n_prompts[snapshot.pk])
            for snapshot in snapshots
        ],
        runs=list(Run.objects.filter(pk__in=runs).select_related("snapshot").order_by("-pk")),
        models=list(TrainedModel.objects.filter(pk__in=models).order_by("-pk")),
    )


def learned_from_looks(*, rater: Rater, looks: Collection[int]) -> Touched:
    """What learned from verdicts of a judge that any of these looks had allowed, as the snapshots'
    cards name them.
    """
    theirs = Judgment.versions_of_everyone.filter(rater=rater)
    known = Snapshot.objects.filter(memberships__judgment__in=theirs).distinct()
    n_rows = {
        snapshot.pk: sum(
            one["rows"]
            for one in snapshot.card.get("verdicts", {}).get("judges", [])
            if one["look"] in looks
        )
        for snapshot in known
    }
    held = [snapshot for snapshot in known if n_rows[snapshot.pk]]
    runs, models = _descended({snapshot.pk for snapshot in held})
    return Touched(
        n_judgments=sum(n_rows.values()),
        snapshots=[TouchedSnapshot(snapshot, n_rows[snapshot.pk]) for snapshot in held],
        runs=list(Run.objects.filter(pk__in=runs).select_related("snapshot").order_by("-pk")),
        models=list(TrainedModel.objects.filter(pk__in=models).order_by("-pk")),
    )


def _descended(snapshots: set[int]) -> tuple[set[int], set[int]]:
    """(runs, models): runs on the snapshots, their models, runs that start from or are rewarded by
    those, and so on. Best responses of such a run form another snapshot.
    """
    learned = Q(snapshot__in=snapshots) | Q(ptx_snapshot__in=snapshots)
    runs = set(Run.objects.filter(learned).values_list("pk", flat=True))
    models: set[int] = set()
    while True:
        descended = set(
            TrainedModel.objects.filter(Q(run__in=runs) | Q(parent__in=models)).values_list(
                "pk", flat=True
            )
        )
        used = Q(base_model__in=descended)
        for role in roles.BESIDE:
            used |= Q((f"{role.name}__in", descended)) if role.teaches else Q()
        used |= Q(snapshot__in=snapshots_of_best_responses(runs=runs))
        after = set(Run.objects.filter(used).values_list("pk", flat=True))
        if descended <= models and after <= runs:
            return runs, models
        models, runs = models | descended, runs | after
