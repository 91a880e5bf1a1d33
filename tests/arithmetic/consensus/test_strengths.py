"""Strengths of responses from pairwise votes (Bradley–Terry, Davidson, raters of unequal
reliability), against published fits, other libraries and slow twins.
"""

import itertools
import math
from typing import Any

import choix
import numpy as np
import pytest
from evalica import Winner, bradley_terry, newman
from scipy.optimize import minimize

from arithmetic.consensus import strengths
from tests.arithmetic.oracles import LEAGUE, expanded, is_about

# Bradley and Terry


def test_baseball_strengths_are_agresti_s() -> None:
    found = strengths.bradley_terry(**expanded(LEAGUE))

    assert found.values - found.values[6] == is_about(
        [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0], 5e-5
    )
    assert found.log_likelihood == is_about(-172.2482, 5e-5)
    assert (found.note, found.tie) == ("", None)


def test_journal_strengths_are_stigler_s() -> None:
    wins = np.array([[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]])

    found = strengths.bradley_terry(**expanded(wins))

    assert found.values - found.values[0] == is_about([0, -2.9491, -0.4796, 0.2690], 5e-5)


def test_worked_example_strengths_are_the_encyclopedia_s() -> None:
    wins = np.array([[0, 2, 0, 1], [3, 0, 5, 0], [0, 3, 0, 1], [4, 0, 3, 0]])

    found = strengths.bradley_terry(**expanded(wins))

    assert np.exp(found.values) == is_about([0.640, 1.043, 0.660, 2.270], 6e-4)


def test_strengths_are_choix_s_own_examples() -> None:
    found = strengths.bradley_terry(winners=[0, 0, 1, 2], losers=[1, 1, 2, 0])
    cycle = strengths.bradley_terry(winners=[0, 1, 2], losers=[1, 2, 0])

    assert found.values == is_about([0.419617624, -0.419617624, 0])
    assert cycle.values == is_about([0, 0, 0])


@pytest.mark.parametrize("seed", range(3))
def test_random_strengths_are_choix_s_with_and_without_a_ridge(seed: int) -> None:
    random = np.random.default_rng(seed)
    pairs = [tuple(random.choice(8, 2, replace=False).tolist()) for _ in range(150)]
    winners, losers = zip(*pairs, strict=True)

    exact = strengths.bradley_terry(winners=winners, losers=losers).values
    ridged = strengths.bradley_terry(winners=winners, losers=losers, ridge=0.2).values

    assert exact == is_about(choix.ilsr_pairwise(8, pairs, tol=1e-12), 1e-6)
    assert ridged == is_about(choix.opt_pairwise(8, pairs, alpha=0.1, tol=1e-10), 1e-5)


def test_standard_errors_are_those_of_repeated_samples() -> None:
    random = np.random.default_rng(0)
    truth = np.array([0.5, 0.0, -0.5])
    i, j = np.array(list(itertools.permutations(range(3), 2)) * 60).T
    fits = []
    for _ in range(200):
        won = random.random(len(i)) < 1 / (1 + np.exp(truth[j] - truth[i]))
        fits.append(
            strengths.bradley_terry(winners=np.where(won, i, j), losers=np.where(won, j, i))
        )

    spread = np.std([fit.values for fit in fits], axis=0)

    assert np.mean([fit.se for fit in fits], axis=0) == pytest.approx(spread, rel=0.2)


PUDDING = """
1 2 57 19 22 16|1 3 47 16 19 12|2 3 48 19 19 10|1 4 54 18 23 13|2 4 51 23 19 9
3 4 54 19 20 15|1 5 50 13 19 18|2 5 48 16 20 12|3 5 48 16 15 17|4 5 47 17 14 16
1 6 51 18 21 12|2 6 54 22 20 12|3 6 41 13 18 10|4 6 51 14 19 18|5 6 44 11 21 12
"""


def pudding() -> dict[str, Any]:
    votes: list[tuple[int, int, int]] = []
    for row in PUDDING.strip().replace("\n", "|").split("|"):
        i, j, _, wins, losses, ties = map(int, row.split())
        votes += [(i, j, -1)] * wins + [(i, j, 1)] * losses + [(i, j, 0)] * ties
    left, right, labels = (np.array(column) for column in zip(*votes, strict=True))
    return {"left": left, "right": right, "labels": labels}


def worths(abilities: Any) -> Any:
    """The oracle's scale: abilities raised, that sum to one."""
    return np.exp(abilities) / np.exp(abilities).sum()


def test_pudding_with_ties_is_davidson_s() -> None:
    found = strengths.with_ties(**pudding(), model="davidson")

    assert worths(found.values) == is_about(
        [0.1388, 0.1730, 0.16175, 0.16537, 0.15869, 0.20239], 5e-5
    )
    assert found.tie == is_about(0.7468230)
    assert found.log_likelihood == is_about(-809.70951, 5e-6)


