"""Rules about an order of responses."""

import pytest

from arithmetic import response_orders


def test_responses_are_lettered_and_a_place_beyond_is_numbered() -> None:
    assert [response_orders.letter(place) for place in (0, 8, 9, -1)] == ["A", "I", "10", "0"]


def test_ranks_lose_their_gaps_and_keep_their_ties_and_blanks() -> None:
    ranks = {7: 3, 8: 9, 9: 3, 10: None}

    assert response_orders.dense(ranks) == {7: 1, 8: 2, 9: 1, 10: None}
    assert response_orders.dense({}) == {}


@pytest.mark.parametrize(
    ("given", "right", "earned"),
    [(-1, -1, 1), (0, 0, 1), (0, 1, 0.5), (-1, 0, 0.5), (-1, 1, 0), (1, -1, 0)],
)
def test_the_same_direction_earns_one_the_opposite_nothing_and_a_tie_half(
    given: int, right: int, earned: float
) -> None:
    assert response_orders.credit(given, right) == earned
