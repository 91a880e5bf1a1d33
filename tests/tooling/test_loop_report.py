"""What `make loop` says of a win rate."""

from dataclasses import asdict
from typing import Any

import loop_report

from labeling.statistics.bias import habits


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
