"""The rule for intervals: against published examples, slow twins, and campaigns that are too thin
or too much alike.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t

from arithmetic import clustering, intervals
from arithmetic.consensus.reliability import between_raters
from tests.arithmetic.households import HOUSEHOLDS, SAW_DOCTOR


def wilson_by_hand(share: float, n: float, z: float) -> tuple[float, float]:
    """The two shares p for which |share − p| is z standard errors √(p (1 − p) / n)."""
    a, b, c = 1 + z**2 / n, -2 * share - z**2 / n, share**2
    root = math.sqrt(b**2 - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def interval_by_hand(scores: Sequence[float], prompts: Sequence[int]) -> tuple[float, float]:
    """By loops over votes."""
    share = sum(scores) / len(scores)
    residuals: dict[int, float] = defaultdict(float)
    for score, prompt in zip(scores, prompts, strict=True):
        residuals[prompt] += (score - share) / len(scores)
    g = len(residuals)
    between = g / (g - 1) * sum(one**2 for one in residuals.values())
    variance = max(between, share * (1 - share) / len(scores))
    return wilson_by_hand(share, share * (1 - share) / variance, float(t.ppf(0.975, g - 1)))


def test_the_variance_of_a_share_is_cochran_s() -> None:
    saw = clustering.share(SAW_DOCTOR, counts=HOUSEHOLDS, prompts=range(30))

    assert (saw.value, saw.n) == (pytest.approx(0.2885, abs=5e-5), 104)
    assert saw.se is not None
    assert saw.se**2 == pytest.approx(0.00520, abs=1e-5)  # by itself each person would have 0.00197
    # 104 people tell as much as 0.2885 · 0.7115 / 0.00520 = 39.4 would from as many households.
    assert (saw.low, saw.high) == pytest.approx(wilson_by_hand(0.288462, 39.43, 2.04523), abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_a_share_is_its_slow_twin_s(seed: int) -> None:
    random = np.random.default_rng(seed)
    prompts = random.integers(0, 20, 120)
    scores = (random.random(120) < random.random(20)[prompts]).astype(float)
    scores[:6] = 0.5

    found = clustering.share(scores, prompts=prompts)

    assert (found.low, found.high) == pytest.approx(
        interval_by_hand(scores.tolist(), prompts.tolist())
    )
    assert intervals.of_votes(scores.tolist(), prompts.tolist()) == pytest.approx(
        (found.low, found.high)
    )


def test_shares_of_many_raters_are_those_of_each() -> None:
    random = np.random.default_rng(3)
    raters, prompts = random.integers(5, 9, 300), random.integers(0, 30, 300)
    counts = random.integers(0, 4, 300)
    scores = random.binomial(counts, 0.7)

    found = clustering.share_by(raters, scores, counts=counts, prompts=prompts)

    for rater in range(5, 9):
        own = raters == rater
        expected = clustering.share(scores[own], counts=counts[own], prompts=prompts[own])
        assert found[rater].n == expected.n
        assert (found[rater].value, found[rater].low, found[rater].high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )


@pytest.mark.parametrize(
    ("scores", "prompts"),
    [
        ([1.0] * 20, list(range(20))),
        ([0.0] * 20, list(range(20))),
        ([0.5] * 20, list(range(20))),
        ([1.0, 1.0, 0.0] * 30, [at // 3 for at in range(90)]),
        ([1.0] * 60, [at // 12 for at in range(60)]),
    ],
    ids=["20 of 20", "0 of 20", "all ties", "every prompt 2:1", "5 prompts"],
)
def test_votes_that_are_alike_have_the_interval_of_independent_votes_at_least(
    scores: list[float], prompts: list[int]
) -> None:
    share = sum(scores) / len(scores)

    found = clustering.share(scores, prompts=prompts)

    alone = intervals.wilson(sum(scores), len(scores))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= alone[0] + 1e-12
    assert found.high >= alone[1] - 1e-12
    assert found.low - 1e-12 <= share <= found.high + 1e-12
    assert found.low < found.high


@pytest.mark.parametrize("n_prompts", range(1, 7))
def test_fewer_than_five_prompts_are_too_few(n_prompts: int) -> None:
    prompts = np.arange(30) % n_prompts
    influence = np.linspace(-0.1, 0.1, 30)

    found = [
        clustering.share(np.arange(30) % 2, prompts=prompts),
        clustering.share_by(np.ones(30, dtype=int), np.arange(30) % 2, prompts=prompts)[1],
        clustering.coefficient(0.4, 30, influence, prompts=prompts, alone=0.01),
        clustering.normal(0.4, 30, 0.01, n_prompts=n_prompts),
        clustering.independent(n_prompts, n_prompts),
    ]

    assert {figure.low is None for figure in found} == {n_prompts < 5}
    assert {figure.note for figure in found} == {clustering.TOO_FEW if n_prompts < 5 else ""}


@pytest.mark.parametrize("value", [-1.0, -0.5, 0.0, 0.4, 1.0])
def test_a_coefficient_without_any_spread_has_an_interval_all_the_same(value: float) -> None:
    found = clustering.coefficient(value, 10, np.zeros(10), prompts=range(10), alone=0.0)

    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= value <= found.high <= 1
    assert found.high - found.low > 0.1


def test_the_interval_of_kappa_is_that_of_its_share_where_chance_is_a_half() -> None:
    """Kappa is then 2 p − 1, and as certain as the share p."""
    scores, prompts = np.array([1.0] * 15 + [0.0] * 5), np.arange(20)
    share = clustering.share(scores, prompts=prompts)

    kappa = clustering.coefficient(
        0.5, 20, 2 * (scores - 0.75) / 20, prompts=prompts, alone=4 * 0.75 * 0.25 / 20
    )

    assert share.low is not None
    assert share.high is not None
    assert (kappa.low, kappa.high) == pytest.approx((2 * share.low - 1, 2 * share.high - 1))


def test_wilson_s_interval_is_the_textbook_s() -> None:
    passed = clustering.independent(8, 10)

    assert (passed.value, passed.n) == (0.8, 10)
    assert (passed.low, passed.high) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert (passed.low, passed.high) == pytest.approx(wilson_by_hand(0.8, 10, 1.959964))


def test_the_spread_between_raters_is_dersimonian_and_laird_s() -> None:
    """Thirteen trials of BCG vaccine (Colditz 1994), as R's metafor fits them: cases and others
    among the vaccinated, and among the rest.
    """
    trials = np.array(
        [
            (4, 119, 11, 128),
            (6, 300, 29, 274),
            (3, 228, 11, 209),
            (62, 13_536, 248, 12_619),
            (33, 5_036, 47, 5_761),
            (180, 1_361, 372, 1_079),
            (8, 2_537, 10, 619),
            (505, 87_886, 499, 87_892),
            (29, 7_470, 45, 7_232),
            (17, 1_699, 65, 1_600),
            (186, 50_448, 141, 27_197),
            (5, 2_493, 3, 2_338),
            (27, 16_886, 29, 17_825),
        ]
    )
    ill, well, others_ill, others_well = trials.T
    log_risk = np.log(ill / (ill + well)) - np.log(others_ill / (others_ill + others_well))
    variance = 1 / ill - 1 / (ill + well) + 1 / others_ill - 1 / (others_ill + others_well)

    mean, apart = between_raters(log_risk, variance)

    assert (mean, apart) == (pytest.approx(-0.7141, abs=5e-5), pytest.approx(0.3088, abs=5e-5))


def in_how_many_intervals(*, n_raters: int, loads: Sequence[float], is_two_way: bool) -> float:
    """Of 300 campaigns of 60 prompts, two votes each, by raters drawn anew: their win rates differ
    by a standard deviation of 1 on the logit. What all raters of the kind would say is .5.
    """
    random = np.random.default_rng(n_raters)
    n_held = 0
    for _campaign in range(300):
        raters = np.array(
            [random.choice(n_raters, 2, replace=False, p=loads) for _ in range(60)]
        ).reshape(-1)
        prompts = np.repeat(np.arange(60), 2)
        logit = random.normal(size=n_raters)[raters] + random.normal(size=60)[prompts]
        won = random.random(120) < 1 / (1 + np.exp(-logit))
        found = clustering.share(won, prompts=prompts, raters=raters if is_two_way else None)
        assert found.low is not None
        assert found.high is not None
        n_held += found.low <= 0.5 <= found.high
    return n_held / 300


@pytest.mark.slow
@pytest.mark.parametrize(
    "loads",
    [[1 / 6] * 6, [0.4, 0.2, 0.1, 0.1, 0.1, 0.1], [1 / 3] * 3],
    ids=["six raters", "six with unequal loads", "three raters"],
)
def test_intervals_about_raters_like_these_hold_what_others_would_say(
    loads: Sequence[float],
) -> None:
    """By prompt alone they hold it in two of three campaigns."""
    n_raters = len(loads)

    assert in_how_many_intervals(n_raters=n_raters, loads=loads, is_two_way=True) >= 0.92
    assert in_how_many_intervals(n_raters=n_raters, loads=loads, is_two_way=False) < 0.85


def test_a_share_says_whom_its_interval_is_about() -> None:
    won, prompts = np.arange(30) % 2, np.arange(30)

    abouts = [
        clustering.share(won, prompts=prompts, raters=raters).about
        for raters in (np.arange(30) % 4, np.arange(30) % 2, None)
    ]

    assert abouts == ["raters_like_these", "these_raters", ""]


def test_the_interval_of_a_share_about_raters_like_these_is_wilson_s_by_hand() -> None:
    """Fifteen of 24 votes of three raters on eight prompts: 8 of 8, 5 of 8, and 2 of 8.

    By hand: prompts have 3, 3, 2, 2, 2, 1, 1 and 1 wins around 15 / 8, so by prompt the variance is
    8 / 7 · 4.875 / 24² = .009673; raters have 8, 5 and 2 wins around 5, so it is
    3 / 2 · 18 / 24² = .046875; votes alone have 24 / 23 · 5.625 / 24² = .010190. The three raters
    count equally: .009673 + .046875 − .010190 = .046358, with .046358² / (.009673² / 7 +
    .046875² / 2) = 1.93 degrees of freedom, fewer than the two of three raters, so 2.
    """
    won = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]])
    won = np.vstack([won, [1, 0, 0]])
    prompts, raters = np.repeat(np.arange(8), 3), np.tile(np.arange(3), 8)

    found = clustering.share(won.reshape(-1), prompts=prompts, raters=raters)

    assert found.se is not None
    assert found.se**2 == pytest.approx(0.046358, abs=2e-6)
    assert (found.low, found.high) == pytest.approx(
        wilson_by_hand(0.625, 0.625 * 0.375 / 0.046358, 4.30265), abs=1e-5
    )
