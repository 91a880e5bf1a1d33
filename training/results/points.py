"""Points and log lines of a run since a position, for clients that poll."""

from dataclasses import dataclass

from django.db.models import Q

from training.models import Run, RunPoint


def points_since(*, run: Run, step: int = -1, attempt: int | None = None, n: int) -> list[RunPoint]:
    """At most `n` points by attempt and step, after `step` of `attempt`. Without an attempt: after
    `step` of every attempt.

    A resumed run replays steps under a higher attempt, so a client that names the attempt misses
    none.
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
    """Complete lines, numbered from 1 in the log of `attempt`. `unfinished` is the line still being
    written.
    """

    attempt: int
    lines: list[LogLine]
    next_since: int
    unfinished: str


def log_since(*, run: Run, line: int = 0, attempt: int | None = None) -> Log:
    """The stored lines after `line` of `attempt`; all of them if another attempt has replaced that
    log.
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
