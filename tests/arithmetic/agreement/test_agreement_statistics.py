"""Kappas, agreement on orders and scales, raw agreement and agreement with gold: against published
numbers, against a slow obvious twin, and on data that has no answer.
"""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import cohen_kappa_score

from arithmetic.agreement import alpha, kappas, scales
from arithmetic.agreement import orders as agreement_orders
from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.figures import Figure
from tests.arithmetic import oracles
from tests.arithmetic.oracles import is_about
from tests.arithmetic.test_clustering import wilson_by_hand

# Cohen, Fleiss, Gwet, Conger


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([[20, 5], [10, 15]], 0.40),
        ([[45, 15], [25, 15]], 0.1304348),
        ([[25, 35], [5, 35]], 0.2592593),
    ],
)
def test_cohen_s_kappa_is_the_published_one(table: list[list[int]], value: float) -> None:
    assert kappas.cohen_of_table(table).value == is_about(value)


def test_cohen_s_kappa_has_the_published_interval() -> None:
    kappa = kappas.cohen_of_table([[20, 5], [10, 15]])

    assert kappa.se == is_about(0.126996)
    assert (kappa.low, kappa.high) == (
        pytest.approx(0.1511, abs=5e-5),
        pytest.approx(0.6489, abs=5e-5),
    )


def test_the_interval_of_kappa_is_jackknifed_by_hand() -> None:
    """The table above, its 50 units each on a prompt of their own. Without one of the 20 that both
    call yes, kappa is (34 · 49 − 24 · 29 − 25 · 20) / (49² − 24 · 29 − 25 · 20) = 470 / 1205, then
    520 / 1206 (5 of them), 510 / 1196 (10) and 460 / 1195 (15). Their mean is .39990, so kappa less
    its bias is 50 · .4 − 49 · .39990 = .40491; its error is √(49 / 50 · .017227) = .12993.
    """
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])

    found = kappas.cohen(first, second, prompts=range(50), values=(0, 1))

    assert found.value == is_about(0.4)
    assert found.se == pytest.approx(0.12993, abs=5e-6)
    share = (1 + 0.40491) / 2
    low, high = wilson_by_hand(share, share * (1 - share) / (0.12993 / 2) ** 2, 2.00958)
    assert (found.low, found.high) == pytest.approx((2 * low - 1, 2 * high - 1), abs=1e-4)


@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic"])
@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_kappa_is_its_slow_twin_s(seed: int, weighting: kappas.Weighting) -> None:
    """Kappa computed anew without each prompt; no surer than independent units."""
    random = np.random.default_rng(seed)
    prompts = random.integers(0, 12, 60)
    first = np.clip(3 + prompts % 3 + random.integers(-2, 3, 60), 1, 7)
    second = np.clip(first + random.integers(-2, 3, 60), 1, 7)

    def kappa(rest: np.ndarray) -> tuple[float, float]:
        figure = oracles.cohen(first[rest], second[rest], weighting=weighting, values=range(1, 8))
        assert figure.value is not None
        assert figure.se is not None
        return figure.value, figure.se

    (whole, alone), n = kappa(np.ones(60, dtype=bool)), len(set(prompts.tolist()))
    without = [kappa(prompts != prompt)[0] for prompt in set(prompts.tolist())]
    mean = sum(without) / n
    variance = max(alone**2, (n - 1) / n * sum((one - mean) ** 2 for one in without))
    share = (1 + n * whole - (n - 1) * mean) / 2

    found = kappas.cohen(first, second, prompts=prompts, weighting=weighting, values=range(1, 8))

    assert (found.value, found.se) == pytest.approx((whole, variance**0.5))
    low, high = wilson_by_hand(
        share, share * (1 - share) / (variance / 4), float(t.ppf(0.975, n - 1))
    )
    assert (found.low, found.high) == pytest.approx((2 * low - 1, 2 * high - 1))


