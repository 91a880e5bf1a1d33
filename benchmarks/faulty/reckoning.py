"""What the database shows at the end: work lost, done twice, or repeated."""

from collections.abc import Iterable

from django.db.models import Max, Min

from accounts.models import Notice
from benchmarks.faulty.load import Writer
from benchmarks.faulty.scale import INTERVAL
from training.models import Run, RunPoint, TrainedModel


def reckon(raters: Iterable[Writer], hung: list[str]) -> dict[str, object]:
    runs = list(Run.objects.all())
    lost = [run for run in runs if run.outcome != Run.Outcome.SUCCEEDED]
    for run in lost:
        print(f"run {run.pk}: {run.state} {run.outcome} {run.error}")
    for words in hung:
        print(f"hung: {words}")
    return {
        "runs_lost": len(lost),
        "runs_twice": sum(is_twice(run) for run in runs),
        "judgments_lost": sum(rater.n_lost() for rater in raters),
        "max_redone_steps_over_interval": round(
            max((redone(run) / INTERVAL for run in runs), default=0), 2
        ),
        "hung": len(hung),
        "runs": len(runs),
        "attempts": sum(run.attempt for run in runs),
        "judgments": sum(len(rater.stored) for rater in raters),
    }


def redone(run: Run) -> int:
    """The most steps that an attempt repeated."""
    spans = (
        RunPoint.objects.filter(run=run)
        .values("attempt")
        .annotate(first=Min("step"), last=Max("step"))
        .order_by("attempt")
    )
    most, furthest = 0, 0
    for span in spans:
        again = furthest - (span["first"] - 1)
        if again > INTERVAL:
            print(
                f"run {run.pk}: attempt {span['attempt']} began at {span['first']} after {furthest}"
            )
        most, furthest = max(most, again), max(furthest, span["last"])
    return most


def is_twice(run: Run) -> bool:
    n_told = Notice.objects.filter(
        key__startswith=f"run-{run.pk}-", kind=Notice.Kind.FINISHED
    ).count()
    return n_told > 1 or TrainedModel.objects.filter(run=run).count() > 1