def test_pudding_s_log_abilities_and_an_early_stop_of_the_r_package_are_near() -> None:
    found = strengths.with_ties(**pudding(), model="davidson")

    assert found.values - found.values[0] == is_about(
        [0, 0.22024, 0.15298, 0.17514, 0.13387, 0.37713], 5e-6
    )
    # R's PlackettLuce(maxit = 7) stops short of the maximum, by less than a figure in the fifth
    # place.
    assert worths(found.values) == is_about(
        [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855], 3e-5
    )
    assert found.tie == is_about(0.7468147, 1e-5)


def test_ties_as_half_wins_shrink_the_scale() -> None:
    half = strengths.with_ties(**pudding(), model="half")
    davidson = strengths.with_ties(**pudding(), model="davidson")

    assert half.values - half.values[0] == is_about(
        [0, 0.16031, 0.11134, 0.12748, 0.09743, 0.27449], 5e-6
    )
    assert np.ptp(half.values) < np.ptp(davidson.values)


def log_likelihood_by_hand(state: np.ndarray, votes: dict[str, Any]) -> float:
    strength, theta, total = np.exp(state[:-1]), math.exp(state[-1]), 0.0
    for left, right, label in zip(votes["left"], votes["right"], votes["labels"], strict=True):
        one, other = strength[left - 1], strength[right - 1]
        weights = {-1: one, 0: theta * math.sqrt(one * other), 1: other}
        total += math.log(weights[int(label)] / sum(weights.values()))
    return total


def test_ties_reach_the_likelihood_that_a_blind_climb_reaches() -> None:
    random = np.random.default_rng(4)
    left, right = random.integers(1, 5, (2, 60))
    votes: dict[str, Any] = {
        "left": left,
        "right": np.where(left == right, left % 4 + 1, right),
        "labels": random.integers(-1, 2, 60),
    }
    climbed = minimize(
        lambda state: -log_likelihood_by_hand(state, votes), np.zeros(5), method="BFGS"
    )

    found = strengths.with_ties(**votes)

    assert found.log_likelihood == is_about(-climbed.fun, 1e-5)
    assert found.values == is_about(climbed.x[:4] - climbed.x[:4].mean(), 1e-3)


EVALICA = """0,1,tie 0,2,right 0,2,tie 0,4,tie 1,0,left 1,2,tie 1,2,tie 1,3,tie 2,4,tie 3,0,left
3,1,left 3,2,left 3,4,tie 3,4,tie 4,0,left 4,3,left"""


def simple() -> dict[str, Any]:
    rows = [row.split(",") for row in EVALICA.split()]
    side = {"left": -1, "tie": 0, "right": 1}
    return {
        "left": [int(row[0]) for row in rows],
        "right": [int(row[1]) for row in rows],
        "labels": [side[row[2]] for row in rows],
    }


def test_five_items_with_ties_are_evalica_s() -> None:
    found = strengths.with_ties(**simple(), model="half")

    assert np.exp(found.values) == is_about(
        [0.318454, 0.822159, 0.825513, 2.111893, 2.190796], 2e-6
    )


