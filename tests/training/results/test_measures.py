"""A run's metrics as its page lists them."""

import numpy as np
import pytest

from arithmetic import intervals
from training.results.measures import measures, result


def test_the_ends_of_an_interval_stand_with_their_measure() -> None:
    found = measures(
        kind="reward",
        metrics={
            "held_out_accuracy_before": 0.5,
            "held_out_accuracy_after": 0.61,
            "held_out_accuracy_low": 0.52,
            "held_out_accuracy_high": 0.7,
        },
    )

    assert [(str(one.name), one.before, one.figure) for one in found] == [
        ("Held-out pair accuracy", "50 %", "61 % (95 % interval 52–70 %)")
    ]


def test_the_ends_at_the_end_of_a_run_stand_with_their_measure_too() -> None:
    found = measures(
        kind="reward",
        metrics={
            "held_out_accuracy_before": 0.5,
            "held_out_accuracy_low_before": 0.4,
            "held_out_accuracy_high_before": 0.6,
            "held_out_accuracy_after": 0.61,
            "held_out_accuracy_low_after": 0.52,
            "held_out_accuracy_high_after": 0.7,
        },
    )

    assert [(str(one.name), one.before, one.figure) for one in found] == [
        ("Held-out pair accuracy", "50 %", "61 % (95 % interval 52–70 %)")
    ]


def test_an_accuracy_without_ends_has_too_few_prompts() -> None:
    found = measures(kind="evaluate", metrics={"win_rate": 1.0})

    assert [one.figure for one in found] == ["100 % (too few prompts for an interval)"]


def test_a_measure_of_a_single_moment_has_its_interval_too() -> None:
    found = measures(
        kind="evaluate", metrics={"win_rate": 0.61, "win_rate_low": 0.52, "win_rate_high": 0.7}
    )

    assert [one.figure for one in found] == ["61 % (95 % interval 52–70 %)"]


def test_an_end_without_its_measure_is_listed_by_itself() -> None:
    assert [one.name for one in measures(kind="reward", metrics={"reward_low": 1})] == [
        "reward low"
    ]


def test_the_result_of_a_reward_model_is_one_sentence_with_its_interval() -> None:
    found = result(
        kind="reward",
        metrics={
            "held_out_accuracy_before": 0.52,
            "held_out_accuracy_after": 0.7,
            "held_out_accuracy_low": 0.64,
            "held_out_accuracy_high": 0.76,
            "held_out_loss_before": 0.71,
            "held_out_loss_after": 0.6,
            "n_held_out_pairs": 312,
            "n_train_pairs": 2000,
            "shares_prefix": True,
            "held_out_split": "",
        },
    )

    assert found.sentence == (
        "Held-out pair accuracy rose from 52 % to 70 % (64\u2060–\u206076\u00a0%) on 312 held-out"
        " pairs."
    )
    assert [(one.name, one.value, one.range) for one in found.headlines] == [
        ("Held-out pair accuracy", "70 %", "64–76 %"),
        ("Held-out loss", "0.6", ""),
    ]
    assert [(one.name, one.value) for one in found.others] == [
        ("Held-out pairs", "312"),
        ("Training pairs", "2,000"),
        ("Prompts computed once for all responses", "yes"),
    ]


def test_a_loss_falls_on_a_single_row_in_the_singular() -> None:
    metrics = {"held_out_loss_before": 3.103, "held_out_loss_after": 3.009, "n_held_out": 1}

    assert result(kind="sft", metrics=metrics).sentence == (
        "Held-out loss: 3.103 before, 3.009 after on 1 held-out row. Too few to tell whether it"
        " changed."
    )


