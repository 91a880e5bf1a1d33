"""Majority and Dawid–Skene: what most votes say, and how reliable each rater is, against published
fits, other libraries and slow twins.
"""

import math

import numpy as np
import pytest
from crowdkit.aggregation import DawidSkene, MajorityVote, OneCoinDawidSkene
from pandas import DataFrame, Series

from arithmetic.consensus import reliability
from arithmetic.consensus import votes as consensus_votes
from tests.arithmetic import oracles
from tests.arithmetic.households import HOUSEHOLDS, SAW_DOCTOR
from tests.arithmetic.oracles import is_about
from tests.arithmetic.test_clustering import wilson_by_hand

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

    found = reliability.reliability(
        consensus_votes.one_coin(**given), **given, prompts=given["units"]
    )

    for rater, accuracy in enumerate(skill):
        figure = found[rater].accuracy
        assert figure.value == pytest.approx(accuracy, abs=0.03)
        assert figure.low - 0.01 <= accuracy <= figure.high + 0.01
        assert found[rater].weight == pytest.approx(2 * accuracy - 1, abs=0.06)


def pool_with_a_newcomer(*, n_wrong: int) -> dict[str, np.ndarray]:
    """Four raters of different skill on 200 prompts of six pairs each, who get a whole prompt right
    or wrong; rater 9 votes against all of them on the first prompts.
    """
    random = np.random.default_rng(5)
    truth, skill = random.integers(0, 2, 1_200), np.array([0.9, 0.85, 0.8, 0.6])
    is_right = (random.random((200, 4)) < skill).repeat(6, axis=0)
    votes = np.where(is_right, truth[:, None], 1 - truth[:, None])
    unit, rater = np.repeat(np.arange(1_200), 4), np.tile(np.arange(4), 1_200)
    against = np.arange(6 * n_wrong)
    return {
        "units": np.r_[unit, against],
        "raters": np.r_[rater, np.full(len(against), 9)],
        "labels": np.r_[votes.reshape(-1), 1 - truth[against]],
        "prompts": np.r_[unit, against] // 6,
    }


def reliabilities(given: dict[str, np.ndarray]) -> dict[int, reliability.Reliability]:
    votes = {name: column for name, column in given.items() if name != "prompts"}
    return reliability.reliability(consensus_votes.one_coin(**votes), **given)


def test_two_bad_judgments_do_not_make_a_rater_worthless() -> None:
    newcomer = reliabilities(pool_with_a_newcomer(n_wrong=2))[9]

    assert newcomer.accuracy.value is not None
    assert 0.2 < newcomer.accuracy.value < 0.8
    assert newcomer.weight > 0
    assert newcomer.accuracy.low is None
    assert newcomer.accuracy.note.startswith("Fewer than 5 prompts")


def test_many_bad_judgments_do() -> None:
    bad = reliabilities(pool_with_a_newcomer(n_wrong=60))[9]

    assert bad.accuracy.value is not None
    assert bad.accuracy.high is not None
    assert bad.accuracy.value < 0.2
    assert bad.accuracy.high < 0.5
    assert bad.weight == 0


def test_a_rater_with_many_judgments_is_hardly_shrunk() -> None:
    found = reliabilities(pool_with_a_newcomer(n_wrong=2))

    for rater, skill in enumerate((0.9, 0.85, 0.8, 0.6)):
        accuracy = found[rater].accuracy
        assert accuracy.value == pytest.approx(skill, abs=0.06)
        assert accuracy.low is not None
        assert accuracy.high is not None
        assert accuracy.low < skill < accuracy.high


def shrunk_by_hand(own: list[float], error: list[float]) -> list[float]:
    """One rater after the other: their own share and the pool's, each weighed by how certain it
    is.
    """
    weights = [1 / one for one in error]
    middle = sum(w * x for w, x in zip(weights, own, strict=True)) / sum(weights)
    q = sum(w * (x - middle) ** 2 for w, x in zip(weights, own, strict=True))
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    apart = max(0.0, (q - (len(own) - 1)) / scale)
    pool = sum(x / (e + apart) for x, e in zip(own, error, strict=True)) / sum(
        1 / (e + apart) for e in error
    )
    return [
        (x / e + pool / apart) / (1 / e + 1 / apart) if apart else pool
        for x, e in zip(own, error, strict=True)
    ]


