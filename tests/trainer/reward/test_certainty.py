"""How sure a reward model may be, on simulated judges whose truth is known."""

from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

from benchmarks import certainty as benchmark
from training.trainer.reward import certainty

Pairs = tuple[list[float], list[int]]


def calibrated(rng: Generator, n: int, of_prompt: int = 1, factor: float = 1.0) -> Pairs:
    """Margins that are `factor` times too large."""
    sure = np.abs(rng.normal(0, 1.2, n))
    is_right = rng.random(n) < 1 / (1 + np.exp(-sure))
    return (factor * np.where(is_right, sure, -sure)).tolist(), (np.arange(n) // of_prompt).tolist()


def guessing(rng: Generator, n: int, of_prompt: int) -> Pairs:
    """The answers have nothing to do with the margins."""
    return rng.normal(0, 1.2, n).tolist(), (np.arange(n) // of_prompt).tolist()


def certainty_of(pairs: Pairs) -> dict[str, Any]:
    found: Any = certainty.metrics(*pairs)["certainty"]
    return dict(found)


def test_below_a_hundred_pairs_nothing_is_called_calibrated() -> None:
    rng = np.random.default_rng(1)

    found = [certainty.metrics(*calibrated(rng, n)) for n in range(1, 100)]

    assert {str(one["certainty"]["verdict"]) for one in found} == {"too_few_pairs"}  # type: ignore[index]
    assert not any("temperature" in one or "calibration_error" in one for one in found)


def test_pairs_of_nine_prompts_are_too_few() -> None:
    margins, prompts = calibrated(np.random.default_rng(2), 900, of_prompt=100)

    assert certainty_of((margins, prompts))["verdict"] == "too_few_prompts"


def test_no_pair_says_nothing() -> None:
    assert certainty.metrics([], []) == {}


@pytest.mark.slow
@pytest.mark.parametrize("of_prompt", [1, 5])
@pytest.mark.parametrize("n", [100, 300, 1000])
def test_a_judge_who_guesses_is_hardly_ever_called_calibrated_or_better_than_chance(
    n: int, of_prompt: int
) -> None:
    rng = np.random.default_rng(3)

    verdicts = [certainty_of(guessing(rng, n, of_prompt))["verdict"] for _draw in range(200)]

    assert verdicts.count("calibrated") <= 10
    assert verdicts.count("chance") >= 190


@pytest.mark.parametrize("n", [100, 300, 1000])
def test_a_judge_whose_sureness_says_nothing_is_hardly_ever_called_calibrated(n: int) -> None:
    rng = np.random.default_rng(4)
    verdicts = []
    for _draw in range(100):
        sure = np.abs(rng.normal(0, 2, n))
        margins = np.where(rng.random(n) < 0.7, sure, -sure)
        verdicts.append(certainty_of((margins.tolist(), list(range(n))))["verdict"])

    assert verdicts.count("calibrated") <= 5
    assert n < 1000 or verdicts.count("off") >= 95


def test_a_thousand_pairs_of_a_calibrated_judge_are_enough_at_any_temperature() -> None:
    rng = np.random.default_rng(5)

    found = [certainty.metrics(*calibrated(rng, 1000, 4, factor=3.0)) for _draw in range(100)]

    verdicts = [one["certainty"]["verdict"] for one in found]  # type: ignore[index]
    assert verdicts.count("calibrated") >= 90
    assert np.mean([float(str(one["temperature"])) for one in found]) == pytest.approx(3, rel=0.05)
    assert np.mean([float(str(one["calibration_error"])) for one in found]) < certainty.GOOD


def test_as_many_pairs_as_it_asks_for_are_enough() -> None:
    rng = np.random.default_rng(6)
    few = [certainty_of(calibrated(rng, 250)) for _draw in range(20)]

    n = int(np.median([one["n_enough"] for one in few]))
    verdicts = [certainty_of(calibrated(rng, n))["verdict"] for _draw in range(100)]

    assert {one["verdict"] for one in few} <= {"too_few_pairs", "off"}
    assert n > 250
    assert verdicts.count("calibrated") >= 90


@pytest.mark.slow
@pytest.mark.parametrize("of_prompt", [1, 3])
@pytest.mark.parametrize("which", ["least_sure", "most_sure"])
def test_the_intervals_of_the_least_and_the_most_sure_tenth_cover(
    which: str, of_prompt: int
) -> None:
    rng = np.random.default_rng(7)
    n, covered = 600, []
    for _draw in range(300):
        # Pairs of one prompt share how hard it is.
        sure = np.abs(rng.normal(0, 1.2, n))
        hard = rng.normal(0, 0.5, n)[np.arange(n) // of_prompt]
        right = 1 / (1 + np.exp(-(sure + hard)))
        margins = np.where(rng.random(n) < right, sure, -sure)
        found = certainty_of((margins.tolist(), (np.arange(n) // of_prompt).tolist()))[which]
        order = np.argsort(sure, kind="stable")
        truth = right[order[:60] if which == "least_sure" else order[-60:]].mean()
        covered.append(found["low"] <= truth <= found["high"])

    assert np.mean(covered) >= 0.94


def test_the_least_sure_tenth_is_that_with_the_smallest_margins() -> None:
    margins = [0.01 if n % 10 == 0 else 2.0 for n in range(200)]
    margins[0] = -0.01
    margins[11] = -9.0

    found = certainty_of((margins, list(range(200))))

    assert (found["least_sure"]["n"], found["least_sure"]["accuracy"]) == (20, 0.95)
    assert (found["most_sure"]["n"], found["most_sure"]["accuracy"]) == (20, 0.95)


def test_the_benchmarks_auroc_is_the_share_of_ordered_pairs() -> None:
    # Right with 3 and 1, wrong with 2 and .5: of four comparisons, only 1 against 2 is not larger.
    assert benchmark.auroc(np.array([3.0, 1.0, -2.0, -0.5])) == 0.75


def test_the_benchmarks_folds_hold_each_prompt_out_once_and_learn_from_no_new_model() -> None:
    pairs = [
        benchmark.Pair(str(n % 10), "", ("a", "b"), (f"m{n % 7}", f"m{(n + 1) % 7}"))
        for n in range(140)
    ]
    n_new = [0] * len(pairs)
    for split in benchmark.splits(pairs, 5):
        learned = [
            pair for pair, is_learned in zip(pairs, split.learned, strict=True) if is_learned
        ]
        prompts = {pair.prompt for pair in learned}
        for at, pair in enumerate(pairs):
            n_new[at] += pair.prompt not in prompts
        models = {source for pair in learned for source in pair.sources}
        assert len(models) < 7

    assert n_new == [1] * len(pairs)
