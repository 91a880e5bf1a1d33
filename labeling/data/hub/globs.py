"""Patterns of file names, matched in time that grows with the pattern's and the name's length only:
a regular expression of 25 stars tries for days.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.importers.drafts import shown

MAX_LENGTH = 500
MAX_STARS = 20
"""Also of classes, such as `[ab]`."""
_KEPT = 1000
"""Characters whose places are known."""
_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", re.DOTALL)
_SPECIAL = re.compile(r"[*?\[]")


class BadPattern(Refusal):
    """The pattern is not used; the sentence names it."""


@dataclass(frozen=True)
class _Step:
    """One place of a pattern: which characters it takes, whether it takes several, and to which
    places further on one comes without a character.
    """

    character: re.Pattern[str] | str
    is_repeated: bool = False
    skips: tuple[int, ...] = ()

    def takes(self, character: str) -> bool:
        if isinstance(self.character, str):
            return self.character == character
        return self.character.match(character) is not None


_NONE = re.compile(r"(?!)")
_ANY = re.compile(".", re.DOTALL)
_IN_FOLDER = re.compile("[^/]")
_STEPS = {
    # Nothing, or anything up to a slash: its first place takes no character.
    "**/": (
        _Step(_NONE, skips=(1, 3)),
        _Step(_ANY, is_repeated=True, skips=(1,)),
        _Step("/"),
    ),
    "**": (_Step(_ANY, is_repeated=True, skips=(1,)),),
    "*": (_Step(_IN_FOLDER, is_repeated=True, skips=(1,)),),
    "?": (_Step(_IN_FOLDER),),
}


class Pattern:
    """`*` stays in a folder, `**` does not; a folder stands for what is in it. Raises
    BadPattern.
    """

    def __init__(self, text: str) -> None:
        text = text.removeprefix("./")
        if len(text) > MAX_LENGTH or max(text.count("*"), text.count("[")) > MAX_STARS:
            raise BadPattern(_bad(text))
        self._folder = f"{text.rstrip('/')}/"
        self._start = _SPECIAL.split(text, maxsplit=1)[0]
        try:
            steps = [step for part in _parts(text) for step in _steps(part)]
        except re.error as error:
            raise BadPattern(_bad(text)) from error
        # A set of places is a number with a bit for each: all its places take a step at once.
        self._end = 1 << len(steps)
        self._repeated = _bits(step.is_repeated for step in steps)
        self._skips = [(n, _bits(n in step.skips for step in steps)) for n in (1, 3)]
        self._by_step = [(step, _bits(step == other for other in steps)) for step in set(steps)]
        self._taking = lru_cache(_KEPT)(self._places_for)

    def work(self, name: str) -> int:
        """How many characters of a name `fits` looks at, at most; 1 if its beginning is another."""
        return len(name) + 1 if name.startswith(self._start) else 1

    def fits(self, name: str) -> bool:
        if name.startswith(self._folder):
            return True
        if not name.startswith(self._start):
            return False
        places = self._reached(1)
        for character in name:
            taken = places & self._taking(character)
            places = self._reached((taken & ~self._repeated) << 1 | taken & self._repeated)
            if not places:
                return False
        return bool(places & self._end)

    def _places_for(self, character: str) -> int:
        """Those that take a character."""
        return sum(bits for step, bits in self._by_step if step.takes(character))

    def _reached(self, places: int) -> int:
        """Also the places that need no character."""
        before = 0
        while places != before:
            before = places
            for n, skipping in self._skips:
                places |= (places & skipping) << n
        return places


def _parts(text: str) -> list[str]:
    """Without stars that say the same again."""
    parts = _PARTS.findall(text)
    pairs = zip(["", *parts], parts, strict=False)
    return [part for before, part in pairs if part != before or not part.startswith("*")]


def _bits(flags: Iterable[bool]) -> int:
    return sum(flag << place for place, flag in enumerate(flags))


def _steps(part: str) -> tuple[_Step, ...]:
    if part in _STEPS:
        return _STEPS[part]
    if part.startswith("[") and len(part) > 1:
        return (_Step(re.compile(part)),)
    return (_Step(part),)


def _bad(text: str) -> str:
    sentence = _(
        "The card of the dataset has a pattern that cannot be used: “%(pattern)s”. Download the"
        " files and import them."
    )
    return sentence % {"pattern": shown(text)}
