"""Writers who paste most of their text, and writers who hand in the same texts."""

import random

from arithmetic.bias.writing import SameTexts, pasting, same_texts

LONG = (
    "Water boils at 100 degrees at sea level; on a mountain it boils earlier, so eggs take longer."
)


def test_half_of_the_writers_may_paste_and_are_found() -> None:
    """The four who paste least have a median of 0.03, and 0.9 is far above it."""
    shares = dict(enumerate([0.0, 0.02, 0.04, 0.1, 0.9, 0.95, 0.97, 1.0]))

    assert pasting(shares) == {4, 5, 6, 7}


def test_one_of_four_who_pastes_is_found() -> None:
    assert pasting({1: 0.0, 2: 0.1, 3: 0.05, 4: 0.8}) == {4}


def test_nobody_is_marked_where_all_paste() -> None:
    assert pasting(dict(enumerate([0.9, 0.95, 1.0, 0.92, 0.97]))) == set()


def test_the_pasting_are_those_a_slow_twin_marks() -> None:
    chance = random.Random(4)
    for _ in range(200):
        values = [chance.random() for _ in range(chance.randint(3, 9))]
        lower = sorted(values)[: (len(values) + 1) // 2]
        middle = (lower[(len(lower) - 1) // 2] + lower[len(lower) // 2]) / 2
        marked = {
            place
            for place, value in enumerate(values)
            if value >= 0.5 and value - middle >= 0.3 - 1e-12
        }

        assert pasting(dict(enumerate(values))) == marked


def test_writers_with_the_same_texts_are_found() -> None:
    """Two of three shared prompts; case, spaces and punctuation do not count."""
    texts = [
        (1, 10, LONG),
        (2, 10, f"  {LONG.upper()}!"),
        (1, 11, LONG + " Yes."),
        (2, 11, LONG + " yes"),
        (1, 12, LONG),
        (2, 12, "Something else that is long enough to count as a text of one's own, for once."),
        (3, 10, LONG + " Mine."),
    ]

    assert same_texts(texts) == {1: SameTexts(2, 2, 3), 2: SameTexts(1, 2, 3)}


def test_short_answers_may_be_the_same() -> None:
    texts = [(writer, prompt, "Paris.") for writer in (1, 2) for prompt in range(9)]

    assert same_texts(texts) == {}


def test_one_equal_text_marks_nobody() -> None:
    assert same_texts([(1, 10, LONG), (2, 10, LONG), (1, 11, LONG), (2, 12, LONG)]) == {}
