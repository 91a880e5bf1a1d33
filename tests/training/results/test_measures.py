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
        "Held-out loss fell from 3.103 to 3.009 on 1 held-out row."
    )


def test_a_run_without_held_out_data_says_that_it_has_no_result() -> None:
    found = result(kind="ppo", metrics={"n_held_out_prompts": 0, "n_episodes": 64})

    assert found.sentence.startswith("Nothing was measured on held-out data")
    assert found.headlines == []


def test_what_is_measured_once_is_said_without_a_before() -> None:
    found = result(kind="sample", metrics={"n_responses": 40, "n_prompts": 10, "share_ended": 0.9})

    assert found.sentence == "Responses: 40 on 10 prompts."


def test_a_run_that_has_measured_nothing_has_no_result() -> None:
    assert result(kind="ppo", metrics={}).sentence == ""
