"""From which confidence may a judge's verdict stand, so that it agrees with people as often as
wanted?

Pairs that both the judge and people answered are looked at when there are 100, 200, 400 and 800 of
them, and at no other time: a test that looks at every new answer promises an error of 10 % and is
wrong about twice as often. Each look may be wrong with its share of the error. Half of that is for
all verdicts at once, the other half for thresholds, from the highest with at least 60 pairs down
to the first that fails (fixed-sequence testing; Bauer 1991). A judge that is right whatever its
confidence would be stopped by the few pairs at the top, so all verdicts come first.

The bound is Clopper and Pearson's (1934). Pairs of one prompt belong together: they count as many
independent pairs as have the variance between prompts (Korn and Graubard 1998).
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri

from arithmetic import cluster_variance
from arithmetic.figures import Floats, Ints
from arithmetic.intervals import FEWEST_PROMPTS, of_student

LOOKS = {100: 0.1, 200: 0.3, 400: 0.3, 800: 0.3}
"""Number of pairs → share of the error that the look may spend."""
FEWEST_PAIRS = 60
"""No threshold is tried on fewer pairs."""
N_STEPS = 20
"""A step down from a threshold adds at least this part of the look's pairs."""


@dataclass(frozen=True)
class Look:
    """What one look came to. `n`, `n_agreed` and `bound` are of the pairs from `threshold` on: the
    lowest that passed, or all pairs where none did.
    """

    n_pairs: int
    error: float
    """how often it may be wrong"""
    threshold: float | None
    """Verdicts stand from this confidence on: 0 for all of them, None for none."""
    n: int
    n_agreed: int
    bound: float
    """the lower bound of the agreement, at the level that it was tested with"""


@dataclass(frozen=True)
class Decision:
    """Of all looks so far."""

    looks: tuple[Look, ...]
    n_pairs: int
    n_to_next_look: int | None
    """None after the last"""
    n_to_trust: int | None
    """Pairs until the look that would let all verdicts stand if agreement stays as it is; None if
    none would, or if they stand already.
    """

    @property
    def granted(self) -> Look | None:
        """The look whose threshold holds, the lowest granted so far."""
        passed = [look for look in self.looks if look.threshold is not None]
        return min(passed, key=lambda look: look.threshold or 0.0, default=None)


@dataclass(frozen=True)
class _Pairs:
    """Arrays of equal length. `prompts` are numbers, None if each pair has its own prompt."""

    confidences: Floats
    agrees: Ints
    prompts: Ints | None

    def at(self, places: slice | Ints) -> "_Pairs":
        prompts = None if self.prompts is None else self.prompts[places]
        return _Pairs(self.confidences[places], self.agrees[places], prompts)


def decide(
    confidences: Sequence[float],
    agrees: Sequence[bool],
    prompts: Sequence[Hashable] | None = None,
    *,
    target: float,
    error: float,
) -> Decision:
    """Of pairs in the order in which they came in: a random sample of those that the judge
    decided, with its confidence from 0 to 1 and whether a person agreed. A pair that comes in is
    always the last. `error` is how often, at any look, a threshold may be granted above which
    fewer than `target` agree; with several slices, divide it among them. Without `prompts`, each
    pair has its own.
    """
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts or ()))}
    has_groups = prompts is not None and len(numbers) < len(prompts)
    pairs = _Pairs(
        np.asarray(confidences, dtype=np.float64),
        np.asarray(agrees, dtype=np.int64),
        np.array([numbers[prompt] for prompt in prompts or ()]) if has_groups else None,
    )
    n_pairs = len(pairs.agrees)
    looks = tuple(
        _look(pairs.at(slice(n)), target, error * share)
        for n, share in LOOKS.items()
        if n <= n_pairs
    )
    later = [n for n in LOOKS if n > n_pairs]
    all_stand = any(look.threshold == 0 for look in looks)
    return Decision(
        looks,
        n_pairs,
        later[0] - n_pairs if later else None,
        None if all_stand else _n_to_trust(pairs, target, error),
    )


def lower_bound(n_agreed: float, n: float, error: float) -> float:
    """Clopper and Pearson's: below the true share, but with probability `error`."""
    return float(betaincinv(n_agreed, n - n_agreed + 1, error)) if n_agreed > 0 else 0.0


def _look(pairs: _Pairs, target: float, error: float) -> Look:
    n_pairs = len(pairs.agrees)
    level = error / 2

    def look(threshold: float | None, n: int, bound: float) -> Look:
        return Look(n_pairs, error, threshold, n, int(ordered.agrees[:n].sum()), bound)

    ordered = pairs.at(np.argsort(-pairs.confidences, kind="stable"))
    of_all = _bound(ordered, level)
    if of_all >= target:
        return look(0.0, n_pairs, of_all)
    lowest = look(None, n_pairs, of_all)
    for n in _steps(ordered.confidences):
        bound = _bound(ordered.at(slice(n)), level)
        if bound < target:
            break
        lowest = look(0.0 if n == n_pairs else float(ordered.confidences[n - 1]), n, bound)
    return lowest


def _steps(confidences: Floats) -> Iterator[int]:
    """How many pairs have at least each threshold, from the highest down. Pairs with the same
    confidence stay together.
    """
    n_pairs = len(confidences)
    ends = np.append(np.flatnonzero(np.diff(confidences)) + 1, n_pairs)
    n = 0
    while n < n_pairs:
        fewest = n + n_pairs / N_STEPS if n else FEWEST_PAIRS
        n = int(ends[min(int(np.searchsorted(ends, fewest)), len(ends) - 1)])
        yield n


def _bound(pairs: _Pairs, level: float) -> float:
    n, n_agreed = len(pairs.agrees), int(pairs.agrees.sum())
    n_independent = _n_independent(pairs, level)
    return lower_bound(n_agreed / n * n_independent, n_independent, level)


def _n_independent(pairs: _Pairs, level: float) -> float:
    """How many independent pairs tell as much. Where the variance between prompts is known from
    few of them, fewer, by the ratio of the normal quantile to Student's.
    """
    n = len(pairs.agrees)
    if pairs.prompts is None:
        return n
    n_prompts = len(np.unique(pairs.prompts))
    if n_prompts < FEWEST_PROMPTS:
        return 0.0
    share = float(pairs.agrees.mean())
    between = cluster_variance.of_rows((pairs.agrees - share) / n, pairs.prompts)
    # Pairs that all agree do not show how far a prompt's belong together.
    n_independent = share * (1 - share) / between if between > 0 else float(n_prompts)
    shrunk = (float(ndtri(1 - level)) / of_student(n_prompts - 1, level)) ** 2
    return min(float(n), n_independent) * shrunk


def _n_to_trust(pairs: _Pairs, target: float, error: float) -> int | None:
    n_pairs = len(pairs.agrees)
    if n_pairs < FEWEST_PAIRS:
        return None
    share = float(pairs.agrees.mean())
    for n, spent in LOOKS.items():
        level = error * spent / 2
        n_independent = _n_independent(pairs, level) * n / n_pairs
        if n > n_pairs and lower_bound(share * n_independent, n_independent, level) >= target:
            return n - n_pairs
    return None
