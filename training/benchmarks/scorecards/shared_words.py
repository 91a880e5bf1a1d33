"""Which items of a suite share 13 words in a row with a text, as GPT-3's authors checked (Brown et
al. 2020, appendix C). No database.

Words are compared without case and punctuation. A sequence that many items of the suite have is
its wording, not its content, and is not looked for.
"""

from collections.abc import Iterable, Iterator, Mapping

from training.snapshots.curation.rules.contamination import VERBATIM
from training.snapshots.curation.rules.verdicts import Text
from training.snapshots.curation.rules.word_runs import word_runs


class SharedWords:
    """The sequences of a suite's items, ready to be looked for in many texts."""

    def __init__(self, items: Mapping[int, Iterable[str]]) -> None:
        texts = ((item, Text(text)) for item, several in items.items() for text in several)
        self._runs = word_runs(texts, VERBATIM)
        self.checked = set(self._runs.items.tolist())
        """items with a text long enough to be looked for"""

    def items_in(self, text: str) -> set[int]:
        """The items that share a sequence with this text."""
        return set(self._runs.hits(Text(text)).items.tolist())


def texts_in(value: object) -> Iterator[str]:
    """Every text in a row of JSON, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts_in(part)
