"""When a judge's verdicts may stand, against slow twins, published bounds and simulated judges."""

from collections.abc import Sequence
from math import comb

import numpy as np
import pytest
from scipy import stats

from arithmetic.judges import trust
from arithmetic.judges.trust import Look

TARGET, ERROR = 0.85, 0.1


@pytest.mark.parametrize(
    ("n_agreed", "n", "low"),
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 5.
    [(81, 263, 0.2527), (15, 148, 0.0578), (0, 20, 0.0), (1, 29, 0.0009)],
)
def test_clopper_and_pearsons_bound_by_example(n_agreed: int, n: int, low: float) -> None:
    assert trust.lower_bound(n_agreed, n, 0.025) == pytest.approx(low, abs=5e-5)


def by_bisection(n_agreed: int, n: int, error: float) -> float:
    """The share at which as many or more agree with probability `error`."""
    low, high = 0.0, 1.0
    for _step in range(50):
        share = (low + high) / 2
        tail = sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n_agreed, n + 1))
        low, high = (share, high) if tail < error else (low, share)
    return low if n_agreed else 0.0


@pytest.mark.parametrize(("n_agreed", "n"), [(0, 60), (1, 60), (57, 60), (60, 60), (90, 100)])
def test_the_bound_is_the_share_that_would_agree_so_often_by_chance(n_agreed: int, n: int) -> None:
    twin = by_bisection(n_agreed, n, 0.015)

    assert trust.lower_bound(n_agreed, n, 0.015) == pytest.approx(twin, abs=1e-9)


def looks_of(confidences: Sequence[float], agrees: Sequence[bool]) -> list[Look]:
    """The rule as its description reads."""
    looks = []
    for n_pairs, share in ((100, 0.1), (200, 0.3), (400, 0.3), (800, 0.3)):
        if n_pairs > len(agrees):
            break
        pairs = list(zip(confidences[:n_pairs], agrees[:n_pairs], strict=True))
        level = ERROR * share / 2
        n_agreed = sum(agreed for _confidence, agreed in pairs)
        bound = trust.lower_bound(n_agreed, n_pairs, level)
        threshold = 0.0 if bound >= TARGET else None
        look = Look(n_pairs, ERROR * share, threshold, n_pairs, n_agreed, bound)
        n_before = 0
        for tried in sorted({confidence for confidence, _agreed in pairs}, reverse=True):
            above = [agreed for confidence, agreed in pairs if confidence >= tried]
            is_step = len(above) >= (n_before + n_pairs / 20 if n_before else 60)
            if threshold == 0 or not (is_step or len(above) == n_pairs):
                continue
            bound, n_before = trust.lower_bound(sum(above), len(above), level), len(above)
            if bound < TARGET:
                break
            of_all = len(above) == n_pairs
            look = Look(
                n_pairs,
                ERROR * share,
                0.0 if of_all else tried,
                len(above),
                sum(above),
                bound,
            )
        looks.append(look)
    return looks


@pytest.mark.parametrize("n_digits", [1, 2, 9])
def test_each_look_is_as_its_description_reads(n_digits: int) -> None:
    rng, thresholds = np.random.default_rng(1), set()
    for run in range(20):
        confidences = (0.5 + 0.5 * rng.random(850) ** 0.5).round(n_digits).tolist()
        agrees = [bool(rng.random() < c + 0.02 * (run % 4)) for c in confidences]

        decision = trust.decide(confidences, agrees, target=TARGET, error=ERROR)

        assert list(decision.looks) == looks_of(confidences, agrees)
        thresholds |= {look.threshold for look in decision.looks}
    assert len(thresholds) > 5
    assert {None, 0.0} < thresholds


def judged(rng: np.random.Generator, n: int, rate: float = 0.9) -> tuple[list[float], list[bool]]:
    return rng.random(n).tolist(), (rng.random(n) < rate).tolist()


def test_between_looks_nothing_is_decided() -> None:
    confidences, agrees = judged(np.random.default_rng(2), 900)

    decided = [
        trust.decide(confidences[:n], agrees[:n], target=TARGET, error=ERROR).looks
        for n in range(901)
    ]

    held = [len(looks) for looks in decided]
    assert [held.index(n) for n in range(5)] == [0, 100, 200, 400, 800]
    assert all(looks == decided[-1][: len(looks)] for looks in decided)


def test_pairs_after_a_look_do_not_change_it() -> None:
    confidences, agrees = judged(np.random.default_rng(3), 199)
    before = trust.decide(confidences[:100], agrees[:100], target=TARGET, error=ERROR).looks

    wrong = [*agrees[:100], *[False] * 99]
    after = trust.decide(confidences, wrong, target=TARGET, error=ERROR).looks

    assert after == before


