"""Krippendorff's alpha against published numbers and a slow obvious twin."""

import math
from itertools import permutations

import numpy as np
import pytest
from evalica import alpha as evalica_alpha
from pandas import DataFrame

from arithmetic.agreement import alpha
from tests.arithmetic import oracles
from tests.arithmetic.oracles import is_about


def votes_of_units(units: list[list[float]]) -> tuple[list[int], list[float]]:
    return [at for at, unit in enumerate(units) for _ in unit], [
        label for unit in units for label in unit
    ]


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        (oracles.KRIPPENDORFF_C, "nominal", 904 / 1216),
        (oracles.KRIPPENDORFF_C, "ordinal", 0.8153875038),
        (oracles.KRIPPENDORFF_C, "interval", 0.8491071429),
        (oracles.KRIPPENDORFF_C, "ratio", 0.7974027747),
        (oracles.WIKIPEDIA, "nominal", 0.691358),
        (oracles.WIKIPEDIA, "ordinal", 0.806721),
        (oracles.WIKIPEDIA, "interval", 0.810845),
    ],
)
def test_alpha_is_the_published_one(text: str, metric: alpha.Metric, value: float) -> None:
    units, _, labels = oracles.coders(text)

    assert alpha.krippendorff(
        units=units, labels=labels, prompts=units, metric=metric
    ).value == is_about(value)


@pytest.mark.parametrize(
    ("units", "metric", "value"),
    [
        ([[1, 2], [2, 3], [3, 4]], "nominal", -0.1538462),
        ([[1, 2], [2, 3], [3, 4]], "interval", 0.5454545),
        ([[1, 2], [2, 4]], "ratio", 0.1712707),
        ([[0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1]], "nominal", 0.3888889),
        ([[0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [1, 0, 0, 1]], "nominal", 0.0833333),
    ],
)
def test_alpha_of_small_tables_is_the_published_one(
    units: list[list[float]], metric: alpha.Metric, value: float
) -> None:
    at, labels = votes_of_units(units)

    assert alpha.krippendorff(units=at, labels=labels, prompts=at, metric=metric).value == is_about(
        value
    )


def test_alpha_of_the_anxiety_scores_is_the_published_one() -> None:
    units, labels = votes_of_units(
        [[int(digit) for digit in row] for row in oracles.ANXIETY.split()]
    )

    for metric, value in (("nominal", -0.02373), ("ordinal", 0.22839), ("interval", 0.17010)):
        found = alpha.krippendorff(units=units, labels=labels, prompts=units, metric=metric).value
        assert found == pytest.approx(value, abs=5e-6)


def test_alpha_has_the_published_error() -> None:
    units, _, labels = oracles.coders(oracles.KRIPPENDORFF_C)

    found = alpha.krippendorff(units=units, labels=labels, prompts=units)

    assert found.value == pytest.approx(0.74342, abs=5e-6)
    # R's irrCAC linearises alpha without its correction for small samples, which is inside here.
    assert found.se == pytest.approx(0.14557, rel=0.03)


def alpha_by_hand(units: list[list[float]], metric: str) -> float:
    """One label against one label, as the definition says."""
    units = [unit for unit in units if len(unit) > 1]
    everything = [label for unit in units for label in unit]
    n = len(everything)

    def distance(one: float, other: float) -> float:
        if metric == "nominal":
            return float(one != other)
        if metric == "interval":
            return (one - other) ** 2
        if metric == "ratio":
            return ((one - other) / (one + other)) ** 2 if one + other else 0.0
        low, high = min(one, other), max(one, other)
        between = sum(low <= label <= high for label in everything)
        return (
            (between - (everything.count(low) + everything.count(high)) / 2) ** 2
            if one != other
            else 0.0
        )

    observed = (
        sum(distance(a, b) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2))
        / n
    )
    expected = sum(distance(a, b) for a, b in permutations(everything, 2)) / (n * (n - 1))
    return 1 - observed / expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_of_random_labels_is_the_twin_s_and_evalica_s(
    seed: int, metric: alpha.Metric
) -> None:
    random = np.random.default_rng(seed)
    table = random.integers(1, 5, size=(4, 15)).astype(float)
    table[random.random(table.shape) < 0.35] = np.nan
    table[:2, 0] = [1, 2]
    units = [[label for label in column if not math.isnan(label)] for column in table.T]
    at, labels = votes_of_units(units)

    found = alpha.krippendorff(units=at, labels=labels, prompts=at, metric=metric).value

    assert found == is_about(alpha_by_hand(units, metric))
    assert found == is_about(evalica_alpha(DataFrame(table), distance=metric).alpha)


def test_a_missing_label_may_be_nan() -> None:
    with_gaps = alpha.krippendorff(
        units=[0, 0, 0, 1, 1], labels=[1, 2, float("nan"), 1, 1], prompts=[0, 0, 0, 1, 1]
    )

    assert with_gaps == alpha.krippendorff(
        units=[0, 0, 1, 1], labels=[1, 2, 1, 1], prompts=[0, 0, 1, 1]
    )


def alike_by_prompt(n_prompts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(units, labels, prompts): four units a prompt with three labels each, which agree on easy
    prompts and hardly on hard ones.
    """
    random = np.random.default_rng(1)
    prompts = np.repeat(np.arange(n_prompts), 4)
    truth, skill = random.integers(1, 4, 4 * n_prompts), random.uniform(0.1, 1, n_prompts)[prompts]
    is_right = random.random((len(truth), 3)) < skill[:, None]
    labels = np.where(is_right, truth[:, None], random.integers(1, 4, (len(truth), 3)))
    return np.repeat(np.arange(len(truth)), 3), labels.reshape(-1), np.repeat(prompts, 3)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_the_error_is_that_of_resampled_prompts(metric: alpha.Metric) -> None:
    units, labels, prompts = alike_by_prompt(60)
    random = np.random.default_rng(2)
    drawn = []
    for _ in range(300):
        chosen = random.integers(0, 60, 60)
        again = labels.reshape(60, 12)[chosen].reshape(-1)
        found = alpha.krippendorff(units=units, labels=again, prompts=prompts, metric=metric)
        drawn.append(found.value)

    figure = alpha.krippendorff(units=units, labels=labels, prompts=prompts, metric=metric)

    assert figure.se == pytest.approx(np.std(drawn), rel=0.12)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_the_error_is_the_jackknife_s_over_prompts(metric: alpha.Metric) -> None:
    """The slow twin: leave out one prompt at a time."""
    units, labels, prompts = alike_by_prompt(120)
    without = np.array(
        [
            alpha.krippendorff(
                units=units[prompts != one],
                labels=labels[prompts != one],
                prompts=prompts[prompts != one],
                metric=metric,
            ).value
            for one in range(120)
        ]
    )

    figure = alpha.krippendorff(units=units, labels=labels, prompts=prompts, metric=metric)

    expected = np.sqrt(119 / 120 * ((without - without.mean()) ** 2).sum())
    assert figure.se == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("metric", ["ordinal", "interval", "ratio"])
def test_every_metric_has_an_interval_around_its_value(metric: alpha.Metric) -> None:
    units, _, labels = oracles.coders(oracles.KRIPPENDORFF_C)

    figure = alpha.krippendorff(units=units, labels=labels, prompts=units, metric=metric)

    assert figure.low < figure.value < figure.high
