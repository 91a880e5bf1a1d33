"""The sentences of flags, from what a report stores."""

import pytest
from django.utils import translation

from labeling.quality.pages import taste_words
from labeling.quality.pages.flag_words import LABELS, FlagRow

STORED = {"value": 0.42, "usual": -0.1, "n": 80, "other": None, "colleague": ""}
COPY = {"kind": "copy", "other": 7, "colleague": "Rosa"}


@pytest.mark.parametrize("kind", sorted(LABELS))
def test_each_kind_has_a_german_sentence(kind: str) -> None:
    flag = FlagRow(STORED | {"kind": kind, "is_later": 0.0, "minutes": 60.0, "limit": 60.0})

    english = flag.sentence
    with translation.override("de"):
        german = flag.sentence

    assert german
    assert german != english


@pytest.mark.parametrize(
    ("is_later", "words"), [(1.0, "answering after them"), (0.0, "Sometimes one answered first")]
)
def test_a_copy_names_the_colleague_and_who_was_first(is_later: float, words: str) -> None:
    sentence = FlagRow(STORED | COPY | {"is_later": is_later}).sentence

    assert sentence.startswith("Ranks like Rosa in 42 % of 80 shared items")
    assert words in sentence


def test_a_share_below_zero_is_shown_as_zero() -> None:
    assert "0 % is usual here" in FlagRow(STORED | {"kind": "first"}).sentence


def test_a_flag_stored_without_numbers_has_a_label_only() -> None:
    flag = FlagRow({"kind": "first", "words": {"n": "80"}, "other": None, "n": 80})

    assert (str(flag.label), flag.sentence) == ("Position bias", "")


@pytest.mark.parametrize(
    ("by_luck", "words"),
    [
        (0.0004, "About 1 in 2,500 honest raters would look like this by luck."),
        (1e-9, "Fewer than 1 in 10,000 honest raters would look like this by luck."),
        (None, "This is a fixed limit, not a test against chance."),
    ],
)
def test_a_flag_says_how_often_it_is_a_false_alarm(by_luck: float | None, words: str) -> None:
    assert FlagRow(STORED | {"kind": "chance", "by_luck": by_luck}).false_alarm == words


def test_a_group_with_its_own_taste_is_described() -> None:
    taste = {
        "number": 1,
        "n_raters": 12,
        "within": {"value": 0.71, "n": 900},
        "outside": {"value": 0.52, "n": 4_000},
        "repeats": {"value": 0.8, "n": 30},
    }

    assert taste_words.sentence(taste) == (
        "12 raters agree with each other in 71 % of pairs, and with everyone else in 52 %."
        " Shown a pair again, they chose the same in 80 % of 30 cases."
    )