def test_all_verdicts_come_before_the_few_at_the_top() -> None:
    """The 60 surest agree in 51, too few for a bound of .85; all 400 in 370."""
    confidences = np.linspace(1, 0.5, 400).tolist()
    agrees = [False] * 9 + [True] * 51 + [False] * 21 + [True] * 319

    granted = trust.decide(confidences, agrees, target=TARGET, error=ERROR).granted

    assert granted is not None
    assert (granted.threshold, granted.n, granted.n_agreed) == (0.0, 400, 370)


def test_a_threshold_that_was_granted_stays_until_a_lower_one_is() -> None:
    rng = np.random.default_rng(4)
    confidences = rng.random(800).tolist()
    agrees = [True] * 200 + [False] * 600

    decision = trust.decide(confidences, agrees, target=TARGET, error=ERROR)

    assert [look.threshold for look in decision.looks] == [0.0, 0.0, None, None]
    assert decision.granted == decision.looks[0]


def test_a_lower_threshold_takes_the_place_of_a_higher_one() -> None:
    """At first the less sure half is wrong in 40 %, later in none."""
    confidences = [0.9, 0.6] * 400
    agrees = [n % 2 == 0 or n > 200 or n % 5 > 1 for n in range(800)]

    decision = trust.decide(confidences, agrees, target=TARGET, error=ERROR)

    assert [look.threshold for look in decision.looks] == [None, 0.9, 0.0, 0.0]
    assert decision.granted == decision.looks[2]


@pytest.mark.parametrize(
    ("n", "to_next", "to_trust"),
    # 90 of 100 has a bound of .807 at the first look, 180 of 200 one of .846 at the second and
    # 360 of 400 one of .863 at the third.
    [(50, 50, None), (60, 40, 340), (150, 50, 250), (399, 1, 1), (400, 400, None)],
)
def test_what_is_still_needed(n: int, to_next: int, to_trust: int | None) -> None:
    agrees = [place % 10 != 0 for place in range(n)]

    decision = trust.decide([0.7] * n, agrees, target=TARGET, error=ERROR)

    assert (decision.n_to_next_look, decision.n_to_trust) == (to_next, to_trust)


def test_no_number_of_pairs_is_enough_below_the_target() -> None:
    agrees = [place % 5 != 0 for place in range(800)]

    decision = trust.decide([0.7] * 800, agrees, target=TARGET, error=ERROR)

    assert decision.granted is None
    assert decision.n_to_next_look is None
    assert decision.n_to_trust is None


def test_pairs_of_one_prompt_count_for_less() -> None:
    """Twenty prompts whose five pairs agree or differ together are worth about twenty pairs."""
    agrees = [n >= 5 for n in range(100)]
    prompts = [n // 5 for n in range(100)]

    apart, together = (
        trust.decide([0.7] * 100, agrees, of, target=TARGET, error=ERROR).looks[0].bound
        for of in (None, prompts)
    )

    level = 0.1 * ERROR / 2
    independent = 20 - 1  # .95 × .05 through the variance of the mean of twenty shares
    independent *= (stats.norm.ppf(level) / stats.t.ppf(level, 20 - 1)) ** 2
    assert apart == trust.lower_bound(95, 100, level)
    assert together == pytest.approx(trust.lower_bound(0.95 * independent, independent, level))


def test_pairs_of_prompts_that_differ_little_count_for_no_more_than_pairs() -> None:
    """Each of 50 prompts but two has one agreement and one disagreement."""
    agrees = [True, True, False, False, *(n % 2 == 0 for n in range(96))]
    prompts = [n // 2 for n in range(100)]

    looks = [
        trust.decide([0.7] * 100, agrees, of, target=TARGET, error=ERROR).looks
        for of in (prompts, None, range(100))
    ]

    assert looks[0][0].bound < looks[1][0].bound
    assert looks[1] == looks[2]


def test_four_prompts_are_too_few() -> None:
    prompts = [n % 4 for n in range(100)]

    look = trust.decide([0.7] * 100, [True] * 100, prompts, target=TARGET, error=ERROR).looks[0]

    assert (look.bound, look.threshold) == (0.0, None)


@pytest.mark.parametrize("n_alike", [1, 8])
def test_a_judge_below_the_target_is_hardly_ever_trusted(n_alike: int) -> None:
    """.85 is wanted and .84 true, in all 800 pairs; eight of a prompt resemble each other."""
    rng, n_trusted = np.random.default_rng(5), 0
    prompts = np.arange(800) // n_alike
    for _run in range(300):
        rates = rng.beta(0.84 * 3, 0.16 * 3, 800)[prompts] if n_alike > 1 else np.full(800, 0.84)
        agrees = (rng.random(800) < rates).tolist()
        decision = trust.decide(
            rng.random(800).tolist(), agrees, prompts.tolist(), target=TARGET, error=ERROR
        )
        n_trusted += decision.granted is not None

    assert n_trusted <= ERROR * 300
