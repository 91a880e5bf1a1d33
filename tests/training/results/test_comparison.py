"""What runs come to beside each other: only like with like, and no more than intervals carry."""

from dataclasses import replace
from typing import Any

import pytest

from pages.verdicts import Effect
from training.results import comparison
from training.results.comparison import ComparedRun


def sft(name: str, after: float, change: tuple[float, float] | None = None, n: int = 92) -> Any:
    metrics: dict[str, object] = {
        "held_out_loss_before": 2.6,
        "held_out_loss_after": after,
        "n_held_out": n,
    }
    if change:
        metrics |= {"held_out_loss_change_low": change[0], "held_out_loss_change_high": change[1]}
    return ComparedRun(name, "sft", {"max_tokens": 512}, metrics, ("print", "validation"), 1)


def reward(name: str, after: float, half: float, **more: Any) -> Any:
    metrics = {
        "held_out_accuracy_after": after,
        "held_out_accuracy_low": after - half,
        "held_out_accuracy_high": after + half,
        "n_held_out_pairs": 312,
    }
    return ComparedRun(name, "reward", {}, metrics, ("print",), more.get("start", 1))


def test_a_difference_that_its_interval_carries_is_said_with_it() -> None:
    found = comparison.of_runs([sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27))])

    assert found.sentence == (
        "Compared with “A” (Held-out loss 2.5 on 92 held-out rows): “B” is better (2.3, a"
        " difference of −0.236 to −0.164)."
    )
    assert found.effect == Effect.BETTER


def test_swapping_turns_the_verdict_round() -> None:
    runs = [sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27))]

    found = comparison.of_runs(runs[::-1])

    assert "“A” is worse (2.5, a difference of +0.164 to +0.236)" in found.sentence
    assert found.effect == Effect.WORSE


def test_what_chance_may_explain_cannot_be_told_apart() -> None:
    found = comparison.of_runs([reward("A", 0.62, 0.06), reward("B", 0.66, 0.06)])

    assert "“B” cannot be told apart (66 %, a difference of −4 to +12 points)" in found.sentence
    assert found.effect == Effect.UNCLEAR


def test_the_more_runs_are_compared_the_wider_their_intervals() -> None:
    baseline, one = reward("A", 0.6, 0.05), reward("B", 0.675, 0.05)
    others = [reward(f"C{n}", 0.6, 0.05) for n in range(4)]

    assert comparison.of_runs([baseline, one]).effect == Effect.BETTER
    assert comparison.of_runs([baseline, one, *others]).effect == Effect.UNCLEAR


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"data": ("other print", "validation")}, "different data"),
        ({"data": ("print", "test")}, "different data"),
        ({"kind": "pretrain"}, "another kind"),
        ({"config": {"max_tokens": 256}}, "measured with other settings"),
        ({"metrics": {}}, "no result"),
        ({"metrics": {"held_out_loss_after": 2.2, "n_held_out": 90}}, "different data"),
    ],
)
def test_only_like_is_compared_with_like(changed: dict[str, Any], why: str) -> None:
    one, other = sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27))

    found = comparison.of_runs([one, replace(other, **changed)])

    assert found.sentence == "These runs cannot be compared."
    assert found.advice == f"Not compared: “B” ({why})."


def test_a_setting_of_training_alone_makes_no_two_kinds_of_measure() -> None:
    one, other = sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27))

    found = comparison.of_runs([one, replace(other, config={"max_tokens": 512, "lora_rank": 64})])

    assert found.effect == Effect.BETTER


def test_changes_from_different_models_show_nothing_about_where_they_end() -> None:
    one, other = sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27))

    found = comparison.of_runs([one, replace(other, start=2)])

    assert "“B” (2.3) has no interval to tell by" in found.sentence
    assert found.effect == Effect.UNCLEAR


def test_few_rows_without_an_interval_are_too_few() -> None:
    found = comparison.of_runs([sft("A", 2.5, n=3), sft("B", 2.3, n=3)])

    assert "too few to tell for “B” (2.3)" in found.sentence


def test_those_that_can_be_compared_are_beside_one_that_cannot() -> None:
    runs = [sft("A", 2.5, (-0.12, -0.08)), sft("B", 2.3, (-0.33, -0.27)), reward("C", 0.7, 0.05)]

    found = comparison.of_runs(runs)

    assert "“B” is better" in found.sentence
    assert found.advice == "Not compared: “C” (another kind)."


def test_a_baseline_that_measured_nothing_is_named() -> None:
    found = comparison.of_runs([replace(sft("A", 2.5), metrics={}), sft("B", 2.3)])

    assert found.sentence == "Nothing was measured in “A” that runs are compared by."
