"""A run's metrics as its page lists them."""

from training.results.measures import measures


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