@pytest.mark.parametrize(
    ("before", "ends", "words"),
    [
        (0.52, (0.64, 0.76), "rose from 52 % to 70 %"),
        (0.88, (0.64, 0.76), "fell from 88 % to 70 %"),
        (0.63, (0.64, 0.76), "Chance may explain the difference."),
        (0.52, (None, None), "Too few to tell whether it changed."),
    ],
)
def test_a_change_is_claimed_only_if_chance_does_not_explain_it(
    before: float, ends: tuple[float | None, float | None], words: str
) -> None:
    low, high = ends
    metrics = {
        "held_out_accuracy_before": before,
        "held_out_accuracy_after": 0.7,
        "held_out_accuracy_low": low,
        "held_out_accuracy_high": high,
        "n_held_out_pairs": 312,
    }

    assert words in result(kind="reward", metrics=metrics).sentence


def claims_of_change(before: float, after: float, *, n: int, n_each: int) -> float:
    """How often a run says so whose model is right this often before, and anew after."""
    random = np.random.default_rng(5)
    prompts = np.repeat(np.arange(n), n_each).tolist()
    n_claims, n_runs = 0, 500
    for _run in range(n_runs):
        metrics: dict[str, object] = {"n_held_out_pairs": n * n_each}
        for moment, share in (("before", before), ("after", after)):
            votes = (random.random(n * n_each) < share).astype(float).tolist()
            low, high = intervals.of_votes(votes, prompts) or (None, None)
            named = {"": np.mean(votes), "low_": low, "high_": high}
            ends = {f"held_out_accuracy_{end}{moment}": value for end, value in named.items()}
            metrics |= ends
        sentence = result(kind="reward", metrics=metrics).sentence
        n_claims += " rose from " in sentence or " fell from " in sentence
    return n_claims / n_runs


@pytest.mark.parametrize(("n", "n_each"), [(4, 5), (12, 3), (60, 1), (150, 4)])
def test_a_model_that_guesses_anew_is_hardly_ever_said_to_have_changed(n: int, n_each: int) -> None:
    assert claims_of_change(0.5, 0.5, n=n, n_each=n_each) <= 0.06


def test_a_model_that_has_learned_is_said_to() -> None:
    assert claims_of_change(0.5, 0.75, n=100, n_each=2) >= 0.95


def test_the_interval_of_a_difference_is_newcombe_s_own_example() -> None:
    """56 of 70 and 48 of 80: Newcombe 1998, table II, contrast (a), method 10."""
    ends = [intervals.wilson(k, n) for k, n in ((56, 70), (48, 80))]

    found = intervals.of_difference(56 / 70, ends[0], 48 / 80, ends[1])

    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_run_without_held_out_data_says_that_it_has_no_result() -> None:
    found = result(kind="ppo", metrics={"n_held_out_prompts": 0, "n_episodes": 64})

    assert found.sentence.startswith("Nothing was measured on held-out data")
    assert found.headlines == []


def test_what_is_measured_once_is_said_without_a_before() -> None:
    found = result(kind="sample", metrics={"n_responses": 40, "n_prompts": 10, "share_ended": 0.9})

    assert found.sentence == "Responses: 40 on 10 prompts."


def test_a_run_that_has_measured_nothing_has_no_result() -> None:
    assert result(kind="ppo", metrics={}).sentence == ""


TIMES = {
    "writing_share": 0.512,
    "updating_share": 0.3,
    "measuring_share": 0.15,
    "else_share": 0.038,
    "waiting_share": 0.01,
}


def test_a_run_says_what_took_its_time_most_first() -> None:
    about = result(kind="ppo", metrics=TIMES)

    assert about.bound_by == (
        "Most of the time went into writing responses (51 %), then into updating weights (30 %),"
        " measuring responses (15 %), evaluations, checkpoints and everything else (4 %)."
    )
    assert about.others == []


def test_waiting_is_said_where_it_took_a_twentieth_of_the_time() -> None:
    about = result(kind="ppo", metrics=TIMES | {"waiting_share": 0.2})

    assert about.bound_by.endswith(
        "For 20 % of it the run only waited: for a server, another process or the machine."
    )


def test_a_run_that_did_not_measure_its_time_says_nothing_of_it() -> None:
    assert result(kind="ppo", metrics={"reward_after": 1.0}).bound_by == ""
