"""Diffs of two texts by words: nothing is lost, small changes stay small, and no pair of texts
takes long.
"""

import random
import re
from collections.abc import Callable
from difflib import Match, SequenceMatcher
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.desk.texts import word_diff
from labeling.desk.texts.word_diff import MOST_TOKENS, Piece

WORDS = 10_000
SHARED = ["a", "b", "the", "dough", " ", "\n", "\r\n", "\n\n", ",", ".", "\u2028", "é", "x1"]
texts = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from(SHARED), max_size=150).map("".join)
)


def both(pieces: list[Piece]) -> tuple[str, str]:
    """The slow twin: the two texts, put together again."""
    before = "".join(piece.text for piece in pieces if piece.kind != "added")
    after = "".join(piece.text for piece in pieces if piece.kind != "removed")
    return before, after


def test_only_the_words_that_changed_are_marked() -> None:
    found = word_diff.pieces(
        "Salt melts ice.\nSand does not.", "Salt melts thick ice.\nSand does not."
    )

    assert found == [
        Piece("same", "Salt melts "),
        Piece("added", "thick "),
        Piece("same", "ice.\nSand does not."),
    ]


def test_one_word_among_ten_thousand_is_found() -> None:
    before = "\n".join(f"the dough of day {number} rises" for number in range(WORDS // 6))
    after = before.replace("day 700 rises", "day 700 falls")

    found = word_diff.pieces(before, after)

    assert [piece for piece in found if piece.kind != "same"] == [
        Piece("removed", "rises"),
        Piece("added", "falls"),
    ]


def test_texts_that_share_nothing_are_replaced_whole() -> None:
    assert word_diff.pieces("yeast " * WORDS, "sugar\t" * WORDS) == [
        Piece("removed", "yeast " * WORDS),
        Piece("added", "sugar\t" * WORDS),
    ]


def test_above_the_most_tokens_what_both_begin_and_end_with_is_kept() -> None:
    middle = "a b\n" * MOST_TOKENS

    found = word_diff.pieces(f"One, {middle}. End", f"One, {middle[::-1]}. End")

    assert (found[0], found[-1]) == (Piece("same", "One,"), Piece("same", ". End"))
    assert [piece.kind for piece in found] == ["same", "removed", "added", "same"]


@given(before=texts, after=texts)
def test_what_is_kept_removed_and_added_makes_up_both_texts(before: str, after: str) -> None:
    found = word_diff.pieces(before, after)

    assert both(found) == (before, after)
    assert all(piece.text for piece in found)
    assert all(one.kind != other.kind for one, other in pairwise(found))


@given(text=texts)
def test_a_text_against_itself_is_one_piece(text: str) -> None:
    assert word_diff.pieces(text, text) == ([Piece("same", text)] if text else [])


def random_words(n_kinds: int) -> tuple[str, str]:
    draw = random.Random(n_kinds)
    one, other = (
        " ".join(f"w{draw.randrange(n_kinds)}" for _word in range(WORDS)) for _text in range(2)
    )
    return one, other


def gaps(width: int) -> tuple[str, str]:
    """Fixed points with gaps between them on which difflib takes longest: one token against that
    token and another by turns.
    """
    n = 2 * WORDS // width
    return (
        "".join(f"q{number}" + "!" * (width - 1) for number in range(n)),
        "".join(f"q{number}" + ("!?" * width)[: width - 1] for number in range(n)),
    )


@pytest.mark.parametrize(
    "pair",
    [
        lambda: random_words(10**9),
        lambda: random_words(2),
        lambda: random_words(1_000),
        lambda: random_words(WORDS),
        lambda: ("a " * WORDS, "a " * (WORDS - 37)),
        lambda: ("a b " * (WORDS // 2), "b a " * (WORDS // 2)),
        lambda: ("a\nb\n" * (WORDS // 2), "b\na\n" * (WORDS // 2)),
        lambda: (
            "".join(f"k{n}\nx\n" for n in range(WORDS // 2)),
            "".join(f"k{n}\ny {n}\n" for n in range(WORDS // 2)),
        ),
        lambda: ("a b\n" * 250_000, "b a\n" * 250_000),
        lambda: gaps(4),
        lambda: gaps(20),
        lambda: gaps(40),
        lambda: gaps(200),
    ],
    ids=[
        "all words different",
        "two words at random",
        "a thousand words at random",
        "ten thousand words at random",
        "one repeated word",
        "ten thousand alternations",
        "alternating lines",
        "every second line changed",
        "a megabyte",
        "gaps of 4",
        "gaps of 20",
        "gaps of 40",
        "gaps of 200",
    ],
)
def test_no_pair_of_ten_thousand_words_takes_more_steps_than_its_tokens_allow(
    pair: Callable[[], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = pair()
    taken: list[int] = []

    class Counted(SequenceMatcher[str]):
        """Counts what difflib goes over: for each stretch that it looks for, every pair of equal
        tokens in it.
        """

        def find_longest_match(
            self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
        ) -> Match:
            mine: Any = self  # its places and texts are not in typeshed
            taken.append(sum(len(mine.b2j.get(token, ())) for token in mine.a[alo:ahi]))
            return super().find_longest_match(alo, ahi, blo, bhi)

    monkeypatch.setattr(word_diff, "SequenceMatcher", Counted)

    assert both(word_diff.pieces(before, after)) == (before, after)
    n_tokens = sum(len(re.findall(r"\s+|\w+|[^\w\s]", text)) for text in (before, after))
    assert sum(taken) <= word_diff.STEPS * n_tokens