@pytest.mark.slow
def test_the_interval_of_a_scale_s_kappa_holds_from_ten_prompts() -> None:
    """Two raters of a scale from 1 to 7 who agree well: by influences it held in 87 %."""
    n_held, truth = 0, None
    for n_prompts, seed in [(200_000, 0), *((10, seed) for seed in range(1, 401))]:
        random = np.random.default_rng(seed)
        quality = np.exp(random.normal(0, 0.8, n_prompts)) * random.normal(size=n_prompts)
        first, second = (
            np.clip(np.round(4 + quality + spread * random.normal(size=n_prompts)), 1, 7)
            for spread in (0.5, 0.7)
        )
        found = kappas.cohen(
            first, second, prompts=range(n_prompts), weighting="quadratic", values=range(1, 8)
        )
        if truth is None:
            truth = found.value
        else:
            assert truth is not None
            assert found.low is not None
            assert found.high is not None
            n_held += found.low <= truth <= found.high

    assert n_held / 400 >= 0.92


@pytest.mark.parametrize(
    ("weighting", "value"), [("identity", 0.25), ("linear", 0.40), ("quadratic", 0.5714286)]
)
def test_weighted_kappa_is_the_published_one(weighting: kappas.Weighting, value: float) -> None:
    assert oracles.cohen(
        [1, 2, 3, 3, 2, 1], [1, 3, 3, 2, 2, 2], weighting=weighting
    ).value == is_about(value)


def test_weighted_kappa_of_the_anxiety_scores_is_the_published_one() -> None:
    one, other = zip(*((int(row[0]), int(row[1])) for row in oracles.ANXIETY.split()), strict=True)

    assert oracles.cohen(one, other, weighting="quadratic", values=range(1, 7)).value == is_about(
        0.2967651
    )


@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic"])
def test_cohen_s_kappa_of_random_labels_is_scikit_learn_s(weighting: kappas.Weighting) -> None:
    random = np.random.default_rng(2)
    one = random.integers(1, 6, 60)
    other = np.clip(one + random.integers(-1, 2, 60), 1, 5)

    expected = cohen_kappa_score(one, other, weights=None if weighting == "identity" else weighting)

    assert oracles.cohen(one, other, weighting=weighting).value == is_about(expected)


def test_fleiss_s_kappa_of_the_diagnoses_is_the_published_one() -> None:
    table = oracles.counts(oracles.DIAGNOSES)

    units, labels = (
        np.repeat(np.arange(30), 6),
        np.concatenate([np.repeat(np.arange(5), row) for row in table]),
    )
    assert alpha.krippendorff(units=units, labels=labels, prompts=units).value == is_about(
        0.4334098
    )
    assert kappas.fleiss(units=units, labels=labels, prompts=units).value == is_about(0.4302445)


def test_the_first_four_psychiatrists_and_two_of_them_agree_as_published() -> None:
    given = np.array(
        [np.repeat(np.arange(5), row) for row in oracles.counts(oracles.DIAGNOSES)]
    )  # as R's package irr has them
    units, labels = np.repeat(np.arange(30), 4), given[:, :4].reshape(-1)

    assert kappas.fleiss(units=units, labels=labels, prompts=units).value == is_about(0.4893319)
    assert oracles.cohen(given[:, 1], given[:, 2]).value == is_about(0.6311475)


def test_fleiss_s_kappa_of_the_ten_by_five_table_is_the_published_one() -> None:
    table = (
        "0 0 0 0 14/0 2 6 4 2/0 0 3 5 6/0 3 9 2 0/2 2 8 1 1"
        "/7 7 0 0 0/3 2 6 3 0/2 5 3 2 2/6 5 2 1 0/0 2 2 3 7"
    )

    units, labels = zip(
        *(
            (unit, label)
            for unit, row in enumerate(table.split("/"))
            for label, n in enumerate(row.split())
            for _ in range(int(n))
        ),
        strict=True,
    )

    assert kappas.fleiss(units=units, labels=labels, prompts=units).value == is_about(0.2099307)


