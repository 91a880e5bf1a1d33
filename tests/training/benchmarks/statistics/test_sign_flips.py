"""Sign flips of clusters, against scipy, slow twins and simulated models."""

import itertools

import numpy as np
import pytest
from scipy import stats

from training.benchmarks.statistics import differences, holm, sign_flips
from training.benchmarks.statistics.sign_flips import Floats, Ints

pytestmark = pytest.mark.slow


def test_every_flip_of_few_clusters_is_counted_as_by_scipy() -> None:
    rng = np.random.default_rng(3)
    for _time in range(20):
        gaps = np.round(rng.normal(0.4, 1.0, 10), 1)
        expected = stats.permutation_test(
            (gaps,), np.mean, permutation_type="samples", n_resamples=np.inf
        )

        assert sign_flips.mean_difference(gaps, np.arange(10)).p == pytest.approx(
            expected.pvalue, abs=1e-12
        )


def test_the_interval_holds_the_differences_that_the_test_does_not_reject() -> None:
    rng = np.random.default_rng(4)
    for _time in range(10):
        clusters = np.repeat(np.arange(10), rng.integers(1, 5, 10))
        gaps = rng.normal(0.3, 1.0, len(clusters))

        found = sign_flips.mean_difference(gaps, clusters)

        for end, outward in ((found.low, -1), (found.high, 1)):
            assert _p_by_hand(gaps - (end + outward * 1e-6), clusters) < 0.05
            assert _p_by_hand(gaps - (end - outward * 1e-6), clusters) >= 0.05


