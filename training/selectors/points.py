"""The measures of a run as a stream: what came after the last point that somebody has read."""

from django.db.models import Q

from training.models import Run, RunPoint


def points_since(*, run: Run, step: int = -1, attempt: int | None = None, n: int) -> list[RunPoint]:
    """At most `n` points in the order of attempt and step, after `step` of `attempt`; of no attempt: after `step` of each.

    A resumed run replays steps under a higher attempt: a reader who names the attempt misses none of them.
    """
    points = RunPoint.objects.filter(run=run)
    if attempt is None:
        points = points.filter(step__gt=step)
    else:
        points = points.filter(Q(attempt__gt=attempt) | Q(attempt=attempt, step__gt=step))
    return list(points.order_by("attempt", "step")[:n])
