"""Calibration of reward models and their taste for length, against slow twins."""

import math

import numpy as np
import pytest
from scipy import stats

from training.benchmarks.statistics import calibration, lengths


def test_the_calibration_error_is_the_mean_gap_of_ten_bins() -> None:
    margins = np.random.default_rng(1).normal(0.5, 1.5, 300)
    bins: dict[int, list[tuple[float, float]]] = {}
    for margin in margins:
        confidence = 1 / (1 + math.exp(-abs(margin)))
        place = min(9, int((confidence - 0.5) * 20))
        bins.setdefault(place, []).append((confidence, float(margin > 0)))
    expected = sum(
        len(group) / 300 * abs(np.mean([c for c, _ in group]) - np.mean([r for _, r in group]))
        for group in bins.values()
    )

    assert calibration.ece(margins) == pytest.approx(expected, abs=1e-12)


def test_the_temperature_undoes_a_factor() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(0, 2, 20_000)
    outcomes = np.where(rng.random(20_000) < 1 / (1 + np.exp(-true)), true, -true)

    found = calibration.of_margins(list(3 * outcomes))

    assert found.temperature == pytest.approx(3.0, rel=0.05)
    assert found.ece > 0.1
    assert found.ece_after < 0.02


def test_the_temperature_is_the_most_likely_of_a_grid() -> None:
    margins = np.random.default_rng(3).normal(0.4, 1.0, 100)
    grid = np.exp(np.linspace(-2, 3, 2001))
    losses = [np.log1p(np.exp(-margins / one)).mean() for one in grid]

    assert calibration.temperature(margins) == pytest.approx(grid[np.argmin(losses)], rel=0.01)


def test_every_pair_right_asks_for_no_temperature() -> None:
    found = calibration.of_margins([1.0, 2.0, 3.0])

    assert found.temperature == pytest.approx(0.001, rel=0.01)
    assert found.ece_after == pytest.approx(0.0, abs=1e-9)


def test_a_tie_is_half_right() -> None:
    assert calibration.ece(np.zeros(4)) == 0.0


def test_length_is_compared_within_a_prompt() -> None:
    # Over prompts, longer answers have lower rewards; within each, the longer one is preferred.
    rewarded = [([5.0, 6.0], [10, 20]), ([1.0, 2.0], [100, 110])]

    assert lengths.correlation(rewarded) == pytest.approx(1.0)


def test_single_answers_are_correlated_as_scipy_does() -> None:
    rng = np.random.default_rng(4)
    rewards, sizes = rng.normal(size=50), rng.integers(1, 900, 50)

    found = lengths.correlation([([r], [int(s)]) for r, s in zip(rewards, sizes, strict=True)])

    assert found == pytest.approx(stats.pearsonr(rewards, sizes).statistic, abs=1e-9)


def test_rewards_that_do_not_vary_have_no_correlation() -> None:
    assert lengths.correlation([([1.0, 1.0], [3, 9])]) is None
