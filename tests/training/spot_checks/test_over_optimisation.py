"""Which checkpoint is kept, and the fitted curve with its peak: examples by hand, a slow twin, and
how often the interval holds.
"""

import itertools
import math
import random

import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from training.spot_checks import over_optimisation as curves
from training.spot_checks.over_optimisation import Compared


def along(
    alpha: float, beta: float, places: list[float], *, spread: float = 0.0, seed: int = 1
) -> list[Compared]:
    """Each checkpoint against the one that is best so far, by log-odds from the curve."""
    draw, kept, found = random.Random(seed), 0.0, []
    for d in places:
        odds = curves.of_reinforcement(d, alpha, beta) - curves.of_reinforcement(kept, alpha, beta)
        share = float(expit(odds + draw.gauss(0, spread)))
        slope = 1 / (share * (1 - share))
        found.append(Compared(d, kept, share, (max(spread, 0.1) / slope) ** 2))
        kept = d if odds > 0 else kept
    return found


PLACES = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_a_checkpoint_replaces_the_kept_one_only_if_its_lower_end_is_above_a_half() -> None:
    assert curves.replaces(0.501)
    assert not curves.replaces(0.5)
    assert not curves.replaces(None)


def test_the_peak_of_best_of_n_is_where_it_is_by_hand() -> None:
    d, value = curves.peak_of_best_of_n(1, 0.2)

    assert d == pytest.approx(2.5, abs=1e-6)
    assert value == pytest.approx(1.25, abs=1e-6)
    assert curves.of_best_of_n(d, 1, 0.2) == pytest.approx(1.25, abs=1e-6)


def test_the_peak_of_reinforcement_is_where_it_is_by_hand() -> None:
    d, value = curves.peak_of_reinforcement(1, 0.5)

    assert d == pytest.approx(math.e, abs=1e-6)
    assert value == pytest.approx(1.359141, abs=1e-6)
    assert curves.of_reinforcement(d, 1, 0.5) == pytest.approx(1.359141, abs=1e-6)


@pytest.mark.parametrize(("alpha", "beta"), [(1, 0.5), (2, 0.9), (0.7, 0.4)])
def test_a_peak_is_higher_than_its_surroundings(alpha: float, beta: float) -> None:
    """The slow twin: a search along the curve."""
    grid = [step / 10_000 for step in range(1, 150_000)]

    slow = max(grid, key=lambda d: curves.of_reinforcement(d, alpha, beta))

    assert curves.peak_of_reinforcement(alpha, beta)[0] == pytest.approx(slow, abs=1e-4)


def test_a_curve_without_noise_is_found_again() -> None:
    found = curves.fitted(along(1, 0.5, PLACES))

    assert found is not None
    assert found.peak is not None
    assert (found.alpha, found.beta) == pytest.approx((1, 0.5), abs=1e-6)
    assert found.peak.d == pytest.approx(math.e, abs=1e-6)
    assert found.peak.low < math.e < found.peak.high


def test_the_fit_is_that_of_the_slow_twin() -> None:
    """A search for the smallest weighted sum of squares, term by term."""
    compared = along(1.2, 0.6, PLACES, spread=0.4)

    def squares(of: tuple[float, float]) -> float:
        total = 0.0
        for one in compared:
            expected = curves.of_reinforcement(one.d, *of)
            expected -= curves.of_reinforcement(one.against, *of)
            error = math.sqrt(one.variance) / (one.share * (1 - one.share))
            total += ((float(logit(one.share)) - expected) / error) ** 2
        return total

    slow = minimize(squares, (0.5, 0.1), method="Nelder-Mead", options={"xatol": 1e-10})
    found = curves.fitted(compared)

    assert found is not None
    assert (found.alpha, found.beta) == pytest.approx(tuple(slow.x), abs=1e-5)


def test_seven_checkpoints_have_no_curve_and_eight_have_one() -> None:
    assert curves.fitted(along(1, 0.5, PLACES[:7])) is None
    assert curves.fitted(along(1, 0.5, PLACES[:8])) is not None


def test_a_checkpoint_that_was_asked_about_twice_counts_once() -> None:
    assert curves.fitted(along(1, 0.5, [*PLACES[:7], PLACES[6]])) is None


def test_a_curve_that_never_falls_has_no_peak() -> None:
    found = curves.fitted(along(1, 0.0, PLACES))

    assert found is not None
    assert found.peak is None


def test_a_peak_beyond_the_last_checkpoint_is_not_drawn() -> None:
    found = curves.fitted(along(2, 0.5, PLACES))  # at e³, about 20

    assert found is not None
    assert found.beta > 0
    assert found.peak is None


def test_checkpoints_that_never_moved_have_no_curve() -> None:
    assert curves.fitted([Compared(0.0, 0.0, 0.5, 0.01)] * 9) is None


def test_the_interval_of_the_peak_holds_it_as_often_as_it_says() -> None:
    n_held = n_drawn = 0
    for seed in range(400):
        found = curves.fitted(along(2, 1, PLACES, spread=0.25, seed=seed))
        if found is not None and found.peak is not None:
            n_drawn += 1
            n_held += found.peak.low <= math.e <= found.peak.high

    assert n_drawn > 300
    assert n_held / n_drawn >= 0.93


def test_every_pair_of_checkpoints_may_be_compared() -> None:
    """Not only neighbours: the log-odds are of the curve wherever the two are."""
    compared = [
        Compared(
            d,
            other,
            float(
                expit(curves.of_reinforcement(d, 1, 0.5) - curves.of_reinforcement(other, 1, 0.5))
            ),
            0.01,
        )
        for other, d in itertools.combinations(PLACES, 2)
    ]

    found = curves.fitted(compared)

    assert found is not None
    assert (found.alpha, found.beta) == pytest.approx((1, 0.5), abs=1e-6)