def test_kappa_falls_on_skewed_labels_where_gwet_s_ac_does_not() -> None:
    for table, kappa, ac in (
        ([[40, 9], [6, 45]], 0.6995, 0.7007),
        ([[80, 10], [5, 5]], 0.3182, 0.8080),
    ):
        cells = [
            (row, column)
            for row in range(2)
            for column in range(2)
            for _ in range(table[row][column])
        ]
        units, labels = np.repeat(np.arange(len(cells)), 2), np.array(cells).reshape(-1)

        assert kappas.cohen_of_table(table).value == pytest.approx(kappa, abs=5e-5)
        assert kappas.gwet(units=units, labels=labels, prompts=units).value == pytest.approx(
            ac, abs=6e-5
        )


def test_gwet_s_family_on_krippendorff_s_data_is_the_published_one() -> None:
    units, _raters, labels = oracles.coders(oracles.KRIPPENDORFF_C)
    ac1 = kappas.gwet(units=units, labels=labels, prompts=units)
    fleiss = kappas.fleiss(units=units, labels=labels, prompts=units)

    assert (ac1.value, ac1.se) == (
        pytest.approx(0.77544, abs=5e-6),
        pytest.approx(0.14295, abs=5e-6),
    )
    assert (fleiss.value, fleiss.se) == (
        pytest.approx(0.76117, abs=5e-6),
        pytest.approx(0.15302, abs=5e-6),
    )


def test_raw_agreement_by_unit_is_the_published_one() -> None:
    units, _, labels = oracles.coders(oracles.KRIPPENDORFF_C)

    assert agreement_pairs.by_unit(units=units, labels=labels, ties="in").mean() == is_about(
        9 / 11
    )  # 0.81818


def test_weighted_gwet_s_family_on_krippendorff_s_data_is_the_published_one() -> None:
    units, _raters, labels = oracles.coders(oracles.KRIPPENDORFF_C)

    assert kappas.gwet(
        units=units, labels=labels, prompts=units, weighting="quadratic"
    ).value == pytest.approx(0.91400, abs=5e-6)
    assert kappas.fleiss(
        units=units, labels=labels, prompts=units, weighting="quadratic"
    ).value == pytest.approx(0.86494, abs=5e-6)


# Orders and scales


def anxiety() -> np.ndarray:
    return np.array([[int(digit) for digit in row] for row in oracles.ANXIETY.split()], dtype=float)


def test_kendall_s_w_is_the_published_tie_corrected_one() -> None:
    assert oracles.kendall_w(anxiety()) == is_about(0.5396569)


def test_kendall_s_w_without_the_correction_is_the_published_one() -> None:
    assert oracles.kendall_w(anxiety(), is_corrected=False) == is_about(0.5019215)


def test_kendall_s_w_is_the_mean_rank_correlation_moved_to_zero_and_one() -> None:
    orders = np.array([[1, 2, 3, 4], [2, 1, 4, 3], [1, 3, 2, 4]]).T
    rho = [
        1 - 6 * ((orders[:, a] - orders[:, b]) ** 2).sum() / (4 * 15)
        for a, b in combinations(range(3), 2)
    ]

    assert oracles.kendall_w(orders) == is_about((np.mean(rho) * 2 + 1) / 3)


# Raw agreement


