"""Which sources answer, how often, and with what probability."""

from collections import Counter
from itertools import combinations

import pytest

from labeling.conversations.draws import Share, another, draw

SHARES = [Share(1, 1.0, 1.0), Share(2, 2.0, 0.7), Share(3, 5.0, 1.0)]


def test_sources_are_drawn_as_often_as_their_probability_says() -> None:
    drawn = [draw(SHARES, n=2, seed=str(seed)) for seed in range(4000)]

    counted = Counter(frozenset(share.source for share in one.shares) for one in drawn)
    stated = {frozenset(share.source for share in one.shares): one.propensity for one in drawn}
    assert sum(stated.values()) == pytest.approx(1)
    for pair, probability in stated.items():
        error = (probability * (1 - probability) / 4000) ** 0.5
        assert abs(counted[pair] / 4000 - probability) <= 4 * error


def test_the_probability_of_a_pair_is_the_sum_over_both_orders() -> None:
    by_hand = {
        pair: (pair[0].weight / 8) * pair[1].weight / (8 - pair[0].weight)
        + (pair[1].weight / 8) * pair[0].weight / (8 - pair[1].weight)
        for pair in combinations(SHARES, 2)
    }
    drawn = draw(SHARES, n=2, seed="any")

    pair = tuple(sorted(drawn.shares, key=lambda share: share.source))
    assert drawn.propensity == pytest.approx(by_hand[pair])  # type: ignore[index]


def test_the_same_seed_draws_the_same() -> None:
    assert draw(SHARES, n=2, seed="7") == draw(SHARES, n=2, seed="7")


def test_one_source_answers_at_both_places() -> None:
    drawn = draw(SHARES[:1], n=2, seed="7")

    assert [share.source for share in drawn.shares] == [1, 1]
    assert drawn.propensity == 1.0


def test_another_source_is_one_that_was_not_tried() -> None:
    tried = another(SHARES, tried=[1, 3], seed="7")

    assert tried is not None
    assert tried.source == 2
    assert another(SHARES, tried=[1, 2, 3], seed="7") is None
