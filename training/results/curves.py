"""The curves of a run, merged over its attempts so that replayed steps count once."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, Min, Q

from training.models import Run, RunPoint

# Enough points for the width of a screen.
N_POINTS_READ = 800


@dataclass(frozen=True)
class Curve:
    """One metric by step, in ascending order."""

    metric: str
    points: list[tuple[float, float]]


def curves(*, run: Run) -> dict[str, Curve]:
    """By metric. Points that a later attempt replayed are left out."""
    ends, n_points = _ends(run)
    points_by_metric: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for attempt, step, values in _read(run, n_points):
        if step < ends.get(attempt, float("inf")):
            for metric, value in values.items():
                points_by_metric[metric].append((float(step), float(value)))
    return {metric: Curve(metric, points) for metric, points in points_by_metric.items()}


def _ends(run: Run) -> tuple[dict[int, float], int]:
    """(attempt → the step where a later one resumed, approximate number of points). A single
    attempt is not counted: counting a hundred thousand points takes longer than drawing them.
    """
    if run.attempt <= 1:
        return {}, run.step // max(1, run.config.get("log_every", 1))
    attempts = (
        RunPoint.objects.filter(run=run)
        .values("attempt")
        .annotate(first=Min("step"), n=Count("pk"))
        .order_by("-attempt")
    )
    ends: dict[int, float] = {}
    end, n_points = float("inf"), 0
    for row in attempts:
        ends[row["attempt"]] = end
        end, n_points = min(end, row["first"]), n_points + row["n"]
    return ends, n_points


def _read(run: Run, n_points: int) -> list[tuple[int, int, dict[str, float]]]:
    """Each level holds half the points of the one below and is indexed, so a long run costs no more
    than a short one.
    """
    points = RunPoint.objects.filter(run=run)
    level = max(0, (max(n_points - 1, 0) // N_POINTS_READ).bit_length())
    thinned = (
        points.filter(Q(level__gte=level) | Q(attempt=run.attempt, step=run.step))
        if level
        else points
    )
    return list(thinned.order_by("step", "attempt").values_list("attempt", "step", "values"))
