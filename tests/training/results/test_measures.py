"""A run's metrics as its page lists them."""

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


def test_the_figures_that_matter_most_of_a_reward_model_come_first() -> None:
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

    assert [(one.name, one.value, one.range) for one in found.headlines] == [
        ("Held-out pair accuracy", "70 %", "64–76 %"),
        ("Held-out loss", "0.6", ""),
    ]
    assert [(one.name, one.value) for one in found.others] == [
        ("Held-out pairs", "312"),
        ("Training pairs", "2,000"),
        ("Prompts computed once for all responses", "yes"),
    ]


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
