"""Two groups of values: how often one lies above the other, by how much, and intervals."""

import numpy as np
import pytest

from training.trainer.offline import two_groups

UPPER, LOWER = [3.0, 1.0, 2.0, 5.0], [1.0, 0.0, 2.0]


def groups(upper: list[float], lower: list[float]) -> two_groups.TwoGroups:
    is_upper = [True] * len(upper) + [False] * len(lower)
    found = two_groups.compare([*upper, *lower], is_upper, list(range(len(is_upper))))
    assert found is not None
    return found


def test_the_share_above_is_that_of_all_pairs_with_ties_as_half() -> None:
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in UPPER for b in LOWER]

    found = groups(UPPER, LOWER)

    assert found.share_above == pytest.approx(sum(wins) / len(wins))
    assert found.difference == pytest.approx(2.75 - 1.0)


def test_few_prompts_give_no_interval_and_an_empty_group_nothing() -> None:
    assert (groups(UPPER, LOWER).share_ends, groups(UPPER, LOWER).difference_ends) == (None, None)
    assert two_groups.compare([1.0, 2.0], [True, True], [1, 2]) is None


def test_groups_that_are_apart_have_an_interval_with_a_width() -> None:
    found = groups([2.0] * 10, [1.0] * 10)

    assert found.share_above == 1.0
    assert found.share_ends is not None
    assert found.share_ends[0] < 0.8
    assert found.share_ends[1] == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_prompts", "n_each", "gap"), [(12, 1, 0.5), (40, 2, 0.5), (40, 6, 0.0), (100, 2, 1.5)]
)
def test_intervals_cover_what_is_true_of_new_prompts(
    n_prompts: int, n_each: int, gap: float
) -> None:
    """Simulated: values on one prompt share its effect, a prompt's responses are all good, all bad
    or mixed. The share of the population is measured on values of other prompts.
    """
    rng = np.random.default_rng(5)

    def drawn(n: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        prompt = np.repeat(np.arange(n), each)
        leaning = rng.beta(1, 1, n)[prompt]
        is_upper = rng.random(n * each) < leaning
        values = gap * is_upper + rng.normal(0, 0.7, n)[prompt] + rng.normal(0, 1, n * each)
        return values, is_upper, prompt

    spread = np.hypot(0.7, 1.0) * np.sqrt(2)
    true_share = float(np.mean(rng.normal(gap, spread, 2_000_000) > 0))
    hits, hits_difference, n = 0, 0, 0
    for _time in range(1500):
        values, is_upper, prompt = drawn(n_prompts, n_each)
        found = two_groups.compare(values.tolist(), is_upper.tolist(), prompt.tolist())
        if found is None or found.share_ends is None or found.difference_ends is None:
            continue
        n += 1
        hits += found.share_ends[0] <= true_share <= found.share_ends[1]
        hits_difference += found.difference_ends[0] <= gap <= found.difference_ends[1]

    assert n > 700
    assert 0.93 <= hits / n <= 0.99, hits / n
    assert 0.93 <= hits_difference / n <= 0.99, hits_difference / n
