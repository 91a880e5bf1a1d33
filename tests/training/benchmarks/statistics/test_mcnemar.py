"""McNemar's exact test and Tango's interval, against worked examples, scipy and slow twins."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from arithmetic import intervals
from training.benchmarks.statistics import differences, mcnemar, power


@pytest.mark.parametrize(
    ("ours", "theirs", "p"),
    [(12, 4, 0.076812744140625), (18, 4, 0.004343509674072266), (0, 0, 1.0), (5, 5, 1.0)],
)
def test_the_exact_test_gives_the_values_of_statsmodels(ours: int, theirs: int, p: float) -> None:
    # statsmodels 0.15.0, contingency_tables.mcnemar(exact=True)
    assert mcnemar.exact_p(ours, theirs) == pytest.approx(p, abs=1e-12)


def test_the_exact_test_is_a_binomial_test_of_a_half() -> None:
    for ours in range(15):
        for theirs in range(15):
            n = ours + theirs
            expected = binomtest(ours, n, 0.5).pvalue if n else 1.0
            by_hand = min(
                1.0, 2 * sum(math.comb(n, k) for k in range(min(ours, theirs) + 1)) / 2**n
            )
            assert mcnemar.exact_p(ours, theirs) == pytest.approx(expected, abs=1e-6)
            assert mcnemar.exact_p(ours, theirs) == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize(("ours", "theirs", "n"), [(18, 4, 450), (9, 1, 30), (1, 0, 44)])
def test_the_interval_ends_where_the_score_test_would_reject(
    ours: int, theirs: int, n: int
) -> None:
    low, high = mcnemar.interval(ours, theirs, n)

    ends = [high] if low == 0 else [low, high]
    assert [abs(_score(ours, theirs, n, end)) for end in ends] == pytest.approx(
        [intervals.Z_95] * len(ends), abs=1e-4
    )


def _score(ours: int, theirs: int, n: int, difference: float) -> float:
    """The slow twin: the shares under a supposed difference by search for the highest likelihood
    in place of a formula.
    """

    def loss(share: float) -> float:
        cells = [(ours, share + difference), (theirs, share), (n - ours - theirs, 0.0)]
        cells[2] = (cells[2][0], 1 - 2 * share - difference)
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    found = minimize_scalar(
        loss,
        bounds=(max(0.0, -difference), (1 - difference) / 2),
        method="bounded",
        options={"xatol": 1e-12},
    )
    variance = n * (2 * found.x + difference - difference**2)
    return float((ours - theirs - n * difference) / math.sqrt(variance))


def test_the_interval_turns_round_with_the_models_and_is_never_of_zero_width() -> None:
    for ours, theirs, n in [(0, 0, 30), (30, 0, 30), (9, 0, 9), (12, 4, 100), (3, 60, 450)]:
        low, high = mcnemar.interval(ours, theirs, n)
        assert high - low > 0.05 * (n < 450)
        assert mcnemar.interval(theirs, ours, n) == pytest.approx((-high, -low), abs=1e-9)


def test_the_interval_holds_zero_where_the_exact_test_finds_nothing() -> None:
    # The score test alone would reject: (12 − 4)² / 16 = 4.
    assert mcnemar.interval(12, 4, 100)[0] == 0.0


def test_wilson_gives_the_published_intervals() -> None:
    assert intervals.wilson(0, 10) == pytest.approx((0, 0.2775), abs=5e-5)
    assert intervals.wilson(95, 250) == pytest.approx((0.3221, 0.4416), abs=5e-5)
    for right, n in [(0, 10), (95, 250), (450, 450), (1, 3)]:
        found = binomtest(right, n).proportion_ci(method="wilson")
        assert intervals.wilson(right, n) == pytest.approx((found.low, found.high), abs=1e-6)


def test_three_planted_points_on_450_items_are_found() -> None:
    called = _share_called(difference=0.03, n_pairs=2000, seed=16)

    assert called >= 0.75


def test_equal_models_are_rarely_called_different() -> None:
    assert _share_called(difference=0.0, n_pairs=2000, seed=17) <= 0.05
    assert _share_called(difference=0.0, n_pairs=200, seed=18) <= 0.07


def _share_called(*, difference: float, n_pairs: int, seed: int) -> float:
    """The share of pairs of models called different on 450 items, of which 5 % tell them apart."""
    rng = np.random.default_rng(seed)
    shares = [(0.05 + difference) / 2, (0.05 - difference) / 2, 0.95]
    counts = rng.multinomial(450, shares, size=n_pairs)
    return float(np.mean([mcnemar.exact_p(int(a), int(b)) < 0.05 for a, b, _same in counts]))


@pytest.mark.parametrize(
    ("n", "discordant", "difference"), [(450, 0.05, 0.03), (100, 0.3, 0.1), (60, 0.2, 0.0)]
)
def test_the_interval_covers_the_true_difference(
    n: int, discordant: float, difference: float
) -> None:
    rng = np.random.default_rng(19)
    shares = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    counts = rng.multinomial(n, shares, size=600)

    covered = [
        low - 1e-12 <= difference <= high + 1e-12
        for low, high in (mcnemar.interval(int(a), int(b), n) for a, b, _same in counts)
    ]

    # The exact test keeps more than its level where nothing differs, and the interval with it.
    assert 0.925 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(
    ("n", "discordant", "difference"),
    [(6, 1.0, 1.0), (9, 0.7, 0.5), (30, 0.3, 0.2), (44, 0.2, 0.2), (60, 0.5, -0.1), (25, 0.4, 0)],
)
def test_the_power_is_that_of_every_outcome_counted(
    n: int, discordant: float, difference: float
) -> None:
    better, worse = (discordant + difference) / 2, (discordant - difference) / 2

    assert power.of_shares(n, discordant, difference) == pytest.approx(
        _share_found(n, better, worse), abs=1e-9
    )


def _share_found(n: int, better: float, worse: float) -> float:
    """The slow twin: the probability of each pair of counts that the test calls different."""
    return math.fsum(
        math.comb(n, ours)
        * math.comb(n - ours, theirs)
        * better**ours
        * worse**theirs
        * max(1 - better - worse, 0.0) ** (n - ours - theirs)
        for ours in range(n + 1)
        for theirs in range(n - ours + 1)
        if mcnemar.exact_p(ours, theirs) < 0.05
    )


@pytest.mark.parametrize(
    ("n", "discordant"),
    [(450, 0.05), (100, 0.2), (200, 0.3), (200, 0.2), (1000, 0.1), (44, 0.0), (5000, 0.02)],
)
def test_the_smallest_difference_is_found_four_times_in_five(n: int, discordant: float) -> None:
    smallest = power.smallest_of_shares(n, discordant)

    assert smallest is not None
    share = max(discordant, smallest)
    rng = np.random.default_rng(20)
    shares = [(share + smallest) / 2, (share - smallest) / 2, 1 - share]
    counts, times = np.unique(rng.multinomial(n, shares, size=10_000), axis=0, return_counts=True)
    is_found = [mcnemar.exact_p(int(a), int(b)) < 0.05 for a, b, _same in counts]
    # Four standard errors of 10,000 pairs of models.
    assert np.average(is_found, weights=times) == pytest.approx(0.8, abs=0.016)


@pytest.mark.parametrize("n", [6, 7, 20, 450])
@pytest.mark.parametrize("discordant", [0.0, 0.05, 0.5, 1.0])
def test_a_hair_below_the_smallest_difference_is_found_less_often(
    n: int, discordant: float
) -> None:
    smallest = power.smallest_of_shares(n, discordant)

    assert smallest is not None
    below, above = (
        power.of_shares(n, max(discordant, gap), gap) for gap in (smallest - 1e-6, smallest)
    )
    assert below < above
    assert above == pytest.approx(0.8, abs=1e-6)


def test_too_few_items_can_show_no_difference() -> None:
    assert power.smallest_of_shares(5, 0.0) is None
    # 1 − (probability of at most five of 100): six to none is the least that the test finds.
    assert power.smallest_of_shares(100, 0.0) == pytest.approx(0.0784, abs=5e-4)


def test_independent_rights_and_wrongs_are_compared_by_the_exact_test() -> None:
    ours = [1.0] * 40 + [1.0] * 12 + [0.0] * 4 + [0.0] * 44
    theirs = [1.0] * 40 + [0.0] * 12 + [1.0] * 4 + [0.0] * 44

    found = differences.compare(ours, theirs, range(100))

    assert found is not None
    assert found.method == differences.MCNEMAR
    assert (found.n, found.n_better, found.n_worse) == (100, 12, 4)
    assert found.difference == pytest.approx(0.08)
    assert found.p == pytest.approx(0.0768, abs=5e-5)