def test_reliability_is_shrunk_as_its_slow_twin_shrinks() -> None:
    given = pool_with_a_newcomer(n_wrong=8)
    votes = {name: column for name, column in given.items() if name != "prompts"}
    consensus = consensus_votes.one_coin(**votes)
    # By hand: each vote against the consensus of the others.
    right: dict[int, float] = dict.fromkeys((0, 1, 2, 3, 9), 0.0)
    worth = dict(right)
    by_prompt: dict[tuple[int, int], list[float]] = {}
    for unit, rater, label, prompt in zip(*(given[name].tolist() for name in given), strict=True):
        place = consensus.raters.tolist().index(rater)
        others = consensus.posterior[unit] / consensus.errors[place][:, label]
        others = others / others.sum()
        even = 1 - float((others**2).sum())
        right[rater] += float(others[label]) - even
        worth[rater] += 1 - 2 * even
        cell = by_prompt.setdefault((rater, prompt), [0.0, 0.0])
        cell[0] += float(others[label]) - even
        cell[1] += 1 - 2 * even
    between = 0.0
    for rater in right:
        cells = [cell for (who, _prompt), cell in by_prompt.items() if who == rater]
        squares = sum((top - right[rater] / worth[rater] * below) ** 2 for top, below in cells)
        between += squares * len(cells) / (len(cells) - 1)
    pooled = sum(right.values()) / sum(worth.values())
    per_vote = max(between / sum(worth.values()), pooled * (1 - pooled))
    expected = shrunk_by_hand(
        [right[rater] / worth[rater] for rater in right],
        [per_vote / worth[rater] for rater in right],
    )

    found = reliabilities(given)

    assert [found[rater].accuracy.value for rater in right] == pytest.approx(expected, abs=1e-6)


def test_the_interval_of_reliability_is_that_of_the_rater_s_own_estimate_by_hand() -> None:
    """Cochran's households (1977, table 3.5) as prompts of which the others are certain: a rater is
    right in 30 of 104 votes, as sure as 39 independent ones. The pool's accuracy is far above.
    """
    right = np.concatenate(
        [
            [1] * n_right + [0] * (n - n_right)
            for n_right, n in zip(SAW_DOCTOR, HOUSEHOLDS, strict=True)
        ]
    )
    n = len(right)
    consensus = consensus_votes.Consensus(
        units=np.arange(n),
        labels=np.array([0, 1]),
        raters=np.array([1, 2, 3, 4]),
        posterior=np.column_stack([np.zeros(n), np.ones(n)]),
        prior=np.array([0.5, 0.5]),
        errors=np.full((4, 2, 2), 0.5),
        n_votes=np.full(4, n),
        log_likelihood=0.0,
        n_rounds=1,
    )

    found = reliability.reliability(
        consensus,
        units=np.tile(np.arange(n), 4),
        raters=np.repeat([1, 2, 3, 4], n),
        labels=np.r_[right, np.ones(3 * n, dtype=int)],
        prompts=np.tile(np.repeat(np.arange(30), HOUSEHOLDS), 4),
    )[1].accuracy

    assert found.value is not None
    assert found.value > 30 / 104 + 0.005  # drawn towards the others
    assert (found.low, found.high) == pytest.approx(
        wilson_by_hand(30 / 104, 39.43, 2.04523), abs=1e-4
    )


@pytest.mark.slow
def test_reliability_s_interval_holds_for_the_careless_as_for_the_careful() -> None:
    """Two of ten raters are right in 55 % of votes on a pair, the others in 90 %; 40 prompts, four
    raters each. Around the shrunk estimate, it held for four of five careless ones.
    """
    held: dict[bool, list[bool]] = {True: [], False: []}
    skill = np.array([0.55, 0.55, *[0.9] * 8])
    for seed in range(80):
        random = np.random.default_rng(seed)
        who = np.array([random.permutation(10)[:4] for _ in range(40)]).reshape(-1)
        prompts, truth = np.repeat(np.arange(40), 4), random.integers(0, 2, 40).repeat(4)
        labels = np.where(random.random(160) < skill[who], truth, 1 - truth)
        votes = {"units": prompts, "raters": who, "labels": labels, "prompts": prompts}
        for rater, found in reliabilities(votes).items():
            figure = found.accuracy
            if figure.low is not None and figure.high is not None:
                held[rater < 2].append(figure.low <= skill[rater] <= figure.high)

    assert min(sum(some) / len(some) for some in held.values()) >= 0.92


def test_a_rater_whom_nobody_checked_has_no_reliability_and_no_weight() -> None:
    given = {"units": [1, 1, 2, 2, 3], "raters": [1, 2, 1, 2, 3], "labels": [0, 0, 1, 1, 1]}

    found = reliability.reliability(
        consensus_votes.one_coin(**given), **given, prompts=given["units"]
    )[3]

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
        for rater in reliability.reliability(found, **given, prompts=units).values():
            assert math.isfinite(rater.weight)
    assert np.isfinite(consensus_votes.majority(units=units, labels=labels).shares).all()


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