def random_votes(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    given = random.random((12, 5)) < 0.7
    units, raters = np.nonzero(given)
    return units, raters, random.integers(-1, 2, len(units))


def score_by_hand(one: int, other: int, ties: agreement_pairs.Ties) -> float | None:
    if ties == "out" and 0 in (one, other):
        return None
    if ties == "half":
        return 1 - abs(int(one) - int(other)) / 2
    return float(one == other)


@pytest.mark.parametrize("ties", ["in", "out", "half"])
@pytest.mark.parametrize("seed", range(3))
def test_raw_agreement_is_a_count_of_pairs_of_votes(seed: int, ties: agreement_pairs.Ties) -> None:
    units, raters, labels = random_votes(seed)
    together: dict[tuple[int, int], list[float]] = {}
    for a, b in combinations(range(len(units)), 2):
        if (
            units[a] == units[b]
            and (score := score_by_hand(labels[a], labels[b], ties)) is not None
        ):
            together.setdefault((int(raters[a]), int(raters[b])), []).append(score)
    scores = [score for found in together.values() for score in found]

    figure = agreement_pairs.raw(units=units, labels=labels, prompts=units, ties=ties)
    matrix = agreement_pairs.matrix(units=units, raters=raters, labels=labels, ties=ties)

    assert (figure.value, figure.n) == (is_about(float(np.mean(scores))), len(scores))
    for (one, other), found in together.items():
        row, column = matrix.raters.index(one), matrix.raters.index(other)
        assert (matrix.score[row, column], matrix.n[row, column]) == (
            is_about(float(np.sum(found))),
            len(found),
        )
        assert matrix.score[column, row] == matrix.score[row, column]


def test_the_distribution_shows_which_units_are_split() -> None:
    shares = agreement_pairs.by_unit(units=[0, 0, 0, 1, 1, 1, 2], labels=[1, 1, 1, 1, -1, -1, 1])

    assert shares == pytest.approx([1, 1 / 3])


def test_rankings_expand_to_every_pair_that_was_ranked() -> None:
    nan = float("nan")
    pairs = agreement_pairs.expand(
        items=[7] * 6,
        raters=[1, 1, 1, 2, 2, 2],
        responses=[30, 10, 20, 10, 20, 30],
        ranks=[1, 2, 2, nan, 2, 1],
    )

    found = {
        (int(r), int(a), int(b)): int(y)
        for r, a, b, y in zip(pairs.rater, pairs.left, pairs.right, pairs.label, strict=True)
    }
    assert found == {(1, 10, 20): 0, (1, 10, 30): 1, (1, 20, 30): 1, (2, 20, 30): 1}
    shared = pairs.unit[(pairs.left == 20) & (pairs.right == 30)]
    assert len(set(shared.tolist())) == 1
    assert len(set(pairs.unit.tolist())) == 3


def test_expanded_pairs_remember_their_rows() -> None:
    pairs = agreement_pairs.expand(items=[1, 1], raters=[4, 4], responses=[9, 5], ranks=[1, 2])

    assert (pairs.row.tolist(), pairs.other_row.tolist()) == ([1], [0])


# With gold, with oneself


@pytest.mark.parametrize(
    ("given", "gold", "match"),
    [
        ((1, 2, 3), (1, 2, 3), 1.0),
        ((2, 1, 3), (1, 2, 3), 2 / 3),
        ((1, 1, 2), (1, 2, 3), 5 / 6),
        ((1, 2, 3), (1, 1, 2), 1.0),
        ((1, 2), (1, 1), None),
    ],
)
def test_a_ranking_matches_gold_in_part(
    given: tuple[int, ...], gold: tuple[int, ...], match: float | None
) -> None:
    found = agreement_orders.match(dict(enumerate(gold)), dict(enumerate(given)))

    assert (found.agreed / found.n if found.n else None) == (
        match if match is None else is_about(match)
    )


def test_gold_counts_items_within_the_tolerance() -> None:
    swapped = agreement_orders.match({0: 1, 1: 2, 2: 3}, {0: 2, 1: 1, 2: 3})

    assert (swapped.reaches(100), swapped.reaches(66), swapped.reaches(67)) == (False, True, False)
    assert agreement_orders.match({0: 1, 1: 2}, {0: 1, 1: 2}).reaches(100)


def test_self_agreement_counts_repeats_by_rater() -> None:
    overall, by_rater = agreement_pairs.with_oneself(
        raters=[1, 1, 2, 2], first=[1, -1, 1, 0], again=[1, 1, 1, 1], prompts=range(4)
    )

    assert (overall.value, overall.n) == (0.625, 4)
    assert (by_rater[1].value, by_rater[2].value) == (0.5, 0.75)


# Where there is no answer


@pytest.mark.parametrize(
    ("units", "raters", "labels"),
    [
        ([], [], []),
        ([1, 2, 3], [1, 1, 1], [1, 0, -1]),
        ([1, 1, 2, 2], [1, 2, 1, 2], [1, 1, 1, 1]),
        ([1], [1], [1]),
        ([1, 1], [1, 2], [0, 0]),
    ],
    ids=["empty", "one rater", "all equal", "one label", "one tie"],
)
def test_what_cannot_be_computed_is_a_sentence(
    units: list[int], raters: list[int], labels: list[int]
) -> None:
    given = {"units": units, "labels": labels, "prompts": units}
    figures: list[Figure] = [
        *(
            alpha.krippendorff(**given, metric=metric)
            for metric in ("nominal", "ordinal", "interval", "ratio")
        ),
        kappas.fleiss(**given),
        kappas.gwet(**given),
        kappas.gwet(**given, weighting="quadratic"),
        agreement_pairs.raw(**given, ties="out"),
        kappas.cohen_of_table([[0, 0], [0, 0]]),
        scales.icc_of_some(units=units, scores=labels, prompts=units),
        agreement_pairs.with_oneself(raters=raters, first=labels, again=labels, prompts=units)[0],
    ]

    for figure in figures:
        assert (figure.low is None) != (figure.note == ""), figure
        assert figure.value is None or math.isfinite(figure.value)
        assert figure.note == "" or figure.note.endswith(".")


@pytest.mark.parametrize("n_shared", range(1, 8))
def test_prompts_with_one_label_do_not_make_an_interval(n_shared: int) -> None:
    """Some prompts have labels by two raters, and twenty more have one label each."""
    units = [*range(n_shared), *range(n_shared), *range(100, 120)]
    labels = [at % 2 for at in range(n_shared)] + [1 - (at + 1) % 2 for at in range(n_shared)]
    labels = [1 - labels[0], *labels[1:], *([0, 1] * 10)]
    given = {"units": units, "labels": labels, "prompts": units}

    figures: dict[str, Figure] = {
        "raw": agreement_pairs.raw(**given),
        **{
            metric: alpha.krippendorff(**given, metric=metric)
            for metric in ("nominal", "ordinal", "interval", "ratio")
        },
        "fleiss": kappas.fleiss(**given),
        "gwet": kappas.gwet(**given),
        "gwet, quadratic": kappas.gwet(**given, weighting="quadratic"),
        "icc": scales.icc_of_some(units=units, scores=labels, prompts=units),
    }

    known = {name: figure for name, figure in figures.items() if figure.value is not None}
    assert {"raw", "fleiss", "gwet"} <= known.keys()
    assert {name: figure.n for name, figure in known.items()} == dict.fromkeys(known, n_shared)
    assert {name: figure.low is None for name, figure in known.items()} == dict.fromkeys(
        known, n_shared < 5
    )


# Real votes


@oracles.needs_crowd
def test_agreement_on_the_crowd_s_votes_is_the_published_one() -> None:
    units, _, labels = oracles.crowd_votes()
    given = {"units": units, "labels": labels, "prompts": units}

    assert alpha.krippendorff(**given).value == pytest.approx(0.29060, abs=5e-6)
    assert alpha.krippendorff(**given, metric="ordinal").value == pytest.approx(0.28755, abs=6e-6)
    assert agreement_pairs.raw(**given, ties="in").value == pytest.approx(0.53223, abs=5e-6)
    decided = agreement_pairs.raw(**given, ties="out")
    assert (decided.value, decided.n) == (pytest.approx(0.70126, abs=5e-6), 6_755)
