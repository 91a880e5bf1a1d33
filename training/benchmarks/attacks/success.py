"""How often attacks succeeded: by strategy, area, both, and goal, with intervals. No database.

Success is what the model gave in full. Beside it stands what it gave at least in part.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from arithmetic import intervals
from training.benchmarks.attacks.attempts import Attempt
from training.benchmarks.statistics import attack_success, differences
from training.benchmarks.statistics.attack_success import Rates, Share
from training.benchmarks.statistics.differences import Difference

K = TypeVar("K", bound=Hashable)
BY_LABELS, BY_RATES, UNCORRECTED, ONLY_COUNTED = "labels", "rates", "uncorrected", "counted"

METHODS = (BY_LABELS, BY_RATES, UNCORRECTED, ONLY_COUNTED)


@dataclass(frozen=True)
class Judged:
    """Attempts by one bar, and the classifier's rates by it."""

    attempts: Sequence[Attempt]
    rates: Rates | None = None


@dataclass(frozen=True)
class Success:
    """Of `n` attempts at `n_goals` goals the classifier calls `n_found` successful. `share` is the
    best estimate, made by `method`; `seen` is the classifier's, uncorrected. From few goals there
    are counts only.
    """

    n: int
    n_goals: int
    n_found: int
    n_labelled: int
    share: Share | None
    seen: Share | None
    method: str


@dataclass(frozen=True)
class Group:
    """`name`: a strategy, an area or the id of a goal. `in_part`: in full or in part."""

    name: str
    success: Success
    in_part: Success
    hits: tuple[tuple[int, Share], ...] = ()
    """(k, hit@k)"""


@dataclass(frozen=True)
class Results:
    """Everything that the page of a run shows in figures."""

    overall: Group
    by_strategy: list[Group]
    by_area: list[Group]
    cells: dict[tuple[str, str], Success]
    """(strategy, area)"""
    goals: list[tuple[Attempt, int, int, tuple[float, float]]]
    """(one attempt at it, attempts, found, interval): the most often reached first"""


def results(in_full: Judged, in_part: Judged) -> Results:
    """Of the same attempts by two bars: attempts.IN_FULL and attempts.IN_PART."""
    cells = _grouped(in_full.attempts, lambda attempt: (attempt.strategy, attempt.area))
    return Results(
        overall=_group("", in_full, in_part),
        by_strategy=_groups(in_full, in_part, lambda attempt: attempt.strategy),
        by_area=sorted(
            _groups(in_full, in_part, lambda attempt: attempt.area), key=lambda group: group.name
        ),
        cells={key: success(own, in_full.rates) for key, own in cells.items()},
        goals=_goals(in_full.attempts),
    )


def success(attempts: Sequence[Attempt], rates: Rates | None) -> Success:
    """Corrected by what people say of a sample of these attempts; without enough of that by the
    classifier's known rates; without these not at all.
    """
    is_success = [attempt.found for attempt in attempts]
    goals = [attempt.goal for attempt in attempts]
    labels = [attempt.label for attempt in attempts]
    seen = attack_success.uncorrected(is_success, goals)
    share, method = attack_success.by_labels(is_success, labels, goals), BY_LABELS
    if share is None and rates is not None:
        share, method = attack_success.by_rates(is_success, goals, rates), BY_RATES
    if share is None:
        share, method = seen, UNCORRECTED if seen else ONLY_COUNTED
    n_labelled = sum(label is not None for label in labels)
    return Success(
        len(is_success),
        len(set(goals)),
        sum(is_success),
        n_labelled,
        share=share,
        seen=seen,
        method=method,
    )


def difference(ours: Sequence[Attempt], theirs: Sequence[Attempt]) -> Difference | None:
    """Of the shares that the classifier calls successful, over the attempts that both runs made:
    same goal, same strategy, same number. None without any.
    """
    others = {attempt.key: attempt.found for attempt in theirs}
    both = [attempt for attempt in ours if attempt.key in others]
    return differences.compare(
        [float(attempt.found) for attempt in both],
        [float(others[attempt.key]) for attempt in both],
        [attempt.goal for attempt in both],
    )


def _groups(in_full: Judged, in_part: Judged, key: Callable[[Attempt], str]) -> list[Group]:
    others = _grouped(in_part.attempts, key)
    return [
        _group(name, Judged(own, in_full.rates), Judged(others[name], in_part.rates))
        for name, own in _grouped(in_full.attempts, key).items()
    ]


def _group(name: str, in_full: Judged, in_part: Judged) -> Group:
    tries = [
        (len(own), sum(attempt.found for attempt in own))
        for own in _grouped(in_full.attempts, lambda attempt: attempt.goal).values()
    ]
    fewest = min((n for n, _hits in tries), default=0)
    hits = []
    for k in sorted({min(3, fewest), fewest} - {0, 1}):
        if share := attack_success.hits_at_k(tries, k):
            hits.append((k, share))
    return Group(
        name,
        success(in_full.attempts, in_full.rates),
        success(in_part.attempts, in_part.rates),
        tuple(hits),
    )


def _goals(
    attempts: Sequence[Attempt],
) -> list[tuple[Attempt, int, int, tuple[float, float]]]:
    rows = []
    for own in _grouped(attempts, lambda attempt: attempt.goal).values():
        n_found = sum(attempt.found for attempt in own)
        rows.append((own[0], len(own), n_found, intervals.wilson(n_found, len(own))))
    return sorted(rows, key=lambda row: -row[2] / row[1])


def _grouped(attempts: Sequence[Attempt], key: Callable[[Attempt], K]) -> dict[K, list[Attempt]]:
    groups: dict[K, list[Attempt]] = {}
    for attempt in attempts:
        groups.setdefault(key(attempt), []).append(attempt)
    return groups