def test_davidson_is_newman_s_fixed_point() -> None:
    found = strengths.with_ties(**simple(), model="davidson")

    published = np.log([0.017974, 0.480243, 0.481422, 12.8056, 13.0365])
    assert found.values == is_about(published - published.mean(), 1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_random_votes_with_ties_are_evalica_s(seed: int) -> None:
    random = np.random.default_rng(seed)
    left, right = np.array([random.choice(7, 2, replace=False) for _ in range(200)]).T
    labels = random.integers(-1, 2, 200)
    named = [{-1: Winner.X, 0: Winner.Draw, 1: Winner.Y}[int(label)] for label in labels]

    half = strengths.with_ties(left=left, right=right, labels=labels, model="half")
    davidson = strengths.with_ties(left=left, right=right, labels=labels, model="davidson")

    other = bradley_terry(
        left.tolist(), right.tolist(), named, tolerance=1e-12, limit=10_000
    ).scores.sort_index()
    logs = np.log(other.to_numpy())
    assert half.values == is_about(logs - logs.mean(), 1e-5)
    other = newman(
        left.tolist(), right.tolist(), named, tolerance=1e-12, limit=10_000
    ).scores.sort_index()
    logs = np.log(other.to_numpy())
    assert davidson.values == is_about(logs - logs.mean(), 1e-4)


# What cannot be compared


def test_the_note_names_the_part_that_is_disconnected() -> None:
    found = strengths.bradley_terry(winners=[1, 2, 3, 7, 8], losers=[2, 3, 1, 8, 7])

    assert found.values is None
    assert found.parts == ((1, 2, 3), (7, 8))
    assert (
        found.note
        == "Items 7, 8 were never compared with the other 3, so one scale cannot hold them all."
    )


def test_the_note_names_the_item_that_never_lost() -> None:
    found = strengths.bradley_terry(winners=[1, 2, 3, 9], losers=[2, 3, 1, 1])

    assert found.values is None
    assert (
        found.note
        == "Item 9 only won or only lost against the rest, so maximum likelihood has no bound"
        " for it."
    )


def test_a_ridge_answers_where_maximum_likelihood_has_no_bound() -> None:
    found = strengths.bradley_terry(winners=[1, 2, 3, 9], losers=[2, 3, 1, 1], ridge=0.1)

    assert found.values.argmax() == 3
    assert "9" in found.note


def test_a_part_is_centred_by_itself() -> None:
    found = strengths.bradley_terry(winners=[1, 1, 7, 7, 8], losers=[2, 2, 8, 8, 7], ridge=0.1)

    assert found.values[:2].sum() == is_about(0)
    assert found.values[2:].sum() == is_about(0)


@pytest.mark.parametrize(
    ("left", "right", "labels", "is_bounded"),
    [
        ([1, 1], [2, 2], [-1, 0], False),
        ([1, 1, 2, 1], [2, 2, 3, 3], [-1, 0, 0, -1], False),
        ([1, 1, 2, 2, 1], [2, 2, 3, 3, 3], [-1, 0, -1, 0, 0], True),
        ([1, 1, 1], [2, 2, 2], [-1, 0, 1], True),
        ([1, 2, 3, 1], [2, 3, 1, 2], [-1, -1, -1, 0], True),
        ([1, 1, 2, 4], [2, 2, 4, 1], [-1, 1, 0, 0], True),
    ],
    ids=[
        "wins and ties one way",
        "one way on a line",
        "too short for two wins",
        "both ways",
        "in a circle",
        "tied to both",
    ],
)
def test_wins_and_ties_that_can_be_stretched_have_no_bound(
    left: list[int],
    right: list[int],
    labels: list[int],
    *,
    is_bounded: bool,
) -> None:
    found = strengths.with_ties(left=left, right=right, labels=labels)

    assert (found.values is not None) == is_bounded
    assert is_bounded or "stretched" in found.note
    assert found.values is None or np.abs(found.values).max() < 5


@pytest.mark.parametrize("model", ["half", "davidson"])
@pytest.mark.parametrize(
    ("left", "right", "labels"),
    [([], [], []), ([1], [2], [0]), ([1], [2], [-1]), ([1, 1], [1, 1], [0, 1])],
)
def test_strengths_are_finite_or_a_sentence(
    left: list[int], right: list[int], labels: list[int], model: strengths.TieModel
) -> None:
    for ridge in (0.0, 0.1):
        found = strengths.with_ties(left=left, right=right, labels=labels, model=model, ridge=ridge)

        if found.values is None:
            assert found.note.endswith(".")
        else:
            assert np.isfinite(found.values).all()


# Raters of different worth


def test_strengths_that_know_their_raters_find_the_noise_and_the_order() -> None:
    random = np.random.default_rng(5)
    truth = np.linspace(-2, 2, 6)
    eta = np.array([0.97, 0.97, 0.95, 0.9, 0.5, 0.5])
    i, j = np.array([random.choice(6, 2, replace=False) for _ in range(3_000)]).T
    rater = random.integers(0, 6, 3_000)
    follows = random.random(3_000) < eta[rater]
    stronger = random.random(3_000) < 1 / (1 + np.exp(truth[j] - truth[i]))
    won = follows == stronger

    found = strengths.rater_aware(
        winners=np.where(won, i, j), losers=np.where(won, j, i), raters=rater
    )

    assert found.eta == pytest.approx(eta, abs=0.08)
    assert found.strengths.values.argsort().tolist() == list(range(6))


def test_no_comparisons_give_no_rater_aware_strengths() -> None:
    found = strengths.rater_aware(winners=[], losers=[], raters=[])

    assert (found.strengths.values, found.strengths.note) == (None, "There are no comparisons yet.")


@pytest.mark.slow
def test_counted_votes_give_what_single_votes_give() -> None:
    random = np.random.default_rng(6)
    winners, losers = np.array([random.choice(4, 2, replace=False) for _ in range(400)]).T
    raters = random.integers(0, 5, 400)
    counted, n = np.unique(np.stack([winners, losers, raters]), axis=1, return_counts=True)

    single = strengths.rater_aware(winners=winners, losers=losers, raters=raters)
    found = strengths.rater_aware(
        winners=counted[0], losers=counted[1], raters=counted[2], weights=n
    )

    assert found.strengths.values == is_about(single.strengths.values)
    assert found.eta == is_about(single.eta)
    assert found.n_votes.tolist() == np.bincount(raters).tolist()
