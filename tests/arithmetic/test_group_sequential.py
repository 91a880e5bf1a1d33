"""Levels of several looks: against published boundaries, and a slow twin that draws the looks. What
is said of their power, against the test itself on simulated votes.
"""

import numpy as np
import pytest
from scipy.special import expit, ndtri

from arithmetic import clustering
from arithmetic.figures import Figure
from arithmetic.sequential import group_sequential
from arithmetic.sequential.group_sequential import DIFFICULTY, TASTE, Design

FIVE = tuple((np.arange(5) + 1) / 5)


def quantiles(levels: tuple[float, ...]) -> list[float]:
    return [float(-ndtri(level)) for level in levels]


def test_five_looks_have_the_boundaries_of_lan_and_demets() -> None:
    """Lan and DeMets (1983), O'Brien–Fleming-like spending at two-sided .05, as ldbounds and
    Proschan, Lan and Wittes (2006) print them.
    """
    levels = group_sequential.levels(FIVE, 0.025)

    assert quantiles(levels) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=5e-4)


def test_pocock_like_spending_has_its_published_boundaries() -> None:
    spending = tuple(0.025 * float(np.log(1 + (np.e - 1) * share)) for share in FIVE)

    levels = group_sequential.levels_of(FIVE, spending)

    assert quantiles(levels) == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=5e-4)


def test_one_look_has_the_whole_error() -> None:
    assert group_sequential.levels([1.0], 0.05) == pytest.approx((0.05,))


@pytest.mark.parametrize("shares", [(0.25, 0.5, 0.75, 1.0), (0.1, 0.9, 1.0)])
def test_all_looks_together_are_wrong_as_often_as_was_allowed(shares: tuple[float, ...]) -> None:
    """The slow twin: draw what each look sees of nothing, and count who crosses anywhere."""
    steps = np.sqrt(np.diff(shares, prepend=0))
    drawn = np.random.default_rng(1).normal(size=(400_000, len(shares))) * steps
    seen = np.cumsum(drawn, axis=1) / np.sqrt(shares)

    crosses = seen > quantiles(group_sequential.levels(shares, 0.05))

    assert crosses.any(axis=1).mean() == pytest.approx(0.05, abs=0.0015)


def test_a_rate_is_behind_when_it_is_a_standard_error_below_the_bar() -> None:
    rate = Figure(0.44, 100, low=0.34, high=0.54, se=0.05)

    assert group_sequential.is_behind(rate, 0.5)
    assert not group_sequential.is_behind(rate, 0.48)
    assert not group_sequential.is_behind(Figure(0.0, 4), 0.5)


def test_a_win_rate_is_that_of_the_logit_over_raters_and_prompts() -> None:
    ahead = group_sequential.on_logit(0.6)
    spread = np.hypot(TASTE, DIFFICULTY)

    votes = expit(ahead + spread * np.random.default_rng(2).normal(size=1_000_000))

    assert votes.mean() == pytest.approx(0.6, abs=0.001)
    assert group_sequential.on_logit(0.5) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_raters", "n_looks", "rate"), [(6, 1, 0.6), (12, 4, 0.5), (12, 4, 0.6), (30, 2, 0.55)]
)
def test_a_forecast_is_what_the_test_does_on_simulated_votes(
    n_raters: int, n_looks: int, rate: float
) -> None:
    design = Design(n_prompts=200, n_votes=2, n_raters=n_raters, n_looks=n_looks, error=0.05)
    random = np.random.default_rng(3)

    ended = np.array([_tested(random, design, rate) for _time in range(1_200)])

    expected = group_sequential.forecast(design, rate)
    assert ended[:, 0].mean() == pytest.approx(expected.passes, abs=0.05)
    assert ended[:, 1].mean() == pytest.approx(expected.n_prompts, rel=0.05)


def test_the_number_of_prompts_that_is_enough_is_enough() -> None:
    design = Design(n_prompts=100, n_votes=2, n_raters=30, error=0.05)

    n = group_sequential.prompts_for(design, 0.6, 0.8)

    assert n is not None
    at = [group_sequential.forecast(Design(m, 2, 30, error=0.05), 0.6).passes for m in (n, n // 2)]
    assert at[0] >= 0.8 > at[1]


def test_with_three_raters_who_differ_no_number_of_prompts_is_enough() -> None:
    design = Design(n_prompts=100, n_votes=2, n_raters=3, error=0.05)

    assert group_sequential.prompts_for(design, 0.55, 0.8) is None


def _tested(random: np.random.Generator, design: Design, rate: float) -> tuple[bool, int]:
    """Whether a model passes, and after how many prompts."""
    taste = random.normal(0, TASTE, design.n_raters)
    load = np.log(np.linspace(1, 3, design.n_raters))
    drawn = load + random.gumbel(size=(design.n_prompts, design.n_raters))
    rater = np.argsort(-drawn, axis=1)[:, : design.n_votes].reshape(-1)
    prompt = np.repeat(np.arange(design.n_prompts), design.n_votes)
    difficulty = random.normal(0, DIFFICULTY, design.n_prompts)
    ahead = group_sequential.on_logit(rate) + taste[rater] + difficulty[prompt]
    won = random.random(len(prompt)) < expit(ahead)
    shares = [(look + 1) / design.n_looks for look in range(design.n_looks)]
    n = 0
    for share, error in zip(shares, group_sequential.levels(shares, design.error), strict=True):
        n = round(design.n_prompts * share)
        seen = slice(n * design.n_votes)
        figure = clustering.share(won[seen], prompts=prompt[seen], raters=rater[seen], error=error)
        assert figure.low is not None
        if figure.low >= design.bar:
            return True, n
        if group_sequential.is_behind(figure, design.bar):
            break
    return False, n
