"""Majority, Dawid–Skene and the strengths of responses, against published fits, other libraries and
slow twins.
"""

import itertools
import math
from typing import Any

import choix
import numpy as np
import pytest
from crowdkit.aggregation import DawidSkene, MajorityVote, OneCoinDawidSkene
from evalica import Winner, bradley_terry, newman
from pandas import DataFrame, Series
from scipy.optimize import minimize

from labeling.statistics.consensus import compared, strengths
from labeling.statistics.consensus import votes as consensus_votes
from tests.labeling.statistics import oracles


def is_about(value: object, precise: float = 1e-6) -> object:
    return pytest.approx(value, abs=precise)


# Majority


def test_a_majority_that_ties_is_reported_and_not_drawn() -> None:
    found = consensus_votes.majority(units=[5, 5, 5, 7, 7], labels=["b", "a", "b", "a", "b"])

    assert (found.units.tolist(), found.labels.tolist()) == ([5, 7], ["a", "b"])
    assert found.label.tolist() == [1, -1]
    assert found.n_tied == 1
    assert found.shares[0] == is_about([1 / 3, 2 / 3])


def test_weights_decide_a_majority() -> None:
    found = consensus_votes.majority(units=[1, 1, 1], labels=[-1, -1, 1], weights=[0.2, 0.2, 0.9])

    assert found.labels[found.label].tolist() == [1]


# Dawid and Skene


def anaesthetists() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    votes = [
        (patient, observer, int(grade))
        for patient, entry in enumerate(oracles.ANAESTHETISTS.split(), start=1)
        for observer, grades in enumerate(entry.split(","), start=1)
        for grade in grades
    ]
    patients, observers, grades = np.array(votes).T
    return patients, observers, grades


def fitted() -> consensus_votes.Consensus:
    units, raters, labels = anaesthetists()
    return consensus_votes.dawid_skene(
        units=units, raters=raters, labels=labels, tolerance=1e-14, rounds=5_000
    )


def test_dawid_skene_gives_the_published_grades() -> None:
    published = (
        "1 4 2 2 2 2 1 3 2 2 4 3 1 2 1 1 1 1 2 2 2 2 2 2 1 1 2 1 1 1 1 3 1 2 2 4 2 3 3 1 1 1 2 1 2"
    )

    found = fitted()

    assert found.labels[found.label].tolist() == [int(label) for label in published.split()]


def test_dawid_skene_reaches_the_published_maximum() -> None:
    found = fitted()

    assert found.log_likelihood == is_about(-192.8909, 5e-5)
    assert found.prior == is_about([0.3996, 0.4220, 0.1118, 0.0667], 5e-5)
    observer = [
        [0.8895, 0.1105, 0, 0],
        [0.0706, 0.8764, 0.0530, 0],
        [0, 0.3388, 0.6612, 0],
        [0, 0, 0.5556, 0.4444],
    ]
    assert found.errors[0] == is_about(np.array(observer), 6e-5)
    assert found.posterior[6, :2] == is_about([0.981, 0.019], 5e-4)
    assert found.posterior[34, 1:3] == is_about([0.948, 0.052], 5e-4)
    assert found.posterior[37, 1:3] == is_about([0.0212, 0.9788], 5e-5)


def test_dawid_skene_overrules_the_majority_of_three_patients() -> None:
    units, _, labels = anaesthetists()
    majority = consensus_votes.majority(units=units, labels=labels)
    differs = (majority.label != fitted().label).nonzero()[0] + 1

    assert {2, 12, 36} <= set(differs.tolist())


