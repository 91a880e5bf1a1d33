"""The sentences of flags, from what a report stores."""

import pytest
from django.utils import translation

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
