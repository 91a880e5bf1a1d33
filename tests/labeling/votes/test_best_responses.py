"""The response of an item that its votes clearly prefer: the fewer votes, the clearer."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from labeling.votes import best_responses, consensus
from labeling.votes.best_responses import Standing
from labeling.votes.consensus import PairConsensus
from tests.labeling.votes.test_item_consensus import votes_on


def best(
    ranks: dict[int, Sequence[float]], accuracy: Mapping[int, float] | None = None
) -> Standing:
    standing = best_responses.best(consensus.consensus_by_pair(votes_on(ranks), accuracy or {}))
    assert standing is not None
    return standing


def test_the_bound_is_that_of_the_pairs_worked_out_by_hand() -> None:
    standing = best({1: [1, 2]})

    win, tie = 0.75, 0.125
    score = win + tie / 2
    spread = (win + tie / 4 - score**2) ** 0.5
    assert standing.response == 10
    assert standing.score == pytest.approx(score)
    assert standing.low == pytest.approx(score - best_responses.Z_80 * spread)


def test_more_votes_for_the_same_response_raise_its_lower_end() -> None:
    lows = [best({rater: [1, 2, 3] for rater in range(n)}).low for n in (1, 2, 3)]

    assert lows == sorted(lows)
    assert lows[0] > best_responses.EVEN


def test_one_first_place_is_enough_unless_its_rater_is_known_to_guess() -> None:
    assert best({1: [2, 1, 3]}).is_clear
    assert not best({1: [2, 1, 3]}, {1: 0.4}).is_clear


def test_raters_who_contradict_each_other_prefer_nothing() -> None:
    assert not best({1: [1, 2], 2: [2, 1]}).is_clear
    assert not best({1: [1, 1]}).is_clear


def test_two_of_three_raters_are_enough() -> None:
    standing = best({1: [1, 2], 2: [1, 2], 3: [2, 1]})

    assert (standing.response, standing.is_clear) == (10, True)


def test_a_smaller_but_surer_lead_is_the_better_one() -> None:
    """70 % of uncertain votes have a lower end of 31 %, and 60 % of sure ones one of 43 %."""
    votes = (1, 0, 0, None, None)
    unsure = PairConsensus(1, 1, 2, *votes, p_left=0.7, p_tie=0.0, p_right=0.3)
    sure = PairConsensus(1, 3, 4, *votes, p_left=0.2, p_tie=0.8, p_right=0.0)

    standing = best_responses.best([unsure, sure])

    assert standing is not None
    assert (standing.response, standing.score) == (3, pytest.approx(0.6))


def test_without_votes_there_is_no_best() -> None:
    assert best_responses.best([]) is None


def test_most_of_the_clear_ones_are_right_and_unclear_ones_less_often() -> None:
    """Six equally spaced responses, three raters with the usual accuracy on neighbours."""
    random = np.random.default_rng(1)
    clear, unclear = list[float](), list[float]()
    for _ in range(300):
        worth = random.permutation(6) / 2.0
        ranks = {
            rater: (-(worth + random.normal(0, 1.2, 6))).argsort().argsort() + 1
            for rater in range(3)
        }
        standing = best({rater: row.tolist() for rater, row in ranks.items()})
        (clear if standing.is_clear else unclear).append(worth[standing.response - 10])

    assert len(clear) > len(unclear)
    assert np.mean(clear) > 1.9
    assert not unclear or np.mean(clear) > np.mean(unclear)
