"""The agreement of a rater's ratings with the others' beyond chance: against Cohen's kappa for two
raters, against a slow twin for more, and where there is none.
"""

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import cohen_kappa_score

from arithmetic.ratings.answers import Ratings, RatingTable, table_of
from arithmetic.ratings.reliability import reliability, same_ratings
from benchmarks.fixtures.simulated import rated_agreement
from tests.arithmetic import oracles
from tests.arithmetic.test_clustering import wilson_by_hand

NAN = float("nan")


def rated(scores: list[list[float]], *, is_ordered: bool = True) -> RatingTable:
    """One row of scores for each rater, one response an item; NaN is not rated."""
    rows = [
        (rater, item, score)
        for rater, row in enumerate(scores)
        for item, score in enumerate(row)
        if score == score
    ]
    rater, item, score = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    table = table_of(
        Ratings(
            *(np.arange(n), item, rater, item, item, np.full(n, 100.0)),
            *(np.zeros(n), np.full(n, NAN)),
            answers={"quality": score.astype(float)},
            ordered=frozenset({"quality"} if is_ordered else ()),
        )
    )
    assert table is not None
    return table


def random_scores(seed: int, n_raters: int = 2, n_items: int = 60) -> list[list[float]]:
    random = np.random.default_rng(seed)
    truth = random.integers(1, 6, n_items)
    return [
        np.clip(truth + random.integers(-1, 2, n_items) + at % 2, 1, 5).astype(float).tolist()
        for at in range(n_raters)
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_ordered", [True, False])
def test_of_two_raters_it_is_cohen_s_kappa(seed: int, is_ordered: bool) -> None:
    scores = random_scores(seed)

    found = reliability(rated(scores, is_ordered=is_ordered))

    expected = cohen_kappa_score(*scores, weights="quadratic" if is_ordered else None)
    cohen = oracles.cohen(
        *scores, weighting="quadratic" if is_ordered else "identity", values=range(1, 6)
    )
    assert cohen.se is not None
    # The published error of independent units, over 60 prompts of one response each.
    variance, share = 60 / 59 * cohen.se**2, (1 + expected) / 2
    low, high = wilson_by_hand(share, share * (1 - share) / (variance / 4), float(t.ppf(0.975, 59)))
    for rater in (0, 1):
        figure = found[rater].accuracy
        assert figure.value == pytest.approx(expected)
        assert (figure.low, figure.high) == pytest.approx((2 * low - 1, 2 * high - 1))


def test_of_several_raters_it_is_that_of_a_slow_twin() -> None:
    scores = random_scores(5, n_raters=4, n_items=12)
    scores[1][:3], scores[2][5:] = [NAN] * 3, [NAN] * 7
    table = np.array(scores)
    own, others = table[0], table[1:]
    shared = [item for item in range(12) if not np.isnan(others[:, item]).all()]
    means = {item: others[~np.isnan(others[:, item]), item] for item in shared}
    observed = np.mean([((own[item] - means[item]) ** 2).mean() for item in shared])
    by_chance = np.mean(
        [((own[item] - means[other]) ** 2).mean() for item, other in product(shared, shared)]
    )

    found = reliability(rated(scores))[0].accuracy

    assert (found.value, found.n) == (pytest.approx(1 - observed / by_chance), 12)


def test_from_few_items_its_interval_is_jackknifed() -> None:
    scores = random_scores(5, n_raters=3, n_items=12)
    whole = reliability(rated(scores))[0].accuracy
    without = np.array(
        [
            reliability(rated([row[:item] + row[item + 1 :] for row in scores]))[0].accuracy.value
            for item in range(12)
        ]
    )
    assert whole.value is not None
    unbiased = 12 * whole.value - 11 * without.mean()
    variance = 11 / 12 * ((without - without.mean()) ** 2).sum()
    share = (1 + unbiased) / 2
    low, high = wilson_by_hand(share, share * (1 - share) / (variance / 4), float(t.ppf(0.975, 11)))

    assert (whole.low, whole.high) == pytest.approx((2 * low - 1, 2 * high - 1))


@pytest.mark.slow
@pytest.mark.parametrize(("n_items", "k"), rated_agreement.CELLS)
def test_the_interval_holds_what_a_rater_reaches_on_many_items(n_items: int, k: int) -> None:
    held: dict[str, list[bool]] = defaultdict(list)
    for seed in range(100):
        for name, figure, truth in rated_agreement.by_rating(n_items, k, seed):
            if figure["low"] is not None:
                held[name].append(figure["low"] <= truth <= figure["high"])

    assert {len(shown) for shown in held.values()} == {200}
    assert np.mean([holds for shown in held.values() for holds in shown]) >= 0.92
    # 200 intervals of a kind: two standard errors below
    assert min(np.mean(shown) for shown in held.values()) >= 0.92 - 0.04


def test_equal_ratings_are_counted_over_all_others() -> None:
    found = same_ratings(rated([[1, 2, 3], [1, 2, 5], [1, 4, NAN]]))

    assert (found[0].value, found[0].n) == (0.6, 5)
    assert (found[2].value, found[2].n) == (0.5, 4)


def test_a_careless_rater_has_no_weight_and_a_careful_one_has() -> None:
    scores = random_scores(1, n_raters=4, n_items=100)
    random = np.random.default_rng(2)
    always = [3.0] * 100
    at_random = random.integers(1, 6, 100).astype(float).tolist()

    found = reliability(rated([*scores, always, at_random]))

    assert found[4].accuracy.value == pytest.approx(0.0)
    assert max(found[4].weight, found[5].weight) < 0.1
    assert min(found[at].weight for at in range(4)) > 0.3


def test_a_rater_of_two_items_is_drawn_towards_the_others() -> None:
    scores = random_scores(1, n_raters=5, n_items=100)
    wrong = [NAN] * 98 + [6 - score for score in scores[0][98:]]

    found = reliability(rated([*scores, wrong]))

    assert found[5].accuracy.low is None
    assert found[5].weight > found[5].accuracy.value


@pytest.mark.parametrize(
    ("scores", "note"),
    [
        ([[1, 2, NAN], [NAN, NAN, 3]], "No one else rated what this rater rated."),
        ([[3, 3, 3], [3, 3, 3]], "Everyone gave the same rating everywhere, so agreement beyond"),
    ],
)
def test_without_an_answer_there_is_a_sentence(scores: list[list[float]], note: str) -> None:
    found = reliability(rated(scores))

    assert {figure.accuracy.value for figure in found.values()} == {None}
    assert all(figure.accuracy.note.startswith(note) for figure in found.values())
