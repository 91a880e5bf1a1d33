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


def slow_ece(margins: list[float]) -> float:
    """The mean gap of ten bins, one pair after the other."""
    bins: dict[int, list[float]] = {}
    for margin in margins:
        confidence = 1 / (1 + math.exp(-abs(margin)))
        right = 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0
        bins.setdefault(min(9, int((confidence - 0.5) * 20)), []).append(confidence - right)
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(margins)


def slow_temperature(margins: list[float]) -> float:
    """The most likely of a fine grid."""
    grid = [math.exp(-4 + step / 400) for step in range(3201)]
    return min(grid, key=lambda t: sum(math.log1p(math.exp(-m / t)) for m in margins))


def test_the_worked_example_of_a_temperature() -> None:
    # Three of four right, all with a margin of 2: sigmoid(2 / T) = 3 / 4 at T = 2 / ln 3.
    found = calibration.of_margins([2.0, 2.0, 2.0, -2.0])

    assert found.temperature == pytest.approx(2 / math.log(3), rel=1e-6)
    assert found.ece == pytest.approx(1 / (1 + math.exp(-2)) - 0.75, abs=1e-12)
    assert found.ece_after == pytest.approx(0.0, abs=1e-6)


def test_each_half_of_the_prompts_has_the_temperature_of_the_other() -> None:
    rng = np.random.default_rng(5)
    prompts = np.repeat(np.arange(10), 6)
    margins = rng.normal(0.4, 1.0, 60)
    place = np.random.default_rng(0).permutation(10)
    halves = [margins[np.isin(prompts, np.flatnonzero(which))] for which in (place < 5, place >= 5)]
    first, second = (half.tolist() for half in halves)
    lent = [margin / slow_temperature(second) for margin in first]
    lent += [margin / slow_temperature(first) for margin in second]

    found = calibration.cross_fitted(margins.tolist(), prompts.tolist())

    assert found.ece_after == pytest.approx(slow_ece(lent), abs=2e-3)
    assert found.ece_before == pytest.approx(slow_ece(margins.tolist()), abs=1e-12)
    assert found.temperature == pytest.approx(slow_temperature(margins.tolist()), rel=3e-3)


def test_what_fits_one_half_does_not_flatter_the_other() -> None:
    # Right by a coin on one half of the prompts, always right on the other.
    place = np.random.default_rng(0).permutation(20)
    prompts = np.repeat(np.arange(20), 20)
    is_coin = np.repeat(place < 10, 20)
    margins = np.where(is_coin & (np.arange(400) % 2 == 0), -1.0, 1.0)

    found = calibration.cross_fitted(margins.tolist(), prompts.tolist())

    assert calibration.of_margins(margins.tolist()).ece_after < 0.01
    assert found.ece_after == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("n_of_prompt", [1, 5])
def test_the_error_by_chance_is_that_of_simulated_calibrated_models(n_of_prompt: int) -> None:
    rng = np.random.default_rng(6)
    prompts = (np.arange(300) // n_of_prompt).tolist()
    measured, by_chance, is_above = [], [], []
    for _draw in range(200):
        true = np.abs(rng.normal(0, 1.2, 300))
        margins = np.where(rng.random(300) < 1 / (1 + np.exp(-true)), true, -true)
        found = calibration.cross_fitted(margins.tolist(), prompts)
        measured.append(found.ece_after)
        by_chance.append(found.by_chance)
        is_above.append(found.ece_after > found.by_chance_high)

    assert np.mean(by_chance) == pytest.approx(np.mean(measured), rel=0.1)
    assert np.mean(is_above) < 0.08


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
