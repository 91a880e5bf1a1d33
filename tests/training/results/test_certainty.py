"""How sure a reward model may be, in words."""

import math
from typing import Any

import pytest
from django.utils import translation

from training.models import TrainedModel
from training.results.certainty import Certainty, certainty, likely_better


def measured(verdict: str, **more: object) -> Certainty:
    counts = {"n": 64, "n_prompts": 9, "n_enough": 1000}
    figures = {
        "ece_after": 0.0312,
        "ece_by_chance": 0.021,
        "least_sure": {"n": 81, "accuracy": 0.54, "low": 0.43, "high": 0.65},
        "most_sure": {"n": 81, "accuracy": 0.83, "low": None, "high": None},
    }
    is_few = verdict.startswith("too_few")
    metrics: dict[str, Any] = {
        "certainty": counts | ({} if is_few else figures) | {"verdict": verdict}
    }
    metrics |= {} if is_few else {"temperature": 1.834, "calibration_error": 0.0312}
    found = certainty(metrics=metrics | more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (
            "too_few_pairs",
            "Too few held-out pairs to tell how well it is calibrated: 64. About 1,000 would be"
            " enough.",
        ),
        (
            "too_few_prompts",
            "Too few held-out prompts to tell how well it is calibrated: 9. It takes ten at least.",
        ),
        (
            "chance",
            "On 64 held-out pairs it is not surely better than chance, so its probabilities say"
            " nothing.",
        ),
        (
            "calibrated",
            "Well calibrated: with a temperature of 1.83 its probabilities are 3.1 points off on"
            " average, on held-out prompts that the temperature was not fitted on (64 pairs).",
        ),
        (
            "off",
            "Not well calibrated: even with a temperature of 1.83 its probabilities are 3.1 points"
            " off on average, on held-out prompts that the temperature was not fitted on (64"
            " pairs; chance alone makes 2.1).",
        ),
    ],
)
def test_each_verdict_is_a_sentence(verdict: str, words: str) -> None:
    assert measured(verdict).verdict == words


def test_the_least_and_the_most_sure_tenth_are_one_sentence_and_a_table() -> None:
    found = measured("calibrated")

    assert found.sureness == (
        "On the tenth of pairs where it is least sure it is right in 54 % (43–65 %), where it is"
        " most sure in 83 % (too few prompts)."
    )
    (table,) = found.breakdowns
    assert [(str(group.name), group.n, group.accuracy) for group in table.groups] == [
        ("The tenth where it is least sure", 81, "54 %"),
        ("The tenth where it is most sure", 81, "83 %"),
    ]


def test_with_too_few_pairs_there_is_no_tenth() -> None:
    found = measured("too_few_pairs")

    assert (found.sureness, found.breakdowns, found.says_nothing) == ("", [], True)


def test_kinds_of_strange_pairs_without_a_row_have_a_reason() -> None:
    found = measured(
        "calibrated",
        strangeness_left_out=[
            {"group": "seen_prompt", "why": "none", "n": 0},
            {"group": "new_model", "why": "no_source", "n": 0},
            {"group": "longer", "why": "too_few", "n": 1},
        ],
    )

    assert found.left_out == [
        "Prompts that it learned from: no held-out pair is of this kind.",
        "With a response by a new model: the snapshot does not say who wrote each response. Create"
        " it again to see this row.",
        "With a longer answer than nine in ten that it learned from: 1 held-out pair, too few to"
        " tell.",
    ]


def test_a_run_from_before_says_nothing() -> None:
    assert certainty(metrics={"calibration": [], "accuracy_by": {}}) is None


def test_the_sentences_are_in_german_for_germans() -> None:
    with translation.override("de"):
        found = measured("too_few_pairs")

    assert "Zu wenige" in found.verdict


@pytest.mark.parametrize(
    ("margin", "temperature", "words"),
    [
        (2.0, 2 / math.log(73 / 27), "73 %"),
        (-2.0, 2 / math.log(73 / 27), "27 %"),
        (0.0, 1.0, "50 %"),
        (9.0, 1.0, "> 99 %"),
        (-math.inf, 1.0, "< 1 %"),
        (math.nan, 1.0, ""),
        (1.0, None, ""),
    ],
)
def test_a_margin_is_shown_as_a_probability(
    margin: float, temperature: float | None, words: str
) -> None:
    scorer = TrainedModel(metrics={"temperature": temperature} if temperature else {})

    assert likely_better(scorer=scorer, margin=margin) == words
    assert likely_better(scorer=None, margin=margin) == ""
