"""Which charts a run gets, from its curves alone."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pages.charts import LineChart, Tick
from training.configs.knobs import Settings
from training.configs.ppo import PpoConfig
from training.configs.reward import RewardConfig
from training.configs.sft import SftConfig
from training.results import charts as results_charts
from training.results.curves import Curve


def curve(metric: str, *values: float) -> Curve:
    return Curve(metric, [(float(step), value) for step, value in enumerate(values, start=1)])


def drawn(
    about: type[Settings], *found: Curve, n_steps: int = 3, metrics: Mapping[str, Any] | None = None
) -> list[LineChart]:
    groups = results_charts.charts(
        about, {one.metric: one for one in found}, n_steps=n_steps, metrics=metrics
    )
    return [chart for group in groups for chart in group.charts]


def title_of(*values: float, metric: str = "held_out_loss") -> str:
    return drawn(SftConfig, curve(metric, *values), n_steps=len(values))[0].title


def test_a_ppo_run_shows_reward_by_its_drift_from_the_sft_model() -> None:
    charts = drawn(
        PpoConfig,
        curve("reward", 0.0, 0.5, 1.0),
        curve("kl", 0.0, 4.0, 1.0),
        curve("sqrt_kl", 0.0, 2.0, 1.0),
    )

    drift = next(chart for chart in charts if chart.title.startswith("Reward by drift"))

    assert [row[0] for row in drift.table.rows] == ["0", "1", "2"]
    assert [row[1] for row in drift.table.rows] == ["0", "1", "0.5"]


def test_margins_are_drawn_from_where_pairs_come_out_wrong() -> None:
    chart = results_charts.margins(
        [{"margin": -1.0, "n": 1}, {"margin": 0.0, "n": 0}, {"margin": 1.0, "n": 3}]
    )

    assert chart is not None
    assert chart.title == "The two responses of a pair are 0.5 apart on average"
    assert [row[:2] for row in chart.table.rows] == [("−1", "1"), ("0", "0"), ("1", "3")]
    assert results_charts.margins([]) is None


def test_margins_are_bars() -> None:
    chart = results_charts.margins(
        [{"margin": -1.0, "n": 1}, {"margin": 0.0, "n": 0}, {"margin": 1.0, "n": 3}]
    )

    assert chart is not None
    assert chart.curves == ()
    assert [bar.number for bar in chart.bars] == [2, 1]
    low, high = (float(bar.height) for bar in chart.bars)
    assert high > 2.9 * low


def test_calibration_is_drawn_as_points_that_nothing_joins() -> None:
    chart = results_charts.calibration(
        [{"predicted": 0.6, "observed": 0.5, "n": 9}, {"predicted": 0.9, "observed": 1.0, "n": 9}]
    )

    assert chart is not None
    assert [(bool(one.path), len(one.dots)) for one in chart.curves] == [(False, 2), (True, 0)]


def test_fewer_than_a_hundred_pairs_are_never_called_calibrated() -> None:
    few = results_charts.calibration([{"predicted": 0.7, "observed": 0.7, "n": 99}])
    enough = results_charts.calibration([{"predicted": 0.7, "observed": 0.7, "n": 1000}])

    assert few is not None
    assert enough is not None
    assert few.title == "Too few pairs to tell whether it is calibrated"
    assert enough.title == "On average as confident as it is right"


def test_a_curve_of_one_point_is_not_drawn() -> None:
    assert drawn(SftConfig, curve("loss", 2.0), n_steps=4) == []


def test_charts_come_in_groups_and_the_system_is_closed() -> None:
    found = {
        name: curve(name, 1.0, 2.0) for name in ("reward", "response_tokens", "lr", "surprise")
    }

    groups = results_charts.charts(PpoConfig, found, n_steps=2)

    assert [(one.title, len(one.charts), one.is_closed) for one in groups] == [
        ("Learning", 1, False),
        ("Data", 1, False),
        ("System", 2, True),
    ]


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"low": -0.15, "high": -0.02}, "Loss on held-out data falls from 3.103 to 3.009"),
        ({"low": -0.25, "high": 0.06}, "Loss on held-out data: 3.103 at first, 3.009 at last"),
        ({"low": 0.01, "high": 0.06}, "Loss on held-out data: 3.103 at first, 3.009 at last"),
        ({}, "Loss on held-out data: 3.103 at first, 3.009 at last"),
    ],
)
def test_a_fall_on_held_out_data_is_called_a_fall_if_the_runs_interval_carries_it(
    change: dict[str, float], title: str
) -> None:
    metrics = {f"held_out_loss_change_{end}": value for end, value in change.items()}

    found = drawn(SftConfig, curve("held_out_loss", 3.103, 3.009), metrics=metrics)

    assert found[0].title == title


def test_noise_around_one_level_is_called_steady() -> None:
    noise = [2.0 + 0.1 * (-1) ** step + 0.001 * step for step in range(60)]

    assert title_of(*noise, metric="loss").startswith("Loss stays near 2.0")


CLAIMS = (" falls from ", " rises from ", "confident by")
ALLOWED = 0.05 + 2.5 * (0.05 * 0.95 / 400) ** 0.5
"""The highest rate that chance makes of 5 % in 400 draws."""


def share_of_claims(titles: list[str]) -> float:
    return sum(any(claim in title for claim in CLAIMS) for title in titles) / len(titles)


@pytest.mark.parametrize("n", [2, 4, 5, 8, 20, 60, 300])
@pytest.mark.parametrize("metric", ["loss", "held_out_loss"])
def test_no_title_claims_a_change_of_what_stays_where_it_is(metric: str, n: int) -> None:
    random = np.random.default_rng(n)

    titles = [title_of(*random.normal(3, 0.2, n).tolist(), metric=metric) for _ in range(400)]

    assert share_of_claims(titles) <= ALLOWED


def test_noise_that_lasts_for_several_steps_is_no_change_either() -> None:
    random = np.random.default_rng(1)
    titles = []
    for _ in range(400):
        noise = random.normal(0, 0.2, 1_000)
        for step in range(1, len(noise)):
            noise[step] += 0.5 * noise[step - 1]
        titles.append(title_of(*(3 + noise[500:]).tolist(), metric="loss"))

    assert share_of_claims(titles) <= ALLOWED


@pytest.mark.parametrize("n", [20, 60, 300])
def test_a_change_on_enough_steps_is_claimed(n: int) -> None:
    random = np.random.default_rng(n)
    slope = np.linspace(3, 2, n)

    titles = [title_of(*(slope + random.normal(0, 0.2, n)), metric="loss") for _ in range(100)]

    assert sum(" falls from " in title for title in titles) >= 95


@pytest.mark.parametrize("n", [100, 400, 3_000])
@pytest.mark.parametrize(("gap", "claims"), [(0.0, False), (0.15, True)])
def test_a_model_is_called_overconfident_if_its_pairs_carry_that(
    n: int, gap: float, *, claims: bool
) -> None:
    """Two pairs on each prompt, which are right or wrong together."""
    random = np.random.default_rng(n)
    titles = []
    for _ in range(400):
        confidence = random.uniform(0.65, 0.95, n // 2)
        right = random.random(n // 2) < confidence - gap
        bins: list[Mapping[str, float]] = []
        for low in (0.65, 0.75, 0.85):
            held = (confidence >= low) & (confidence < low + 0.1)
            observed, predicted = float(right[held].mean()), float(confidence[held].mean())
            bins.append({"predicted": predicted, "observed": observed, "n": 2 * int(held.sum())})
        chart = results_charts.calibration(bins)
        titles.append(chart.title if chart else "")

    share = share_of_claims(titles)

    assert share <= ALLOWED if not claims else share > (0.95 if n > 300 else 0.5)


def test_a_slow_fall_in_a_noisy_curve_is_called_a_fall() -> None:
    noisy = [3.0 - 0.002 * step + 0.02 * (-1) ** step for step in range(200)]

    assert title_of(*noisy, metric="loss").startswith("Loss falls from 2.98 to 2.62")


def test_shares_are_percentages_on_an_axis_between_0_and_1() -> None:
    metrics = {"held_out_accuracy_change_low": 0.1, "held_out_accuracy_change_high": 0.26}
    found = drawn(RewardConfig, curve("held_out_accuracy", 0.52, 0.7), metrics=metrics)[0]
    level = drawn(RewardConfig, curve("held_out_accuracy", 0.5, 0.5))[0]

    assert found.title == "Accuracy on held-out data rises from 52 % to 70 %"
    for chart in (found, level):
        labels = [float(tick.label) for tick in chart.y_ticks]
        assert min(labels) >= 0
        assert max(labels) <= 1


def test_one_step_is_called_a_step() -> None:
    curve_of_one_step = Curve("loss", [(0.0, 2.0), (1.0, 1.0)])

    assert drawn(SftConfig, curve_of_one_step, n_steps=1)[0].x_ticks[-1].label == "1 step"


def left_of(tick: Tick) -> float:
    return float(tick.at) - len(tick.label) * 7 * {"start": 0, "": 0.5, "end": 1}[tick.anchor]


def right_of(tick: Tick) -> float:
    return left_of(tick) + len(tick.label) * 7


def test_the_labels_of_the_axis_do_not_touch() -> None:
    chart = results_charts.margins([{"margin": 0.06 * n - 0.5, "n": n} for n in range(20)])
    assert chart is not None
    steps = drawn(SftConfig, curve("loss", *range(900)), n_steps=100_000)[0]

    for ticks in (chart.x_ticks, steps.x_ticks):
        for one, following in pairwise(ticks):
            assert right_of(one) < left_of(following)
    assert chart.x_unit == "reward of the better response minus the other"


def test_what_is_only_an_aid_is_not_drawn() -> None:
    names = ("reward", "rollout_s", "update_s", "policy_loss", "held_out_n")

    assert len(drawn(PpoConfig, *(curve(name, 1.0, 2.0) for name in names))) == 1


def test_a_metric_that_nobody_foresaw_is_drawn_last() -> None:
    charts = drawn(SftConfig, curve("surprise_score", 1.0, 2.0), curve("loss", 1.0, 2.0))

    assert [chart.title.split(":")[0] for chart in charts] == ["Loss", "surprise score"]
