"""Which items of a suite share 13 words in a row with a text, as GPT-3's authors checked (Brown et
al. 2020, appendix C). No database.

Words are compared without case and punctuation. A sequence that many items of the suite have is
its wording, not its content, and is not looked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

N_WORDS = 13
MOST_SHARED = 10
"""A sequence in more items than this is the suite's own wording, such as its instructions."""
_WORD = re.compile(r"\w+")

Sequence13 = tuple[int, ...]


class SharedWords:
    """The sequences of a suite's items, ready to be looked for in many texts."""

    def __init__(self, items: Mapping[int, Iterable[str]]) -> None:
        self._numbers: dict[str, int] = {}
        found: dict[Sequence13, set[int]] = {}
        for item, texts in items.items():
            for text in texts:
                for sequence in self._sequences(text):
                    found.setdefault(sequence, set()).add(item)
        self._items = {key: pks for key, pks in found.items() if len(pks) <= MOST_SHARED}
        self.checked = {pk for pks in self._items.values() for pk in pks}
        """items with a text long enough to be looked for"""

    def _sequences(self, text: str) -> Iterator[Sequence13]:
        numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in _words(text)]
        for start in range(len(numbers) - N_WORDS + 1):
            yield tuple(numbers[start : start + N_WORDS])

    def items_in(self, text: str) -> set[int]:
        """The items that share a sequence with this text."""
        found: set[int] = set()
        recent: list[int] = []
        for word in _words(text):
            number = self._numbers.get(word)
            if number is None:
                recent.clear()
                continue
            recent.append(number)
            if len(recent) >= N_WORDS:
                found |= self._items.get(tuple(recent[-N_WORDS:]), set())
        return found


def _words(text: str) -> Iterator[str]:
    return (match.group() for match in _WORD.finditer(text.casefold()))


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a row of JSON, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_in(part)
