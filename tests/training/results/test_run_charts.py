"""Which charts a run gets, from its curves alone."""

from training.configs.ppo import PpoConfig
from training.configs.sft import SftConfig
from training.results import charts as results_charts
from training.results.curves import Curve


def curve(metric: str, *values: float) -> Curve:
    return Curve(metric, [(float(step), value) for step, value in enumerate(values, start=1)])


def test_a_ppo_run_shows_reward_by_its_drift_from_the_sft_model() -> None:
    curves = {
        c.metric: c
        for c in [
            curve("reward", 0.0, 0.5, 1.0),
            curve("kl", 0.0, 4.0, 1.0),
            curve("sqrt_kl", 0.0, 2.0, 1.0),
        ]
    }

    drift = next(
        chart
        for chart in results_charts.charts(PpoConfig, curves, n_steps=3)
        if chart.title.startswith("Reward by drift")
    )

    assert [row[0] for row in drift.rows] == ["0", "1", "2"]
    assert [row[1] for row in drift.rows] == ["0", "1", "0.5"]


def test_margins_are_drawn_from_where_pairs_come_out_wrong() -> None:
    chart = results_charts.margins(
        [{"margin": -1.0, "n": 1}, {"margin": 0.0, "n": 0}, {"margin": 1.0, "n": 3}]
    )

    assert chart is not None
    assert chart.title == "The two responses of a pair are 0.5 apart on average"
    assert [row[:2] for row in chart.rows] == [("−1", "1"), ("0", "0"), ("1", "3")]
    assert results_charts.margins([]) is None


def test_what_is_only_an_aid_is_not_drawn() -> None:
    curves = {
        name: curve(name, 1.0, 2.0)
        for name in ("reward", "rollout_s", "update_s", "policy_loss", "held_out_n")
    }

    assert len(results_charts.charts(PpoConfig, curves, n_steps=2)) == 1


def test_a_metric_that_nobody_foresaw_is_drawn_last() -> None:
    charts = results_charts.charts(
        SftConfig, {name: curve(name, 1.0, 2.0) for name in ("surprise_score", "loss")}, n_steps=2
    )

    assert [chart.title.split(" rises")[0] for chart in charts] == ["Loss", "surprise score"]
