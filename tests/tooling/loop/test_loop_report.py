"""What `make loop` says of a win rate."""

from dataclasses import asdict
from typing import Any

import loop_report
import pytest
from loop_report import LoopClock, Part, idle_share

from arithmetic.bias import habits


def figures(*, n_prompts: int) -> dict[str, Any]:
    """A PPO run, and one vote a prompt, which the new model always wins."""
    rates = habits.length_controlled(
        won=[1.0] * n_prompts,
        n_chars=[9] * n_prompts,
        n_chars_other=[5] * n_prompts,
        prompts=range(n_prompts),
    )
    return {
        "runs": [{"kind": "ppo", "metrics": {}}],
        "reward_by_drift": [],
        "win_rates": [
            {
                "source": "new",
                "other": "old",
                "as_voted": asdict(rates.raw),
                "at_equal_length": asdict(rates.controlled),
            }
        ],
    }


def test_three_of_three_wins_have_no_interval_in_the_report() -> None:
    found = figures(n_prompts=3)

    told = dict(loop_report.ppo_lines(found))["win rate"]
    line = loop_report.ppo_figures(found)

    assert "in 100 % of 3 votes (too few prompts for an interval)" in told
    assert (line["win_rate"], line["win_rate_low"], line["win_rate_high"]) == (1.0, None, None)
    assert line["win_rate_note"].startswith("Fewer than 5 prompts")


def test_twenty_of_twenty_wins_have_an_interval_with_a_width() -> None:
    line = loop_report.ppo_figures(figures(n_prompts=20))

    assert (line["win_rate"], line["win_rate_high"]) == (1.0, 1.0)
    assert 0.7 < line["win_rate_low"] < 0.9


def test_the_report_says_where_the_time_went_and_what_the_gate_would_decide() -> None:
    clock = LoopClock()
    clock.begin("imports")
    clock.begin("run “PPO model”")
    clock.end()

    parts = [loop_report.part_line(part) for part in clock.parts]

    assert [part.name for part in clock.parts] == ["imports", "run “PPO model”"]
    assert parts[0].startswith("imports: 0 s")
    assert loop_report.gate_line({"gate": None}) == "not reached"
    verdict = {"outcome": "failed", "sentence": "Not promoted."}
    assert loop_report.gate_line({"gate": verdict}) == "failed: Not promoted."


def test_the_idle_share_of_a_loop_counts_longer_parts_more() -> None:
    parts = [Part("short", 10, 1.0), Part("long", 30, 0.2), Part("unknown", 99, None)]

    assert idle_share(parts) == pytest.approx(0.4)
    assert idle_share([Part("unknown", 99, None)]) is None


def test_a_suites_line_says_both_scores_and_whether_they_can_be_told_apart() -> None:
    row = {"suite": "Arithmetic 1", "n": 8, "before": 0.25, "after": 0.5, "low": 0.2, "high": 0.8}
    unanswered = row | {"before": None, "low": None, "high": None}

    assert (
        loop_report.suite_line(row | {"outcome": "cannot be told apart"})
        == "Arithmetic 1: 25% → 50% (8 items, 20% to 80%): cannot be told apart"
    )
    assert (
        loop_report.suite_line(unanswered | {"outcome": "too few"})
        == "Arithmetic 1: – → 50% (8 items): too few"
    )
