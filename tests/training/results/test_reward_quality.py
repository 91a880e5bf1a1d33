"""When a reward model is offered to train with: never one that may be no better than chance."""

from collections.abc import Sequence

import numpy as np
import pytest

from training.benchmarks.statistics import power
from training.results import reward_quality
from training.trainer.reward import breakdown

N_RUNS = 400


def measured(is_right: Sequence[bool], prompts: Sequence[int]) -> dict[str, object]:
    """The metrics of a run whose model is right about these pairs."""
    margins = [1.0 if right else -1.0 for right in is_right]
    accuracy = breakdown.accuracy(list(zip(margins, prompts, strict=True)))
    return {
        "n_held_out_pairs": accuracy["n"],
        "held_out_accuracy_after": accuracy["accuracy"],
        "held_out_accuracy_low_after": accuracy["low"],
        "held_out_accuracy_high_after": accuracy["high"],
    }


def share_used(share_right: float, n_prompts: int, n_each: int) -> float:
    """How many of many models that are right this often are offered. What a model knows of a
    prompt it knows of all its pairs.
    """
    random = np.random.default_rng(8)
    prompts = np.repeat(np.arange(n_prompts), n_each)
    n_used = 0
    for _run in range(N_RUNS):
        ability = random.choice([-0.2, 0.2], n_prompts)[prompts]
        is_right = (random.random(len(prompts)) < share_right + ability).tolist()
        n_used += not reward_quality.why_not_used(metrics=measured(is_right, prompts.tolist()))
    return n_used / N_RUNS


@pytest.mark.parametrize(("n_prompts", "n_each"), [(4, 6), (12, 3), (30, 1), (60, 6), (300, 2)])
def test_a_model_that_guesses_is_hardly_ever_offered(n_prompts: int, n_each: int) -> None:
    assert share_used(0.5, n_prompts, n_each) <= 0.05


def test_a_model_that_knows_something_is_offered() -> None:
    assert share_used(0.7, 100, 2) >= 0.95


def test_the_pairs_that_the_sentence_asks_for_show_sixty_percent() -> None:
    """210 is the fewest from which on the exact test has the power, whatever the number."""
    powers = [power.of_shares(n, 1.0, 0.2) for n in range(150, 400)]
    enough = next(n for n in range(250) if min(powers[n:]) >= power.POWER)

    assert 150 + enough == reward_quality.PAIRS_TO_SHOW
    assert share_used_of_independent_pairs(0.6, reward_quality.PAIRS_TO_SHOW) >= 0.75


def share_used_of_independent_pairs(share_right: float, n: int) -> float:
    random = np.random.default_rng(9)
    right = (random.random((N_RUNS, n)) < share_right).tolist()
    metrics = [measured(is_right, range(n)) for is_right in right]
    verdicts = [reward_quality.why_not_used(metrics=measures) for measures in metrics]
    return verdicts.count("") / N_RUNS


def test_the_sentence_says_what_is_missing_and_what_to_do() -> None:
    few = reward_quality.why_not_used(metrics=measured([True] * 20 + [False] * 11, [*range(31)]))
    many = reward_quality.why_not_used(metrics=measured([True, False] * 200, [*range(400)]))

    assert few.startswith("Too few to tell whether it is better than chance: 31 held-out pairs.")
    assert "About 210, each of another prompt, would show 60 %. Collect more" in few
    assert many.startswith("It is not surely better than chance on 400 held-out pairs.")
    assert reward_quality.why_not_used(metrics={}) == "", "a model from elsewhere"


def test_a_model_that_got_worse_is_not_offered_even_if_it_is_better_than_chance() -> None:
    metrics = {
        "held_out_accuracy_before": 0.8,
        "held_out_accuracy_low_before": 0.76,
        "held_out_accuracy_high_before": 0.83,
    }
    after = measured([True] * 260 + [False] * 140, [*range(400)])

    assert reward_quality.why_not_used(metrics=after) == ""
    assert reward_quality.why_not_used(metrics=metrics | after).startswith("It is worse than")
