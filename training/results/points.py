"""The measures and the log of a run as streams: what came after the last point, or line, that
somebody has read.
"""

from dataclasses import dataclass

from django.db.models import Q

from training.models import Run, RunPoint


def points_since(*, run: Run, step: int = -1, attempt: int | None = None, n: int) -> list[RunPoint]:
    """At most `n` points in the order of attempt and step, after `step` of `attempt`; of no
    attempt: after `step` of each.

    A resumed run replays steps under a higher attempt: a reader who names the attempt misses none
    of them.
    """
    points = RunPoint.objects.filter(run=run)
    if attempt is None:
        points = points.filter(step__gt=step)
    else:
        points = points.filter(Q(attempt__gt=attempt) | Q(attempt=attempt, step__gt=step))
    return list(points.order_by("attempt", "step")[:n])


@dataclass(frozen=True)
class LogLine:
    number: int
    text: str


@dataclass(frozen=True)
class Log:
    """Whole lines, numbered from 1 in the log of `attempt`; `unfinished` is the one that is being
    written.
    """

    attempt: int
    lines: list[LogLine]
    next_since: int
    unfinished: str


def log_since(*, run: Run, line: int = 0, attempt: int | None = None) -> Log:
    """Of what is kept, what came after `line` of `attempt`; all of it when another attempt's log
    has taken that one's place.
    """
    *whole, unfinished = run.log_tail.split("\n")
    n_lines = max(run.n_log_lines, len(whole))
    since = line if attempt in (None, run.log_attempt) else 0
    lines = [
        LogLine(number, text)
        for number, text in enumerate(whole, n_lines - len(whole) + 1)
        if number > since
    ]
    return Log(run.log_attempt, lines, n_lines, unfinished)