def random_votes(seed: int, n_labels: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forty units, six raters of different skill, about a third of the votes missing."""
    random = np.random.default_rng(seed)
    truth, skill = random.integers(0, n_labels, 40), random.uniform(0.45, 0.95, 6)
    units, raters = np.nonzero(random.random((40, 6)) < 0.7)
    is_right = random.random(len(units)) < skill[raters]
    return units, raters, np.where(is_right, truth[units], random.integers(0, n_labels, len(units)))


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # crowd-kit 1.4 on pandas 3.1
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_dawid_skene_on_random_votes_is_crowd_kit_s(seed: int) -> None:
    units, raters, labels = random_votes(seed)
    other = DawidSkene(n_iter=60, tol=-1).fit(
        DataFrame({"task": units, "worker": raters, "label": labels})
    )

    found = consensus_votes.dawid_skene(
        units=units, raters=raters, labels=labels, rounds=60, tolerance=-1
    )

    assert found.posterior == is_about(
        other.probas_.sort_index().sort_index(axis=1).to_numpy(), 1e-4
    )


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # crowd-kit 1.4 on pandas 3.1
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_one_coin_on_random_votes_is_crowd_kit_s(seed: int) -> None:
    units, raters, labels = random_votes(seed)
    other = OneCoinDawidSkene(n_iter=60, tol=-1).fit(
        DataFrame({"task": units, "worker": raters, "label": labels})
    )

    found = consensus_votes.one_coin(
        units=units, raters=raters, labels=labels, rounds=60, tolerance=-1
    )

    assert found.posterior == is_about(other.probas_.sort_index().sort_index(axis=1).to_numpy())
    skills = np.array([found.errors[at, 0, 0] for at in range(len(found.raters))])
    assert skills == is_about(
        other.skills_.sort_index().to_numpy(), 1e-4
    )  # theirs are a step later


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_majority_of_random_votes_is_crowd_kit_s(seed: int, *, is_weighted: bool) -> None:
    units, raters, labels = random_votes(seed)
    skills = (
        Series({rater: 0.3 + rater / 10 for rater in range(6)}, name="skill")
        if is_weighted
        else None
    )
    other = MajorityVote().fit(
        DataFrame({"task": units, "worker": raters, "label": labels}), skills
    )
    weights = skills.to_numpy()[raters] if skills is not None else None

    found = consensus_votes.majority(units=units, labels=labels, weights=weights)

    shares = other.probas_.sort_index().sort_index(axis=1).to_numpy()
    assert found.shares == is_about(shares)
    # Where two labels lead together crowd-kit takes one of them; here that is said, and none is
    # taken.
    has_leader = found.label >= 0
    assert (
        found.labels[found.label[has_leader]].tolist()
        == other.labels_.sort_index().to_numpy()[has_leader].tolist()
    )
    top = np.sort(shares, axis=1)[:, -2:]
    assert has_leader.tolist() == (top[:, 1] - top[:, 0] > 1e-9).tolist()


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
@pytest.mark.parametrize(
    ("units", "raters", "labels"),
    [
        ([1, 2, 3], [1, 1, 1], [0, 1, 1]),
        ([1, 1, 2, 2], [1, 2, 1, 2], [1, 1, 1, 1]),
        ([1, 1, 1, 2], [1, 2, 3, 1], [0, 1, 2, 2]),
        ([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], [0, 1, 1, 0, 1]),
    ],
    ids=["one rater", "one category", "all different", "always opposite"],
)
def test_thin_votes_give_what_crowd_kit_gives(
    units: list[int], raters: list[int], labels: list[int]
) -> None:
    data = DataFrame({"task": units, "worker": raters, "label": labels})
    given = {"units": units, "raters": raters, "labels": labels, "rounds": 20, "tolerance": -1}

    for fit, other in (
        (consensus_votes.one_coin, OneCoinDawidSkene),
        (consensus_votes.dawid_skene, DawidSkene),
    ):
        theirs = (
            other(n_iter=20, tol=-1).fit(data).probas_.sort_index().sort_index(axis=1).to_numpy()
        )
        assert fit(**given).posterior == is_about(theirs, 1e-4)
    shares = MajorityVote().fit(data).probas_.sort_index().sort_index(axis=1).to_numpy()
    assert consensus_votes.majority(units=units, labels=labels).shares == is_about(shares)


def em_by_hand(
    votes: list[tuple[int, int, int]], n_labels: int, rounds: int, *, is_one_coin: bool
) -> np.ndarray:
    """Plain loops and plain probabilities."""
    units, raters = sorted({unit for unit, _, _ in votes}), sorted({rater for _, rater, _ in votes})
    belief = {unit: [0.0] * n_labels for unit in units}
    for unit, _, label in votes:
        belief[unit][label] += 1
    belief = {unit: [share / sum(row) for share in row] for unit, row in belief.items()}
    for _ in range(rounds):
        prior = [sum(belief[unit][true] for unit in units) / len(units) for true in range(n_labels)]
        table = {rater: [[0.0] * n_labels for _ in range(n_labels)] for rater in raters}
        for unit, rater, label in votes:
            for true in range(n_labels):
                table[rater][true][label] += belief[unit][true]
        for rater in raters:
            if is_one_coin:
                total = sum(map(sum, table[rater]))
                right = sum(table[rater][true][true] for true in range(n_labels)) / total
                table[rater] = [
                    [right if a == b else (1 - right) / (n_labels - 1) for b in range(n_labels)]
                    for a in range(n_labels)
                ]
            else:
                table[rater] = [
                    [cell / sum(row) if sum(row) else 1 / n_labels for cell in row]
                    for row in table[rater]
                ]
        belief = {unit: list(prior) for unit in units}
        for unit, rater, label in votes:
            belief[unit] = [
                belief[unit][true] * table[rater][true][label] for true in range(n_labels)
            ]
        belief = {unit: [share / sum(row) for share in row] for unit, row in belief.items()}
    return np.array([belief[unit] for unit in units])


@pytest.mark.parametrize("is_one_coin", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_both_models_are_their_slow_twins(seed: int, *, is_one_coin: bool) -> None:
    units, raters, labels = random_votes(seed)
    twin = em_by_hand(
        list(zip(units.tolist(), raters.tolist(), labels.tolist(), strict=True)),
        3,
        15,
        is_one_coin=is_one_coin,
    )
    fit = consensus_votes.one_coin if is_one_coin else consensus_votes.dawid_skene

    found = fit(units=units, raters=raters, labels=labels, rounds=15, tolerance=-1)

    assert found.posterior == is_about(twin)


def test_reliability_finds_each_rater_s_accuracy() -> None:
    random = np.random.default_rng(3)
    truth, skill = random.integers(0, 2, 3_000), np.array([0.95, 0.85, 0.75, 0.65, 0.5])
    votes = np.where(random.random((3_000, 5)) < skill, truth[:, None], 1 - truth[:, None])
    given = {
        "units": np.repeat(np.arange(3_000), 5),
        "raters": np.tile(np.arange(5), 3_000),
        "labels": votes.reshape(-1),
    }

    found = consensus_votes.reliability(consensus_votes.one_coin(**given), **given)

    for rater, accuracy in enumerate(skill):
        figure = found[rater].accuracy
        assert figure.value == pytest.approx(accuracy, abs=0.03)
        assert figure.low - 0.01 <= accuracy <= figure.high + 0.01
        assert found[rater].weight == pytest.approx(2 * accuracy - 1, abs=0.06)


def test_a_rater_whom_nobody_checked_has_no_reliability_and_no_weight() -> None:
    given = {"units": [1, 1, 2, 2, 3], "raters": [1, 2, 1, 2, 3], "labels": [0, 0, 1, 1, 1]}

    found = consensus_votes.reliability(consensus_votes.one_coin(**given), **given)[3]

    assert (found.accuracy.value, found.weight) == (None, 0.0)
    assert found.accuracy.note.endswith(".")


@pytest.mark.parametrize(
    ("units", "raters", "labels"),
    [
        ([], [], []),
        ([1, 2], [1, 1], [0, 1]),
        ([1, 1, 2, 2], [1, 2, 1, 2], [1, 1, 1, 1]),
        ([1, 1], [1, 2], [0, 1]),
    ],
    ids=["empty", "one rater", "all equal", "one unit"],
)
def test_consensus_never_gives_nan(units: list[int], raters: list[int], labels: list[int]) -> None:
    given = {"units": units, "raters": raters, "labels": labels}
    for found in (consensus_votes.dawid_skene(**given), consensus_votes.one_coin(**given)):
        assert np.isfinite(found.posterior).all()
        assert np.isfinite(found.errors).all()
        assert math.isfinite(found.log_likelihood)
        for rater in consensus_votes.reliability(found, **given).values():
            assert math.isfinite(rater.weight)
    assert np.isfinite(consensus_votes.majority(units=units, labels=labels).shares).all()


# Bradley and Terry


def expanded(wins: np.ndarray) -> dict[str, Any]:
    """`wins[i, j]` as one entry a win."""
    i, j = np.nonzero(wins)
    n = wins[i, j]
    return {"winners": np.repeat(i, n), "losers": np.repeat(j, n)}


LEAGUE = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)


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


# Sources compared, from very many votes


def some_sources(
    seed: int, *, n_prompts: int = 150, spread: float = 0.0, errs: float = 0.0
) -> dict[str, Any]:
    """Four sources, three votes on each of two pairs a prompt; `spread`: how far prompts differ in
    whom they suit.
    """
    random = np.random.default_rng(seed)
    prompts = np.repeat(np.arange(n_prompts), 6)
    pairs = np.array([random.choice(4, 2, replace=False) for _ in range(2 * n_prompts)]).repeat(
        3, axis=0
    )
    strength = np.array([0.0, 0.4, 0.8, 1.2]) + spread * random.standard_normal((n_prompts, 4))
    delta = strength[prompts, pairs[:, 0]] - strength[prompts, pairs[:, 1]]
    label = np.where(random.random(len(prompts)) < 1 / (1 + np.exp(-delta)), -1, 1)
    label = np.where(random.random(len(prompts)) < errs, -label, label)
    label[random.random(len(prompts)) < 0.2] = 0
    raters = np.tile([1, 2, 3], 2 * n_prompts)
    return {
        "left": 10 + pairs[:, 0],
        "right": 10 + pairs[:, 1],
        "labels": label,
        "raters": raters,
        "prompts": prompts,
    }


KNOWN = {1: (0.9, 500.0), 2: (0.9, 500.0), 3: (0.9, 500.0)}


def test_sources_compare_as_their_single_votes_do() -> None:
    votes = some_sources(0)
    alone = strengths.with_ties(left=votes["left"], right=votes["right"], labels=votes["labels"])

    found = compared.compared(**votes, reliability={})

    assert (found.sources.tolist(), found.baseline) == ([10, 11, 12, 13], 10)
    assert [figure.value for figure in found.by_all] == is_about(
        (alone.values - alone.values[0]).tolist()
    )
    assert found.tie == is_about(alone.tie / (2 + alone.tie))
    assert found.n_votes.sum() == 2 * len(votes["labels"])


def test_sources_seen_by_reliability_are_crowd_bt_s() -> None:
    votes = some_sources(1, errs=0.1)
    decided = votes["labels"] != 0
    ahead = votes["labels"][decided] < 0
    left, right = votes["left"][decided], votes["right"][decided]
    alone = strengths.rater_aware(
        winners=np.where(ahead, left, right),
        losers=np.where(ahead, right, left),
        raters=votes["raters"][decided],
        prior={rater: (4 + share * n, 1 + (1 - share) * n) for rater, (share, n) in KNOWN.items()},
        rounds=100,
    )

    found = compared.compared(**votes, reliability=KNOWN)

    values = alone.strengths.values
    assert [figure.value for figure in found.by_reliability] == is_about(
        (values - values[0]).tolist()
    )


def test_mistakes_are_taken_out_by_reliability() -> None:
    votes = some_sources(2, n_prompts=4_000, errs=0.15)

    found = compared.compared(**votes, reliability=dict.fromkeys((1, 2, 3), (0.85, 5_000.0)))

    assert [figure.value for figure in found.by_reliability] == pytest.approx(
        [0, 0.4, 0.8, 1.2], abs=0.12
    )
    assert found.by_all[3].value < 1.0
    for figure, truth in zip(found.by_reliability[1:], (0.4, 0.8, 1.2), strict=True):
        assert figure.low < truth < figure.high


@pytest.mark.slow
@pytest.mark.parametrize("column", ["by_all", "by_reliability"])
def test_errors_are_those_of_prompts_drawn_anew(column: str) -> None:
    votes = some_sources(3, spread=1.0)
    random = np.random.default_rng(4)
    rows = np.arange(len(votes["labels"])).reshape(150, 6)
    drawn = []
    for _ in range(150):
        chosen = rows[random.integers(0, 150, 150)].reshape(-1)
        again = {name: values[chosen] for name, values in votes.items()} | {
            "prompts": np.repeat(np.arange(150), 6)
        }
        drawn.append(
            [
                figure.value
                for figure in getattr(compared.compared(**again, reliability=KNOWN), column)
            ]
        )

    found = getattr(compared.compared(**votes, reliability=KNOWN), column)

    assert [figure.se for figure in found[1:]] == pytest.approx(
        np.std(drawn, axis=0)[1:].tolist(), rel=0.25
    )
    assert (found[0].value, found[0].se) == (0.0, None)


def test_errors_of_baseball_are_agresti_s() -> None:
    """R's BradleyTerry2 gives errors of about 0.34 against Baltimore, each game by itself."""
    games = expanded(LEAGUE[::-1, ::-1])  # Baltimore first: the baseline
    n = len(games["winners"])

    found = compared.compared(
        left=games["winners"],
        right=games["losers"],
        labels=np.full(n, -1),
        raters=np.ones(n),
        prompts=np.arange(n),
        reliability={},
    )

    assert [figure.value for figure in found.by_all] == is_about(
        [0, 0.6839, 1.1077, 1.2476, 1.2945, 1.4364, 1.5814], 5e-5
    )
    assert [figure.se for figure in found.by_all[1:]] == pytest.approx([0.34] * 6, abs=0.025)
    assert found.tie is None


def test_sources_that_one_scale_cannot_hold_have_a_sentence() -> None:
    left, right, labels = [1, 1, 2, 9, 4], [2, 2, 1, 1, 5], [-1, -1, -1, -1, -1]

    found = compared.compared(
        left=left, right=right, labels=labels, raters=[1] * 5, prompts=range(5), reliability={}
    )

    told = dict(zip(found.sources.tolist(), found.by_all, strict=True))
    assert found.baseline == 1
    assert told[2].value < 0
    assert "is unbounded" in told[9].note
    assert "not been compared with any source" in told[4].note == told[5].note


@pytest.mark.parametrize(
    ("left", "right", "labels", "says"),
    [
        ([1, 2, 1], [2, 1, 2], [0, 0, 0], "tie"),
        ([1, 1], [2, 2], [-1, -1], "unbounded"),
        ([1, 2], [2, 1], [-1, -1], ""),
        ([1, 1], [1, 1], [-1, 0], ""),
        ([], [], [], ""),
    ],
    ids=["all tied", "all one way", "even", "one source", "no votes"],
)
def test_few_votes_give_strengths_or_sentences(
    left: list[int], right: list[int], labels: list[int], says: str
) -> None:
    for known in ({}, {7: (0.8, 50.0)}, {7: (1.0, 50.0)}, {7: (0.0, 50.0)}):
        found = compared.compared(
            left=left,
            right=right,
            labels=labels,
            raters=[7] * len(left),
            prompts=range(len(left)),
            reliability=known,
        )

        for figure in (*found.by_all, *found.by_reliability):
            assert (figure.value is None) == bool(figure.note)
            assert all(
                at is None or math.isfinite(at) for at in (figure.value, figure.low, figure.high)
            )
        assert not says or says in found.by_all[0].note


# Real votes


@oracles.needs_crowd
def test_consensus_of_the_crowd_s_votes_is_the_published_one() -> None:
    units, raters, labels = oracles.crowd_votes()

    found = consensus_votes.dawid_skene(units=units, raters=raters, labels=labels)

    assert found.labels.tolist() == [-1, 0, 1]
    assert np.bincount(found.label).tolist() == [659, 848, 632]


@oracles.needs_crowd
def test_majority_of_the_crowd_s_votes_is_the_published_one_with_its_ties_in_sight() -> None:
    units, _, labels = oracles.crowd_votes()

    found = consensus_votes.majority(units=units, labels=labels)

    # The published 782 / 772 / 585 give a drawn vote to the first of left, right, tie.
    best = found.shares == found.shares.max(axis=1, keepdims=True)
    assert (
        best[:, 0].sum(),
        (~best[:, 0] & ~best[:, 2]).sum(),
        (~best[:, 0] & best[:, 2]).sum(),
    ) == (782, 772, 585)
    assert found.n_tied == 308
