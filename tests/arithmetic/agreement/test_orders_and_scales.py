"""Orders and scales where each unit has some of the raters: compared with published tables and slow
twins.
"""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.agreement import scales
from tests.arithmetic import oracles

ANXIETY = np.array([[int(score) for score in person] for person in oracles.ANXIETY.split()])
PERSON, RATER = np.repeat(np.arange(20), 3), np.tile(np.arange(3), 20)


def some_rankings(seed: int) -> np.ndarray:
    """(item, rater, response, rank): thirty items of four responses, one to four raters each, ties,
    and ranks left out.
    """
    random = np.random.default_rng(seed)
    rows: list[tuple[float, ...]] = []
    for item in range(30):
        for rater in range(int(random.integers(1, 5))):
            rank = random.integers(1, 4, 4).astype(float)
            rank[random.integers(4)] = np.nan if random.random() < 0.2 else 1
            rows += [(item, rater, item * 4 + place, rank[place]) for place in range(4)]
    return np.array(rows)


def columns(rankings: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(("items", "raters", "responses", "ranks"), rankings.T, strict=True))


def by_rater(rankings: np.ndarray, item: int) -> list[np.ndarray]:
    here = rankings[rankings[:, 0] == item]
    return [here[here[:, 1] == rater][:, 3] for rater in np.unique(here[:, 1])]


def test_icc_of_some_is_the_published_one_on_a_complete_table() -> None:
    found = scales.icc_of_some(units=PERSON, prompts=PERSON, scores=ANXIETY.reshape(-1))

    assert found.value == pytest.approx(0.17502, abs=1e-5)
    assert found.n == 20
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.17502 < found.high


def test_icc_of_some_leaves_out_whom_one_rater_scored() -> None:
    people = [*PERSON, 99]
    with_one_more = scales.icc_of_some(
        units=people, scores=[*ANXIETY.reshape(-1), 6], prompts=people
    )

    assert with_one_more.value == pytest.approx(0.17502, abs=1e-5)


def test_icc_of_the_mean_is_spearman_and_brown_s_step_up() -> None:
    one = scales.icc_of_some(units=PERSON, prompts=PERSON, scores=ANXIETY.reshape(-1)).value
    of_mean = scales.icc_of_some(
        units=PERSON, prompts=PERSON, scores=ANXIETY.reshape(-1), is_of_mean=True
    ).value

    assert one is not None
    assert of_mean == pytest.approx(3 * one / (1 + 2 * one))


def test_mean_w_of_one_item_is_the_published_w() -> None:
    found = scales.mean_w(
        items=np.zeros(60),
        raters=RATER,
        responses=PERSON,
        ranks=ANXIETY.reshape(-1),
        prompts=np.zeros(60),
    )

    assert found.value == pytest.approx(0.5396569, abs=1e-7)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mean_w_is_the_mean_of_each_item_s(seed: int) -> None:
    rankings = some_rankings(seed)
    whole = [
        [given for given in by_rater(rankings, item) if not np.isnan(given).any()]
        for item in range(30)
    ]
    expected = [oracles.kendall_w(np.column_stack(given)) for given in whole if len(given) > 1]

    found = scales.mean_w(**columns(rankings), prompts=rankings[:, 0])

    told = [value for value in expected if value is not None]
    assert (found.value, found.n) == (pytest.approx(np.mean(told)), len(told))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mean_tau_is_the_mean_over_every_two_raters_of_an_item(seed: int) -> None:
    rankings = some_rankings(seed)
    expected = []
    for item in range(30):
        for one, other in combinations(by_rater(rankings, item), 2):
            both = ~np.isnan(one) & ~np.isnan(other)
            if np.ptp(one[both]) and np.ptp(other[both]):
                expected.append(kendalltau(one[both], other[both])[0])

    pairs = agreement_pairs.expand(**columns(rankings))
    found = scales.mean_tau(pairs, prompts=pairs.item)

    assert (found.value, found.n) == (pytest.approx(np.mean(expected)), len(expected))


@pytest.mark.parametrize(
    ("items", "raters", "ranks"),
    [
        ([], [], []),
        ([0, 0], [0, 0], [1, 2]),
        ([0, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]),
        ([0, 0, 0, 0], [0, 0, 1, 1], [np.nan, np.nan, np.nan, 1]),
    ],
    ids=["nothing", "one rater", "all tied", "hardly ranked"],
)
def test_orders_that_cannot_be_compared_are_a_sentence(
    items: list[int], raters: list[int], ranks: list[float]
) -> None:
    responses = [0, 1] * (len(items) // 2)
    pairs = agreement_pairs.expand(items=items, raters=raters, responses=responses, ranks=ranks)

    for found in (
        scales.mean_tau(pairs, prompts=pairs.item),
        scales.mean_w(items=items, raters=raters, responses=responses, ranks=ranks, prompts=items),
    ):
        assert found.value is None
        assert found.note


@pytest.mark.parametrize(
    ("units", "scores"),
    [
        ([], []),
        ([1, 1], [3, 4]),
        ([1, 1, 2, 2], [4, 4, 4, 4]),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 2, 2], [np.nan, 1, 2, np.nan]),
    ],
    ids=["nothing", "one unit", "all equal", "one rater", "missing"],
)
def test_scores_that_cannot_be_compared_are_a_sentence(
    units: list[int], scores: list[float]
) -> None:
    found = scales.icc_of_some(units=units, scores=scores, prompts=units)

    assert found.value is None
    assert found.note


def test_the_error_of_the_icc_is_the_jackknife_s_over_prompts() -> None:
    """Two responses a prompt; the twin leaves out one prompt at a time."""
    random = np.random.default_rng(3)
    prompts = np.repeat(np.arange(80), 2)
    quality = random.normal(0, 1, 80)[prompts] + random.normal(0, 0.5, 160)
    scores = (quality[:, None] + random.normal(0, 1, (160, 3))).reshape(-1)
    units, of_score = np.repeat(np.arange(160), 3), np.repeat(prompts, 3)
    without = np.array(
        [
            scales.icc_of_some(
                units=units[of_score != one],
                scores=scores[of_score != one],
                prompts=of_score[of_score != one],
            ).value
            for one in range(80)
        ]
    )

    found = scales.icc_of_some(units=units, scores=scores, prompts=of_score)

    expected = np.sqrt(79 / 80 * ((without - without.mean()) ** 2).sum())
    assert found.se == pytest.approx(expected, rel=0.05)


def test_orders_of_one_prompt_belong_together() -> None:
    """Ten items of two raters on five prompts: the error is that of the five prompts' means."""
    ranks = np.array([[1, 2, 3], [1, 3, 2], [3, 2, 1], [1, 2, 3], [2, 1, 3]])
    other = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3], [2, 1, 3], [1, 2, 3]])
    rows = [
        (item, rater, item * 3 + place, given[item // 2][place])
        for item in range(10)
        for rater, given in enumerate((ranks, other))
        for place in range(3)
    ]
    table = np.array(rows, dtype=float)
    pairs = agreement_pairs.expand(**columns(table))

    found = scales.mean_tau(pairs, prompts=pairs.item // 2)

    tau = [kendalltau(ranks[at], other[at])[0] for at in range(5)]
    assert found.value == pytest.approx(np.mean(tau))
    assert found.se == pytest.approx(np.std(tau, ddof=1) / np.sqrt(5))
