"""The sentence on a run's page claims no more than its intervals carry. How often it claims
something is simulated in tests/pages/verdicts/.
"""

from collections.abc import Mapping

import pytest

from arithmetic import intervals
from pages.verdicts import Effect
from training.results import ends, verdicts


def sentence(kind: str, metrics: Mapping[str, object]) -> str:
    return verdicts.of_run(kind=kind, metrics=metrics).sentence


def test_the_result_of_a_reward_model_is_one_sentence_with_its_interval() -> None:
    metrics = {
        "held_out_accuracy_before": 0.52,
        "held_out_accuracy_after": 0.7,
        "held_out_accuracy_low": 0.64,
        "held_out_accuracy_high": 0.76,
        "n_held_out_pairs": 312,
    }

    assert sentence("reward", metrics) == (
        "Held-out pair accuracy rose from 52 % to 70 % (64\u2060–\u206076\u00a0%) on 312 held-out"
        " pairs."
    )


@pytest.mark.parametrize(
    ("before", "ends", "words", "effect"),
    [
        (0.52, (0.64, 0.76), "rose from 52 % to 70 %", Effect.BETTER),
        (0.88, (0.64, 0.76), "fell from 88 % to 70 %", Effect.WORSE),
        (0.63, (0.64, 0.76), "but chance may explain the difference.", Effect.UNCLEAR),
        (0.52, (0.48, 0.92), "Too few to tell whether it is better than", Effect.UNCLEAR),
        (0.52, (None, None), "Too few to tell whether it is better than", Effect.UNCLEAR),
    ],
)
def test_a_change_of_a_reward_model_is_claimed_only_if_chance_does_not_explain_it(
    before: float, ends: tuple[float | None, float | None], words: str, effect: Effect
) -> None:
    low, high = ends
    metrics = {
        "held_out_accuracy_before": before,
        "held_out_accuracy_after": 0.7,
        "held_out_accuracy_low": low,
        "held_out_accuracy_high": high,
        "n_held_out_pairs": 150,
    }

    found = verdicts.of_run(kind="reward", metrics=metrics)

    assert words in found.sentence
    assert found.effect == effect


def test_too_few_pairs_say_how_many_would_be_enough_and_what_to_do() -> None:
    metrics = {
        "held_out_accuracy_before": 0.74,
        "held_out_accuracy_after": 0.65,
        "held_out_accuracy_low": 0.46,
        "held_out_accuracy_high": 0.8,
        "n_held_out_pairs": 31,
    }

    found = verdicts.of_run(kind="reward", metrics=metrics)

    assert found.sentence.endswith(
        "Too few to tell whether it is better than chance: 31 held-out pairs. About 210, each of"
        " another prompt, would show 60 %."
    )
    assert found.advice == "Collect more comparisons before you train with it."


def test_a_loss_without_an_interval_is_never_said_to_fall() -> None:
    few = {"held_out_loss_before": 3.103, "held_out_loss_after": 3.009, "n_held_out": 1}

    assert sentence("sft", few) == (
        "Held-out loss: 3.103 before, 3.009 after on 1 held-out row. Too few to tell whether it"
        " changed."
    )
    assert sentence("sft", few | {"n_held_out": 300}).endswith(
        "Without an interval nobody can tell whether it changed."
    )


def test_a_loss_compared_row_by_row_says_how_far_it_fell() -> None:
    metrics = {
        "held_out_loss_before": 3.1,
        "held_out_loss_after": 2.9,
        "held_out_loss_change": -0.2,
        "held_out_loss_change_low": -0.25,
        "held_out_loss_change_high": -0.15,
        "n_held_out": 300,
    }

    found = verdicts.of_run(kind="sft", metrics=metrics)

    assert found.sentence == (
        "Held-out loss fell from 3.1 to 2.9, by −0.25 to −0.15 on 300 held-out rows."
    )
    assert found.effect == Effect.BETTER


def test_what_a_difference_of_five_points_takes_is_said_of_shares() -> None:
    metrics = {
        "held_out_accuracy_before": 0.5,
        "held_out_accuracy_after": 0.55,
        "held_out_accuracy_low": 0.4,
        "held_out_accuracy_high": 0.7,
        "n_held_out_pairs": 40,
    }

    assert "Too few to tell whether it changed: about 1,500 would show a difference of 5" in (
        sentence("dpo", metrics)
    )


def test_the_interval_of_a_difference_is_newcombe_s_own_example() -> None:
    """56 of 70 and 48 of 80: Newcombe 1998, table II, contrast (a), method 10."""
    both = [intervals.wilson(k, n) for k, n in ((56, 70), (48, 80))]
    metrics = {f"x_{when}": share for when, share in (("after", 0.8), ("before", 0.6))}
    for when, (low, high) in zip(("after", "before"), both, strict=True):
        metrics |= {f"x_low_{when}": low, f"x_high_{when}": high}

    assert ends.of_change("x", metrics) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_run_without_held_out_data_says_that_it_has_no_result() -> None:
    metrics = {"n_held_out_prompts": 0, "n_episodes": 64}

    assert sentence("ppo", metrics).startswith("Nothing was measured on held-out data")


def test_a_sampling_run_says_how_many_responses_finished() -> None:
    metrics = {"n_responses": 40, "n_prompts": 10, "share_ended": 0.9}

    assert sentence("sample", metrics) == "40 responses to 10 prompts; 90 % finished."
    assert sentence("sample", {"n_responses": 1, "n_prompts": 1}) == "1 response to 1 prompt."


@pytest.mark.parametrize(("n_prompts", "is_said"), [(2, False), (60, True)])
def test_that_most_were_cut_off_is_said_only_if_it_is_sure(n_prompts: int, is_said: bool) -> None:
    metrics = {"n_responses": 4 * n_prompts, "n_prompts": n_prompts, "share_ended": 0.2}

    found = verdicts.of_run(kind="sample", metrics=metrics)

    assert found.advice.startswith("Most were cut off.") is is_said


def test_a_win_rate_is_judged_against_one_half() -> None:
    rates = {"win_rate": 0.61, "win_rate_low": 0.52, "win_rate_high": 0.7, "n_prompts": 120}

    found = verdicts.of_run(kind="evaluate", metrics=rates)

    assert found.sentence == (
        "Win rate against the other model: 61 % (52\u2060–\u206070\u00a0%) on 120 prompts. It is"
        " better than the other model."
    )


def test_a_run_that_has_measured_nothing_has_no_result() -> None:
    assert sentence("ppo", {}) == ""
