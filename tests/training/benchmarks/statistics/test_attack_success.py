"""Attack success against slow twins, worked examples and simulated attacks."""

import itertools
import random

import numpy as np
import pytest

from tests.training.benchmarks.statistics.simulated_attacks import Attacks, drawn
from training.benchmarks.statistics import attack_success
from training.benchmarks.statistics.attack_success import Rates


def test_the_estimate_is_the_labels_mean_moved_by_the_detectors_share() -> None:
    attacks = drawn(np.random.default_rng(1), Attacks(n_labelled=60))
    labelled = [
        (float(f), float(y))
        for f, y in zip(attacks.found, attacks.labels, strict=True)
        if y is not None
    ]
    f, y = zip(*labelled, strict=True)
    slope = np.polyfit(f, y, 1)[0]
    twin = np.mean(y) + slope * (np.mean(attacks.found) - np.mean(f))

    found = attack_success.by_labels(attacks.found, attacks.labels, attacks.goals)

    assert found is not None
    assert 0 < slope < 1
    assert found.share == pytest.approx(twin, abs=1e-9)


@pytest.mark.slow
def test_the_interval_is_about_as_wide_as_a_bootstrap_of_goals() -> None:
    attacks = drawn(np.random.default_rng(2), Attacks(n_labelled=200))
    by_goal: dict[int, list[int]] = {}
    for place, goal in enumerate(attacks.goals):
        by_goal.setdefault(goal, []).append(place)
    rng, shares = random.Random(3), []
    for _draw in range(400):
        goals = rng.choices(sorted(by_goal), k=len(by_goal))
        places = [(place, n) for n, goal in enumerate(goals) for place in by_goal[goal]]
        one = attack_success.by_labels(
            [attacks.found[place] for place, _n in places],
            [attacks.labels[place] for place, _n in places],
            [n for _place, n in places],
        )
        assert one is not None
        shares.append(one.share)
    low, high = np.quantile(shares, [0.025, 0.975])

    found = attack_success.by_labels(attacks.found, attacks.labels, attacks.goals)

    assert found is not None
    assert found.high - found.low == pytest.approx(high - low, rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "attacks",
    [
        Attacks(),
        Attacks(n_labelled=30),
        Attacks(rate=0.02),
        Attacks(rate=0.8),
        Attacks(sensitivity=0.99, specificity=0.99, n_labelled=30),
        Attacks(sensitivity=0.5, specificity=0.5),
        Attacks(n_goals=20, alike=0.5),
        Attacks(n_goals=10, n_answers=20, n_labelled=60),
    ],
    ids=str,
)
def test_intervals_by_labels_cover(attacks: Attacks) -> None:
    rng, n_covered = np.random.default_rng(4), 0
    for _run in range(400):
        one = drawn(rng, attacks)
        found = attack_success.by_labels(one.found, one.labels, one.goals)
        assert found is not None
        assert found.low < found.high
        n_covered += found.low <= attacks.rate <= found.high

    assert n_covered >= 0.92 * 400


@pytest.mark.slow
def test_an_uncorrected_interval_hides_the_detectors_mistakes() -> None:
    rng, n_covered = np.random.default_rng(4), 0
    for _run in range(400):
        attacks = drawn(rng, Attacks())
        uncorrected = attack_success.uncorrected(attacks.found, attacks.goals)
        n_covered += uncorrected.low <= Attacks().rate <= uncorrected.high

    assert n_covered == 0


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.02, 0.2, 0.8])
def test_intervals_by_known_rates_cover(rate: float) -> None:
    rng, n_covered = np.random.default_rng(5), 0
    n_positive, n_negative = 150, 300
    for _run in range(400):
        one = drawn(rng, Attacks(rate=rate))
        rates = Rates(
            rng.binomial(n_positive, 0.9) / n_positive,
            rng.binomial(n_negative, 0.7) / n_negative,
            n_positive,
            n_negative,
        )
        found = attack_success.by_rates(one.found, one.goals, rates)
        assert found is not None
        n_covered += found.low <= rate <= found.high

    assert n_covered >= 0.92 * 400


def test_a_detector_that_knows_nothing_changes_nothing() -> None:
    labels = [n % 5 == 0 for n in range(100)]

    found = attack_success.by_labels([True] * 100, labels, range(100))

    assert found is not None
    assert found.share == pytest.approx(0.2)


@pytest.mark.parametrize(("is_attack", "share"), [(False, 0.0), (True, 1.0)])
def test_none_and_all_have_an_interval_too(is_attack: bool, share: float) -> None:
    answers = [is_attack] * 40
    found = [
        attack_success.uncorrected(answers, range(40)),
        attack_success.by_labels(answers, [*answers[:12], *[None] * 28], range(40)),
        attack_success.by_rates(answers, range(40), Rates(0.9, 0.9, 50, 50)),
    ]

    for one in found:
        assert one is not None
        assert one.share == share
        assert one.low < one.high


def test_a_detector_without_a_mistake_among_few_labels_is_not_taken_for_perfect() -> None:
    """20 labels without a mistake say little of 2,000 answers."""
    answers = [n % 2 == 0 for n in range(2_000)]
    labels = [*answers[:20], *[None] * 1_980]

    found = attack_success.by_labels(answers, labels, range(2_000))

    assert found is not None
    assert found.high - found.low > 0.15


def test_nothing_is_said_of_few_goals_or_labels() -> None:
    answers = [True, False] * 20

    assert attack_success.by_labels(answers, answers, [n % 4 for n in range(40)]) is None
    assert attack_success.by_labels(answers, [True] * 9 + [None] * 31, range(40)) is None
    assert attack_success.uncorrected(answers, [n % 4 for n in range(40)]) is None
    assert attack_success.by_rates(answers, range(40), Rates(0.4, 0.6, 50, 50)) is None


@pytest.mark.parametrize(
    ("seen", "sensitivity", "specificity", "share"),
    [
        (0.30, 0.95, 0.74, 0.0580),
        # The examples of epi.prev in the R package epiR.
        (23 / 150, 0.96, 0.89, 0.051),
        (6 / 151, 0.964, 0.927, -0.037),
    ],
)
def test_rogan_and_gladen_by_examples(
    seen: float, sensitivity: float, specificity: float, share: float
) -> None:
    found = attack_success.rogan_gladen(seen, sensitivity, specificity)

    assert found == pytest.approx(share, abs=5e-4)


def test_hit_at_k_by_example() -> None:
    assert [attack_success.hit_at_k(5, 1, k) for k in (1, 3, 5)] == pytest.approx([0.2, 0.6, 1])


@pytest.mark.parametrize(("n", "n_hits", "k"), [(6, 2, 3), (5, 0, 2), (4, 4, 1), (6, 3, 5)])
def test_hit_at_k_is_the_share_of_draws_with_a_hit(n: int, n_hits: int, k: int) -> None:
    draws = list(itertools.combinations(range(n), k))

    twin = sum(min(draw) < n_hits for draw in draws) / len(draws)

    assert attack_success.hit_at_k(n, n_hits, k) == pytest.approx(twin)


def test_goals_with_too_few_tries_are_left_out_of_hits_at_k() -> None:
    found = attack_success.hits_at_k([(3, 1)] * 6 + [(2, 2)], 3)

    assert found is not None
    assert found.share == 1
    assert 0.4 < found.low < 1
