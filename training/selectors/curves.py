"""The curves of a run: what each attempt measured, put together so that replayed steps count once."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count, F, Min, Window
from django.db.models.functions import RowNumber

from training.models import Run, RunPoint

# More than a screen has columns. A run with more points is thinned in the database.
N_POINTS_READ = 1500


@dataclass(frozen=True)
class Curve:
    """One metric by step, rising."""

    metric: str
    points: list[tuple[float, float]]


def curves(*, run: Run) -> dict[str, Curve]:
    """By metric. Where a later attempt began again, what the earlier ones measured from there on is left out."""
    attempts = RunPoint.objects.filter(run=run).values("attempt").annotate(first=Min("step"), n=Count("pk")).order_by("-attempt")
    ends: dict[int, float] = {}
    end, n_points = float("inf"), 0
    for row in attempts:
        ends[row["attempt"]] = end
        end, n_points = min(end, row["first"]), n_points + row["n"]
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for attempt, step, values in _read(run, n_points):
        if step < ends[attempt]:
            for metric, value in values.items():
                found[metric].append((float(step), float(value)))
    return {metric: Curve(metric, points) for metric, points in found.items()}


def _read(run: Run, n_points: int) -> list[tuple[int, int, dict[str, float]]]:
    points = RunPoint.objects.filter(run=run)
    stride = -(-n_points // N_POINTS_READ)
    if stride > 1:
        numbered = points.annotate(row=Window(RowNumber(), order_by=[F("step"), F("attempt")]))
        points = numbered.annotate(phase=F("row") % stride).filter(phase=0)
    return list(points.order_by("step", "attempt").values_list("attempt", "step", "values"))
