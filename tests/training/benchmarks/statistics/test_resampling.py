"""The paired bootstrap of clusters, against scipy, a slow twin and simulated models."""

import numpy as np
import pytest
from scipy import stats

from training.benchmarks.statistics import differences, holm, resampling
from training.benchmarks.statistics.resampling import Floats, Ints

pytestmark = pytest.mark.slow


def test_drawn_means_are_those_of_scipy() -> None:
    values = np.random.default_rng(3).normal(0.1, 1.0, 60)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=resampling.N_DRAWN,
        method="percentile",
        rng=np.random.default_rng(7),
    )

    drawn = resampling._drawn_means(values, np.ones(60), np.random.default_rng(7))

    assert np.sort(drawn) == pytest.approx(np.sort(expected.bootstrap_distribution), abs=1e-9)
    assert np.quantile(drawn, 0.025) == pytest.approx(expected.confidence_interval.low, abs=1e-6)


def test_clusters_are_drawn_whole() -> None:
    sums, sizes = np.array([2.0, 0.0, 3.0]), np.array([2.0, 1.0, 5.0])
    rng = np.random.default_rng(4)

    drawn = resampling._drawn_means(sums, sizes, np.random.default_rng(4))

    twin = []
    for _one in range(resampling.N_DRAWN):
        chosen = [int(place) for place in rng.integers(0, 3, size=3)]
        twin.append(sum(sums[place] for place in chosen) / sum(sizes[place] for place in chosen))
    assert drawn == pytest.approx(twin, abs=1e-12)


def test_many_clusters_get_the_paired_t_test() -> None:
    rng = np.random.default_rng(5)
    ours, theirs = rng.random(400), rng.random(400)
    expected = stats.ttest_rel(ours, theirs)
    ends = expected.confidence_interval(0.95)

    found = resampling.mean_difference(ours - theirs, np.arange(400))

    assert found.p == pytest.approx(expected.pvalue, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-6)


def test_the_p_value_and_the_interval_agree() -> None:
    rng = np.random.default_rng(6)
    for _model in range(60):
        gaps = rng.normal(0.25, 1.0, 40)
        found = resampling.mean_difference(gaps, np.arange(40) // 2)
        if abs(found.p - 0.05) > 0.005:
            assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_the_same_scores_always_give_the_same_interval() -> None:
    gaps = np.random.default_rng(8).normal(0, 1, 30)

    first, second = (resampling.mean_difference(gaps, np.arange(30)) for _time in range(2))

    assert first == second


@pytest.mark.parametrize("n_clusters", [6, 12, 30])
def test_the_interval_covers_the_true_difference_of_clustered_items(n_clusters: int) -> None:
    rng = np.random.default_rng(9)
    covered, called = 0, 0
    for _pair in range(400):
        ours, theirs, clusters = _models(rng, n_clusters)
        found = differences.compare(ours, theirs, clusters)
        assert found is not None
        assert found.method == differences.BOOTSTRAP
        covered += found.low <= 0 <= found.high  # type: ignore[operator]
        called += found.p < 0.05  # type: ignore[operator]
    assert 0.925 <= covered / 400 <= 0.985
    assert called / 400 <= 0.07


def _models(rng: np.random.Generator, n_clusters: int) -> tuple[Floats, Floats, Ints]:
    """Two equally good models on clusters of 1 to 9 items, each better on some clusters."""
    clusters = np.repeat(np.arange(n_clusters), rng.integers(1, 10, n_clusters))
    size = len(clusters)
    shared = 0.8 * rng.normal(size=n_clusters)[clusters] + 0.6 * rng.normal(size=size)
    ours, theirs = (
        shared + 0.3 * rng.normal(size=n_clusters)[clusters] + 0.5 * rng.normal(size=size) > 0
        for _model in range(2)
    )
    return ours.astype(float), theirs.astype(float), clusters


def test_fewer_than_five_clusters_are_too_few() -> None:
    found = differences.compare([1.0] * 20, [0.0] * 20, [place % 4 for place in range(20)])

    assert found is not None
    assert (found.method, found.difference) == (differences.TOO_FEW, 1.0)
    assert (found.low, found.high, found.p) == (None, None, None)


def test_no_spread_is_no_certainty() -> None:
    found = differences.compare([0.5] * 20, [0.5] * 20, range(20))

    assert found is not None
    assert found.p == 1.0
    assert found.low == pytest.approx(-found.high)  # type: ignore[operator]
    assert found.high > 0.1  # type: ignore[operator]


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
