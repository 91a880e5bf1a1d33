"""What a rule says about a text, and the text it reads. Pure: no Django, no database."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b

import numpy as np

from arithmetic.similarity import Hashes

# A word, with apostrophes inside it; a letter of a script that is written without spaces; three
# dots; or any other sign.
_TOKEN = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"|[^\W_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+(?:['’][^\W_]+)*"
    r"|\.\.\.|\S"
)


@dataclass(frozen=True)
class Span:
    """Where a rule found something, and what kind of thing it is; never the thing itself."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Verdict:
    """A rule's finding. A rule that finds nothing returns None instead."""

    rule: str
    value: float | str
    threshold: float | str
    is_removed: bool = True
    spans: tuple[Span, ...] = ()
    twin: str = ""
    """the document or item that this text is a copy of"""
    text: str | None = None
    """the text as the rule changed it; None if it leaves it as it is"""


class Text:
    """A text with the parts that several rules read, each computed once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def tokens(self) -> list[str]:
        """Words and signs, as written."""
        return _TOKEN.findall(self.text)

    @cached_property
    def words(self) -> list[str]:
        """Words without signs, in one Unicode form and without case."""
        if self.text.isascii():
            return [token.lower() for token in self.tokens if token[0].isalnum()]
        folded = unicodedata.normalize("NFKC", self.text).casefold()
        return [token for token in _TOKEN.findall(folded) if token[0].isalnum()]

    @cached_property
    def low(self) -> str:
        return self.text.lower()

    @cached_property
    def token_hashes(self) -> Hashes:
        return np.fromiter(map(stable_hash, self.tokens), np.uint64, len(self.tokens))

    @cached_property
    def word_hashes(self) -> Hashes:
        return np.fromiter(map(stable_hash, self.words), np.uint64, len(self.words))


@lru_cache(maxsize=1 << 17)
def stable_hash(word: str) -> int:
    """64 bits, the same in every process."""
    data = word.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