def _p_by_hand(gaps: Floats, clusters: Ints) -> float:
    """The slow twin: all flips of all clusters, one after the other."""
    sums = [float(gaps[clusters == name].sum()) for name in np.unique(clusters)]
    flipped = [
        abs(sum(sign * part for sign, part in zip(signs, sums, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(sums))
    ]
    return sum(value >= flipped[0] - 1e-9 for value in flipped) / len(flipped)


@pytest.mark.parametrize("n_clusters", [5, 8, 10])
@pytest.mark.parametrize("sizes", ["equal", "one large"])
def test_of_all_ways_to_call_equal_models_ours_few_are_called_different(
    n_clusters: int, sizes: str
) -> None:
    rng = np.random.default_rng(12)
    items = np.full(n_clusters, 4)
    items[0] = 60 if sizes == "one large" else 4
    clusters = np.repeat(np.arange(n_clusters), items)
    gaps = rng.integers(-1, 2, len(clusters)) + rng.normal(0, 0.4, n_clusters)[clusters]

    ps = [
        sign_flips.mean_difference(gaps * np.array(signs)[clusters], clusters).p
        for signs in itertools.product((1, -1), repeat=n_clusters)
    ]

    assert np.mean(np.array(ps) < 0.05) <= 0.05


@pytest.mark.parametrize("n_clusters", [5, 8, 10, 20])
@pytest.mark.parametrize("design", ["a few items each", "one large", "rewards"])
def test_equal_models_are_called_different_once_in_twenty_at_most(
    n_clusters: int, design: str
) -> None:
    rng = np.random.default_rng(13)
    called = 0
    for _pair in range(1000):
        ours, theirs, clusters = _models(rng, n_clusters, design)
        found = differences.compare(ours, theirs, clusters, is_share=design != "rewards")
        assert found is not None
        assert (found.method == differences.TOO_FEW) == (n_clusters < 10)
        called += found.p is not None and found.p < 0.05
    assert called / 1000 <= 0.055


def test_many_clusters_get_the_paired_t_test() -> None:
    rng = np.random.default_rng(5)
    ours, theirs = rng.random(400), rng.random(400)
    expected = stats.ttest_rel(ours, theirs)
    ends = expected.confidence_interval(0.95)

    found = sign_flips.mean_difference(ours - theirs, np.arange(400))

    assert found.p == pytest.approx(expected.pvalue, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-6)


def test_the_p_value_and_the_interval_agree() -> None:
    rng = np.random.default_rng(6)
    for _model in range(60):
        gaps = rng.normal(0.25, 1.0, 40)
        found = sign_flips.mean_difference(gaps, np.arange(40) // 2)
        if abs(found.p - 0.05) > 0.005:
            assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_the_same_scores_always_give_the_same_interval() -> None:
    gaps = np.random.default_rng(8).normal(0, 1, 30)

    first, second = (sign_flips.mean_difference(gaps, np.arange(30)) for _time in range(2))

    assert first == second


@pytest.mark.parametrize("n_clusters", [10, 12, 30])
@pytest.mark.parametrize("better_by", [0.0, 0.3])
def test_the_interval_covers_the_true_difference_of_clustered_items(
    n_clusters: int, better_by: float
) -> None:
    rng = np.random.default_rng(9)
    ours, theirs, _clusters = _models(rng, 40_000, better_by=better_by)
    true = float((ours - theirs).mean()) if better_by else 0.0
    covered = 0
    for _pair in range(400):
        ours, theirs, clusters = _models(rng, n_clusters, better_by=better_by)
        found = differences.compare(ours, theirs, clusters)
        assert found is not None
        assert found.method == differences.SIGN_FLIPS
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)  # type: ignore[operator]
        covered += found.low <= true <= found.high  # type: ignore[operator]
    assert covered / 400 >= 0.925


def test_a_planted_difference_is_found_among_thirty_clusters() -> None:
    rng = np.random.default_rng(14)
    found = [differences.compare(*_models(rng, 30, better_by=0.6)) for _pair in range(200)]

    assert np.mean([pair.p < 0.05 for pair in found]) >= 0.9  # type: ignore[operator]


def _models(
    rng: np.random.Generator,
    n_clusters: int,
    design: str = "a few items each",
    *,
    better_by: float = 0.0,
) -> tuple[Floats, Floats, Ints]:
    """Two models, each better on some clusters; the first better on the whole by `better_by`."""
    sizes = rng.integers(1, 10, n_clusters)
    sizes[0] = 60 if design == "one large" else sizes[0]
    clusters = np.repeat(np.arange(n_clusters), sizes)
    size = len(clusters)
    shared = 0.8 * rng.normal(size=n_clusters)[clusters] + 0.6 * rng.normal(size=size)
    ours, theirs = (
        shared + 0.3 * rng.normal(size=n_clusters)[clusters] + 0.5 * rng.normal(size=size)
        for _model in range(2)
    )
    ours = ours + better_by
    if design == "rewards":
        return ours, theirs, clusters
    return (ours > 0).astype(float), (theirs > 0).astype(float), clusters


def test_fewer_than_ten_clusters_are_too_few() -> None:
    found = differences.compare([1.0] * 20, [0.0] * 20, [place % 9 for place in range(20)])

    assert found is not None
    assert (found.method, found.difference) == (differences.TOO_FEW, 1.0)
    assert (found.low, found.high, found.p) == (None, None, None)


def test_no_spread_is_no_certainty() -> None:
    found = differences.compare([0.5] * 20, [0.5] * 20, range(20))

    assert found is not None
    assert found.p == 1.0
    assert found.low == pytest.approx(-found.high)  # type: ignore[operator]
    assert found.high > 0.1  # type: ignore[operator]


def test_clusters_that_all_say_the_same_tell_the_models_apart() -> None:
    found = differences.compare([1.0] * 20, [0.0] * 20, [place // 2 for place in range(20)])

    assert found is not None
    assert found.p == pytest.approx(2 / 2**10)
    assert 0 < found.low < found.high == 1.0  # type: ignore[operator]


def test_without_items_there_is_nothing_to_compare() -> None:
    assert differences.compare([], [], []) is None


def test_holm_gives_the_values_of_statsmodels() -> None:
    # statsmodels 0.15.0, multitest.multipletests(method="holm")
    ps = [0.01, 0.04, 0.03, 0.005, 0.2]

    assert holm.adjusted(ps) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.2], abs=1e-12)


def test_holm_does_not_count_tests_that_could_not_be_done() -> None:
    assert holm.adjusted([None, 0.02, None, 0.9]) == [None, 0.04, None, 0.9]


def test_holm_is_the_step_down_rule() -> None:
    rng = np.random.default_rng(11)
    for _time in range(50):
        ps = list(rng.random(6) ** 3)
        adjusted = holm.adjusted(ps)
        for level in (0.01, 0.05, 0.2):
            rejected: set[int] = set()
            for rank, place in enumerate(sorted(range(6), key=ps.__getitem__)):
                if ps[place] > level / (6 - rank):
                    break
                rejected.add(place)
            assert rejected == {place for place in range(6) if adjusted[place] <= level}  # type: ignore[operator]
