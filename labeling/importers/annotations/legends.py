"""What the values of a winner's column mean: the left or the right response, a tie, no vote."""

import re
from collections.abc import Collection, Mapping

Legend = Mapping[str, str]
"""Value in the file, in lower case → meaning."""

FIRST, SECOND, TIE, ALL_BAD, SKIP = "first", "second", "tie", "all_bad", "skip"
MEANINGS = (FIRST, SECOND, TIE, ALL_BAD, SKIP)

_THINGS = (
    *("", "model", "response", "answer", "assistant", "option", "output", "system", "text"),
    *("completion", "summary", "translation", "candidate", "reply", "chatbot", "generation"),
)
_LEFT, _RIGHT = ("a", "x", "left", "first", "one"), ("b", "y", "right", "second", "two")
_TIES = {
    *("tie", "tied", "equal", "equallygood", "same", "draw", "bothgood", "tiebothgood"),
    *("nopreference", "neutral", "aboutthesame", "similar", "even", "neitherisbetter"),
    *("equalquality", "bothequal", "thesame", "nodifference", "ties"),
}
_BAD = {"bothbad", "tiebothbad", "neither", "allbad", "botharebad", "noneofthem", "bad"}
_SKIPS = {"", "skip", "skipped", "unsure", "notsure", "na", "nan", "null", "invalid", "dontknow"}
_MORE = re.compile(r"^(?P<one>.+?)\s*(?P<sign>>+|<+)\s*(?P<other>.+)$")


_IS_BETTER = re.compile(
    r"(?:is)?(?:a(?:little)?bit|much|slightly|significantly|clearly|negligibly|marginally|far)?better$"
)
_DEGREES = (
    (4, re.compile(r"\b(?:much|significantly|far) better\b|>>|<<")),
    (2, re.compile(r"\b(?:slightly|marginally|a (?:little )?bit) better\b")),
    (1, re.compile(r"\bnegligibly better\b")),
)


def strength_of(value: str) -> int | None:
    """How much better one is, where the words say it: from 1 (negligible) to 4 (significant)."""
    text = folded(value).replace("_", " ")
    return next((strength for strength, words in _DEGREES if words.search(text)), None)


def folded(value: str) -> str:
    return value.strip().lower()


def guess(values: Collection[str]) -> dict[str, str]:
    """The meaning of each value; empty where it cannot be told, as for 0 and 1."""
    known = {folded(value): meaning_of(value) for value in values}
    numbers = {value for value in known if re.fullmatch(r"[+-]?\d+(\.0+)?", value)}
    if {int(float(value)) for value in numbers} == {1, 2}:
        known |= {value: FIRST if float(value) == 1 else SECOND for value in numbers}
    return known


def meaning_of(value: str) -> str:
    """What a word says; empty if it cannot be told."""
    text = folded(value).strip("[]()\"' ")
    if more := _MORE.match(text):
        first, second = meaning_of(more["one"]), meaning_of(more["other"])
        if {first, second} == {FIRST, SECOND}:
            return first if more["sign"].startswith(">") else second
        return ""
    if text == "=" or re.fullmatch(r"\w+\s*={1,2}\s*\w+", text):
        return TIE
    word = re.sub(r"[\W_]+", "", text)
    word = _IS_BETTER.sub("", word).removesuffix("wins")
    if word in _SKIPS:
        return SKIP
    if word in _BAD:
        return ALL_BAD
    if word in _TIES:
        return TIE
    for thing in _THINGS:
        for sides, meaning in ((_LEFT, FIRST), (_RIGHT, SECOND)):
            numbers = ("1",) if meaning == FIRST else ("2",)
            names = sides if not thing else (*sides, *numbers)
            if any(word in (thing + side, side + thing) for side in names):
                return meaning
    return ""


def unclear(legend: Legend) -> list[str]:
    """The values whose meaning somebody must say."""
    return sorted(value for value, meaning in legend.items() if meaning not in MEANINGS)
