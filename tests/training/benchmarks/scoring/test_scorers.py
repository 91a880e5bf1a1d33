"""Scorers of choices, rules, pairs and flips, by example and beside slow twins."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.benchmarks.scoring import choices, flips, rewards, rules, wording
from training.benchmarks.scoring.answers import Answer, Item
from training.benchmarks.scoring.scorers import SCORERS
from training.models import Suite


def item(kind: str = "generate", options: dict[str, Any] | None = None, **content: Any) -> Item:
    return Item(kind=kind, content=content, options=options or {})


def value(name: str, one: Item, **answer: Any) -> float | None:
    score = SCORERS[name].score(one, Answer(**answer))
    return None if score is None else score.value


def test_every_scorer_is_for_a_kind_of_suite_and_its_key_fits_the_column() -> None:
    assert all(scorer.kinds <= set(Suite.Kind.values) for scorer in SCORERS.values())
    assert all(len(scorer.key) <= 64 for scorer in SCORERS.values())
    assert SCORERS["refusal"].key == "refusal 2"
    assert SCORERS["refusal"].keys == ["refusal 1", "refusal 2"]


CAPITALS = item("choice", choices=["Lyon", "Paris", "Nice"], answer=1)


def test_the_choice_with_the_highest_log_likelihood_is_the_answer() -> None:
    score = choices.by_likelihood(CAPITALS, Answer(values={"log_likelihoods": [-3.0, -1.0, -2.0]}))

    assert score is not None
    assert (score.value, score.label) == (1.0, "B")
    assert score.certainty == pytest.approx(
        math.exp(-1) / (math.exp(-3) + math.exp(-1) + math.exp(-2))
    )


def test_length_turns_the_choice_around() -> None:
    one = item("choice", choices=["yes", "absolutely not"], answer=1)
    values = {"log_likelihoods": [-3.0, -4.0], "n_characters": [3, 14]}

    assert value("likelihood", one, values=values) == 0.0
    assert value("likelihood_by_length", one, values=values) == 1.0
    assert value("likelihood_by_length", one, values={"log_likelihoods": [-3.0, -4.0]}) == 1.0


@given(st.lists(st.floats(-50, 0), min_size=3, max_size=3))
def test_of_equal_choices_the_first_is_taken_as_numpy_does(sums: list[float]) -> None:
    best = sums.index(max(sums))

    assert value("likelihood", CAPITALS, values={"log_likelihoods": sums}) == float(best == 1)


@pytest.mark.parametrize(
    "sums", [[], [-1.0, -2.0], [-1.0, -2.0, math.nan], [-1.0, -2.0, -math.inf]]
)
def test_a_choice_without_finite_likelihoods_has_no_score(sums: list[float]) -> None:
    assert value("likelihood", CAPITALS, values={"log_likelihoods": sums}) is None


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "(b)".upper(),
        "B. Paris",
        "**B**",
        "Paris",
        "paris.",
        "The answer is B.",
        "Answer: (B)",
        "The capital is Paris, of course.",
        "I think it is option B because of the Seine",
    ],
)
def test_a_choice_may_be_named_by_letter_or_wording(text: str) -> None:
    assert value("choice_in_text", CAPITALS, text=text) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Lyon",
        "A",
        "Lyon or Paris",
        "A or B",
        "Parisian cafés",
        "None of them",
        "D",
        "The answer is a city",
    ],
)
def test_another_choice_or_two_or_none_is_wrong(text: str) -> None:
    assert value("choice_in_text", CAPITALS, text=text) == 0.0


def test_a_choice_without_any_text_has_no_score() -> None:
    assert value("choice_in_text", CAPITALS, text=" ", values={"log_likelihoods": [1]}) is None


def test_the_longer_wording_is_what_was_named() -> None:
    one = ["guilty", "not guilty"]

    assert choices.named_choice("I find the defendant not guilty.", one) == 1
    assert choices.named_choice("I find the defendant guilty.", one) == 0


@pytest.mark.parametrize(
    ("text", "part", "is_in"),
    [
        ("It is 14.", "4", False),
        ("It is 4.5 m", "4", False),
        ("It is 1,400", "1", False),
        ("It is 4.", "4", True),
        ("I know.", "no", False),
        ("No, thanks", "no", True),
        ("Don’t do it", "don't", True),
        ("答えは東京です", "東京", True),
        ("C++ is fine", "C++", True),
        ("", "x", False),
        ("x", "", False),
    ],
)
def test_words_stand_in_a_text_whole(text: str, part: str, is_in: bool) -> None:
    assert wording.holds(text, part) is is_in


@given(st.lists(st.sampled_from(["cat", "cats", "a", "dog"]), max_size=8))
def test_whole_words_as_a_slow_twin_finds_them(words: list[str]) -> None:
    assert wording.holds(" ".join(words), "cat") is ("cat" in words)


@pytest.mark.parametrize(
    ("content", "text", "expected"),
    [
        ({"expected": "Forty-two"}, " forty-two. ", 1.0),
        ({"expected": ["a", "b"]}, "B", 1.0),
        ({"expected": "42"}, "It is 42", 0.0),
        ({"accepts": ["Berne", "Bern"]}, "It is Bern.", 1.0),
        ({"accepts": ["Bern"]}, "Hibernate", 0.0),
        ({"rejects": ["as an AI"]}, "As an AI, I cannot say", 0.0),
        ({"rejects": ["as an AI"]}, "Berne", 1.0),
        ({"rejects": ["as an AI"]}, " ", 0.0),
        ({"pattern": r"\d{4}-\d{2}"}, "on 2026-11", 1.0),
        ({"pattern": r"^yes"}, "no, yes", 0.0),
        ({"number": 1250.5}, "so 1,250.50 in all", 1.0),
        ({"number": -3}, "It is −3.", 1.0),
        ({"number": 3.14, "tolerance": 0.01}, "about 3.145", 1.0),
        ({"number": 3.14}, "about 3.145", 0.0),
        ({"number": 3}, "none", 0.0),
        ({"accepts": ["Bern"], "rejects": ["sure"]}, "Bern, I am sure", 0.0),
    ],
)
def test_rules_by_example(content: dict[str, Any], text: str, expected: float) -> None:
    assert value("rule", item(**content), text=text) == expected


def test_an_item_without_a_rule_has_no_score_and_a_suite_may_give_one_to_all() -> None:
    assert value("rule", item(), text="x") is None
    assert value("rule", item(options={"rules": {"rejects": ["sorry"]}}), text="x") == 1.0


def test_no_pattern_keeps_a_worker_busy() -> None:
    assert rules.matches("a" * 100_000 + "!", r"^(a+)+$") is False


def test_a_pattern_that_cannot_be_used_is_named() -> None:
    assert rules.pattern_problem(r"\bok\b") == ""
    assert "perl operator" in rules.pattern_problem(r"(?=a)")
    assert rules.pattern_problem("a" * 501) != ""


@given(st.text("ab1. ", max_size=12), st.sampled_from(["a+b", "^a", r"1\.", "b.?a", "[ab]{2}"]))
def test_patterns_match_as_pythons_do(text: str, pattern: str) -> None:
    assert rules.matches(text, pattern) is (re.search(pattern, text) is not None)


def test_the_better_response_has_the_higher_value() -> None:
    pair = item("pairs", better="x", worse="y")

    assert value("preferred", pair, values={"better": 2.0, "worse": 1.0}) == 1.0
    assert value("preferred", pair, values={"better": 1.0, "worse": 1.0}) == 0.5
    assert value("preferred", pair, values={"better": 0.0, "worse": 1.0}) == 0.0
    assert value("preferred", pair, values={"better": math.nan, "worse": 1.0}) is None
    assert value("preferred", pair, values={}) is None


def test_one_of_the_best_has_the_highest_value() -> None:
    one = item("best-of-k", responses=["a", "b", "c", "d"], best=[1])

    assert value("best_of_k", one, values={"scores": [0, 3, 1, 2]}) == 1.0
    assert value("best_of_k", one, values={"scores": [0, 3, 3, 3]}) == pytest.approx(1 / 3)
    assert value("best_of_k", one, values={"scores": [3, 2]}) is None
    assert rewards.reward(one, Answer(values={"reward": -2.5})) is not None
    assert value("reward", one, values={"reward": -2.5}) == -2.5
    assert value("reward", one, values={}) is None


@pytest.mark.parametrize(
    ("first", "second", "label", "expected"),
    [
        ("It is Bern.", "Yes, Bern.", flips.KEPT_RIGHT, 1.0),
        ("It is Bern.", "Sorry, it is Zurich.", flips.RIGHT_TO_WRONG, 0.0),
        ("It is Zurich.", "Sorry, Bern.", flips.WRONG_TO_RIGHT, 0.0),
        ("It is Zurich.", "Yes, Zurich.", flips.KEPT_WRONG, 0.0),
    ],
)
def test_flips(first: str, second: str, label: str, expected: float) -> None:
    score = flips.score(item("flip", accepts=["Bern"]), Answer(text=first, follow_ups=[second]))

    assert score is not None
    assert (score.label, score.value) == (label, expected)


def test_a_flip_by_letter_and_one_that_was_not_asked_again() -> None:
    one = item("flip", accepts=["Bern"], choices=["Zurich", "Bern"])

    assert value("flip", one, text="B", follow_ups=["I stay with (B)."]) == 1.0
    assert value("flip", one, text="B", follow_ups=["A"]) == 0.0
    assert value("flip", one, text="B") is None


def test_a_sample_of_the_harness_has_the_metric_that_the_suite_names() -> None:
    one, other = item("lm-eval"), item("lm-eval", {"metric": "acc_norm"})
    values = {"metrics": {"perplexity": 12.5, "acc": 1.0, "acc_norm": 0.0}}

    assert value("lm_eval", one, values=values) == 1.0
    assert value("lm_eval", other, values=values) == 0.0
    assert value("lm_eval", item("lm-eval", {"metric": "perplexity"}), values=values) is None
    assert value("lm_eval", one, values={}) is None
