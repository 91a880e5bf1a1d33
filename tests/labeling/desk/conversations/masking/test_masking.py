"""Names that a model gives itself are hidden, and nothing else is."""

import time

import pytest

from labeling.desk.texts.masking import MASK, masked
from tests.labeling.desk.conversations.masking.naming_abroad import (
    N_USED,
    OF_OTHERS_ABROAD,
    SELF_NAMING_ABROAD,
)
from tests.labeling.desk.conversations.masking.self_naming import OF_OTHERS, SELF_NAMING


@pytest.mark.parametrize("case", SELF_NAMING, ids=lambda case: str(case[1]))
def test_a_model_that_names_itself_is_not_named_on_the_page(case: tuple[str, ...]) -> None:
    text, *names = case

    shown = masked(text, source="demo-model-7")

    assert MASK in shown
    assert [name for name in names if name in shown] == []


@pytest.mark.parametrize("text", OF_OTHERS)
def test_a_text_about_something_else_is_shown_as_it_is(text: str) -> None:
    assert masked(text, source="demo-model-7") == text


def test_at_least_fifty_self_naming_answers_and_a_hundred_others_are_known() -> None:
    assert len(SELF_NAMING) >= 50
    assert len(OF_OTHERS) >= 100


def test_who_has_named_itself_is_not_named_later_either() -> None:
    text = "I am Qwen.\n\nAlibaba released it. Qwen can write code. Baidu is another company."

    assert masked(text) == (
        f"I am {MASK}.\n\n{MASK} released it. {MASK} can write code. Baidu is another company."
    )


@pytest.mark.parametrize(
    "text",
    [
        "I am " * 4_000,
        "my my " * 3_300,
        "\n" * 20_000,
        '"' * 20_000,
        "Qwen-" * 4_000,
        "I, " * 6_600,
    ],
    ids=lambda text: text[:5].strip() or "lines",
)
def test_the_longest_answer_takes_no_time_whatever_is_repeated_in_it(text: str) -> None:
    """Measured in processor time: 0.1 to 0.7 s, and minutes where a pattern backtracks."""
    begun = time.process_time()

    masked(text)

    assert time.process_time() - begun < 10


def test_nothing_of_a_long_answer_is_lost() -> None:
    text = ("word " * 500 + "\n") * 8

    assert masked(text) == text


def test_only_the_names_are_hidden() -> None:
    text = "I am Qwen, an assistant by Alibaba.\n\n2 + 2 is **4**."

    assert masked(text) == f"I am {MASK}, an assistant by {MASK}.\n\n2 + 2 is **4**."


def leaks(cases: tuple[tuple[str, ...], ...]) -> list[str]:
    shown = [(masked(text, source="demo-model-7"), names) for _language, text, *names in cases]
    return [text for text, names in shown if MASK not in text or any(n in text for n in names)]


def test_a_model_that_names_itself_in_any_language_is_not_named() -> None:
    assert leaks(SELF_NAMING_ABROAD[:N_USED]) == []
    # What docs/admins.md says of sentences that no rule was made with: 5 of 48.
    assert len(leaks(SELF_NAMING_ABROAD[N_USED:])) <= 5


def test_the_sentences_are_many_and_of_many_languages() -> None:
    assert len(SELF_NAMING_ABROAD) >= 60
    assert len({case[0] for case in SELF_NAMING_ABROAD}) >= 15
    assert len(OF_OTHERS_ABROAD) >= 40


@pytest.mark.parametrize("text", OF_OTHERS_ABROAD)
def test_a_text_about_something_else_in_any_language_is_shown_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_names_of_any_source_are_hidden_wherever_they_stand() -> None:
    text = "Rosie-7B is what I am. Ask rosie-7b, not Rosie-70B."

    assert masked(text, names=["Rosie-7B"]) == f"{MASK} is what I am. Ask {MASK}, not Rosie-70B."


@pytest.mark.parametrize(
    "text",
    [
        "我是" * 25_000,
        "Ik ben Claude gemaakt door Anthropic. " * 1_300,
        "я создан моделью " * 3_000,
        "a" * 50_000,
        "ben ben " * 6_000,
    ],
    ids=lambda text: text[:8],
)
def test_fifty_kilobytes_in_any_language_take_no_time(text: str) -> None:
    begun = time.process_time()

    masked(text, names=["Rosie-7B"])

    assert time.process_time() - begun < 10
