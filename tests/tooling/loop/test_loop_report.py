"""What `make loop` says of a win rate."""

from dataclasses import asdict
from typing import Any

import loop_report
import numpy as np
import pytest
from loop_report import LoopClock, Part, idle_share

from arithmetic.bias import habits


def figures(*, n_prompts: int) -> dict[str, Any]:
    """One vote a prompt, which the new model always wins."""
    rates = habits.length_controlled(
        won=[1.0] * n_prompts,
        n_chars=[9] * n_prompts,
        n_chars_other=[5] * n_prompts,
        prompts=range(n_prompts),
    )
    return {
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

    told = dict(loop_report.win_lines(found))["win rate"]
    line = loop_report.win_figures(found)

    assert "in 100 % of 3 votes (too few prompts for an interval)" in told
    assert (line["win_rate"], line["win_rate_low"], line["win_rate_high"]) == (1.0, None, None)
    assert line["win_rate_note"].startswith("Fewer than 5 prompts")


def test_twenty_of_twenty_wins_have_an_interval_with_a_width() -> None:
    line = loop_report.win_figures(figures(n_prompts=20))

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


def duel(low: float | None, high: float | None) -> dict[str, Any]:
    value = None if low is None or high is None else (low + high) / 2
    return {"win_rates": [{"as_voted": {"value": value, "low": low, "high": high}}]}


def test_the_conclusion_says_what_was_shown_and_what_to_do_next() -> None:
    better, worse = duel(54.0, 70.0), duel(30.0, 46.0)

    assert "is better: it wins 62 % of votes" in loop_report.conclusion(better)
    assert "schedule “Best of n, chosen by raters”" in loop_report.conclusion(better)
    assert "is worse" in loop_report.conclusion(worse)
    assert "Import more prompts" in loop_report.conclusion(duel(None, None))
    assert "Import more prompts" in loop_report.conclusion({"win_rates": []})


def test_where_nothing_was_shown_the_conclusion_names_what_would_have_been() -> None:
    told = loop_report.conclusion(duel(45.0, 61.0))

    # A half width of 8 is 1.96 standard errors; 80 % power takes 2.80 of them.
    assert "a model that wins 61 % is found in four of five loops" in told


def test_the_smallest_difference_shown_is_found_in_four_of_five_loops() -> None:
    random = np.random.default_rng(1)
    n = 400
    half_width = 100 * 1.96 * (0.25 / n) ** 0.5
    reach = loop_report.smallest_shown({"low": 50 - half_width, "high": 50 + half_width})

    share = random.binomial(n, 0.5 + reach / 100, 4000) / n
    found = share - 1.96 * (share * (1 - share) / n) ** 0.5 > 0.5

    assert 0.77 < found.mean() < 0.83


def test_the_report_says_how_often_raters_agree() -> None:
    row = {"campaign": "Duel", "value": 0.702, "n": 120}

    told = loop_report.agreement_line(row)
    untold = loop_report.agreement_line(row | {"value": None})

    assert told == "“Duel”: they agree on 70% of 120 pairs that two of them decided"
    assert "have not judged the same pairs" in untold


def test_the_report_says_how_many_responses_were_clearly_preferred() -> None:
    card = {"rows": 90, "filters": {"best_voted_in": [1]}, "left_out": {"empty response": 2}}
    other = {"rows": 5, "filters": {}, "left_out": {}}

    told = loop_report.preferred_of({"snapshots": [{"card": card}, {"card": other}]})

    assert told == "90 responses to learn from; left out: 2 × empty response"
    assert loop_report.preferred_of({"snapshots": [{"card": other}]}) == ""
