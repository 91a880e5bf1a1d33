"""A schedule by accuracy looks every week at pairs that grow. Chance alone must hardly ever start a
chain in a whole year, and a true drop must still be found.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from arithmetic import intervals
from arithmetic.sequential import any_time
from training.schedules import timing
from training.schedules.timing import Accuracy, AccuracyCheck, Reason

N_WEEKS, PAIRS_A_PROMPT = 52, 6


def right(n_prompts: int, mean: float, luck: np.random.Generator) -> NDArray[np.int64]:
    """How many pairs of each prompt the model gets right. Some prompts are harder than others."""
    hardness = luck.beta(10 * mean, 10 * (1 - mean), n_prompts)
    return luck.binomial(PAIRS_A_PROMPT, hardness)


def accuracy(found: NDArray[np.int64]) -> Accuracy:
    """As arithmetic.intervals.of_votes gives it, from sums by prompt."""
    n, share = PAIRS_A_PROMPT * len(found), float(found.mean()) / PAIRS_A_PROMPT
    residuals = found - PAIRS_A_PROMPT * share
    between = float((residuals**2).sum()) / n**2 * len(found) / (len(found) - 1)
    ends = intervals.of_share(share, max(between, share * (1 - share) / n), len(found))
    assert ends is not None
    return Accuracy(share, *ends)


def week_of_alarm(now: float, luck: np.random.Generator, *, before: float = 0.7) -> int | None:
    """The first week in which the schedule starts a chain; 20 new prompts come each week."""
    first = accuracy(right(100, before, luck))
    check = AccuracyCheck("reward-1", first.value, 600, 100, 3, before_low=first.low)
    found = right(20 * N_WEEKS, now, luck)
    for week in range(1, N_WEEKS + 1):
        seen = accuracy(found[: 20 * week])
        if timing.decide_by_accuracy(check, seen=seen).reason == Reason.FELL:
            return week
    return None


def false_alarms(n_years: int) -> float:
    luck = np.random.default_rng(7)
    return sum(week_of_alarm(0.7, luck) is not None for _year in range(n_years)) / n_years


def test_chance_starts_no_chain_in_a_year_of_weekly_looks() -> None:
    assert false_alarms(60) <= 0.05


@pytest.mark.slow
def test_chance_starts_a_chain_in_at_most_one_of_twenty_years_of_weekly_looks() -> None:
    assert false_alarms(1000) <= 0.05


def test_a_drop_of_fifteen_points_is_found_within_weeks() -> None:
    luck = np.random.default_rng(11)

    weeks = [week_of_alarm(0.55, luck) or 99 for _year in range(40)]

    assert np.median(weeks) <= 8
    assert np.mean([week <= N_WEEKS for week in weeks]) >= 0.95


def test_the_bound_is_wider_than_an_interval_for_one_look_and_narrows_with_votes() -> None:
    wide, narrow = (any_time.upper_bound(0.7, 0.21 / n, alpha=0.025) - 0.7 for n in (100, 10_000))

    assert wide > intervals.Z_95 * (0.21 / 100) ** 0.5
    assert narrow < wide / 5
