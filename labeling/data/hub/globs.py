"""Patterns of file names, matched in time that grows with the pattern's and the name's length only:
a regular expression of 25 stars tries for days.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.importers.drafts import shown

MAX_LENGTH = 500
MAX_STARS = 20
_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", re.DOTALL)


class BadPattern(Refusal):
    """The pattern is not used; the sentence names it."""


@dataclass(frozen=True)
class _Step:
    """One place of a pattern: which characters it takes, whether it takes several, and to which
    places further on one comes without a character.
    """

    character: re.Pattern[str]
    is_repeated: bool = False
    skips: tuple[int, ...] = ()


_NONE = re.compile(r"(?!)")
_ANY = re.compile(".", re.DOTALL)
_IN_FOLDER = re.compile("[^/]")
_SLASH = re.compile("/")
_STEPS = {
    # Nothing, or anything up to a slash: its first place takes no character.
    "**/": (
        _Step(_NONE, skips=(1, 3)),
        _Step(_ANY, is_repeated=True, skips=(1,)),
        _Step(_SLASH),
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
        if len(text) > MAX_LENGTH or text.count("*") > MAX_STARS:
            raise BadPattern(_bad(text))
        try:
            self._steps = [step for part in _PARTS.findall(text) for step in _steps(part)]
        except re.error as error:
            raise BadPattern(_bad(text)) from error
        self._folder = f"{text.rstrip('/')}/"

    def fits(self, name: str) -> bool:
        if name.startswith(self._folder):
            return True
        places = self._reached({0})
        for character in name:
            places = self._reached(self._after(places, character))
            if not places:
                return False
        return len(self._steps) in places

    def _after(self, places: Iterable[int], character: str) -> set[int]:
        after = set()
        for place in places:
            if place < len(self._steps):
                step = self._steps[place]
                if step.character.match(character):
                    after.add(place if step.is_repeated else place + 1)
        return after

    def _reached(self, places: set[int]) -> set[int]:
        """Also the places that need no character."""
        todo, reached = list(places), set(places)
        while todo:
            place = todo.pop()
            skips = self._steps[place].skips if place < len(self._steps) else ()
            further = {place + n for n in skips} - reached
            reached |= further
            todo += further
        return reached


def _steps(part: str) -> tuple[_Step, ...]:
    if part in _STEPS:
        return _STEPS[part]
    if part.startswith("[") and len(part) > 1:
        return (_Step(re.compile(part)),)
    return (_Step(re.compile(re.escape(part), re.DOTALL)),)


def _bad(text: str) -> str:
    sentence = _(
        "The card of the data set has a pattern that cannot be used: “%(pattern)s”. Download the"
        " files and import them."
    )
    return sentence % {"pattern": shown(text)}
