"""The frozen rows that leave, as training and the shapes of files read them. Plain values: no
database behind them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

CHUNK = 1_000
"""Rows in memory at a time, and in a row group of a Parquet file."""

EDITED = -1

Message = dict[str, str]


@dataclass(frozen=True)
class DemonstrationRow:
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    response: str
    split: str
    cluster: str
    source_name: str
    """the import it came by, the model whose answer was kept, or "raters" """
    licence: str
    category: str
    language: str
    rater_alias: str
    campaign_id: int | None
    submitted_at: datetime
    guideline: str | None = None
    is_extra: bool = False
    is_held_out: bool = False
    """by a pool whose judgments evaluate and never train"""
    is_edit: bool = False
    """made from a response that the rater had compared with others"""
    turn: int = 0
    """which answer of a dialogue that a rater wrote; `messages` holds what they wrote before it"""
    is_last: bool = True
    """no answer of the same dialogue comes after it"""
    response_licence: str = ""
    """of the import it came by; empty where it was written here"""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, self.response_licence)


@dataclass(frozen=True)
class RankedText:
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = left unranked"""
    source_name: str
    position: int
    """0 = shown first; EDITED = written by the rater, and shown to nobody"""
    ratings: dict[str, Any]
    is_ended: bool | None = None
    """whether the model ended its turn, or was cut off at its longest response; None for a
    person
    """
    licence: str = ""
    """of its source"""


@dataclass(frozen=True)
class ComparisonRow:
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[RankedText, ...]
    """by response id, whatever the order on the page was"""
    rater_alias: str
    split: str
    cluster: str
    licence: str
    category: str
    strength: int | None
    reason: str | None
    submitted_at: datetime
    is_extra: bool
    is_held_out: bool
    language: str = ""
    campaign_id: int | None = None
    guideline: str | None = None
    reliability: float | None = None
    """of the rater in this campaign, as a weight: 0 no better than chance, 1 always right; None
    where no report can tell
    """
    is_edit: bool = False
    """the rater's edit before the response it was made from; what was ranked is the row before"""
    is_repeat: bool = False
    """the same item again to the same rater, the responses in reversed order"""
    pool: str = ""
    """the name of the pool that the rater judged in; empty for an imported judgment"""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, *(response.licence for response in self.responses))


@dataclass(frozen=True)
class DecidedText:
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = not decided"""
    source_name: str


@dataclass(frozen=True)
class AdjudicatedRow:
    item_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[DecidedText, ...]
    reason: str
    """a value of Adjudication.Reason: why raters came apart"""
    note: str
    split: str
    licence: str
    category: str
    language: str
    at: datetime


@dataclass(frozen=True)
class ScoredRow:
    """A response that a model wrote, as a reward model scored it."""

    response_id: int
    prompt_id: int
    messages: list[Message]
    text: str
    score: float
    is_ended: bool
    split: str
    cluster: str
    source_name: str
    licence: str
    category: str
    response_licence: str = ""

    @property
    def licences(self) -> set[str]:
        return _borne(self.licence, self.response_licence)


@dataclass(frozen=True)
class PromptRow:
    prompt_id: int
    messages: list[Message]
    split: str
    cluster: str
    category: str
    licence: str
    language: str = ""
    source_name: str = ""

    @property
    def licences(self) -> set[str]:
        return {self.licence}


def _borne(of_prompt: str, *of_responses: str) -> set[str]:
    """What a row is under: its prompt's licence, named or not, and those that its responses'
    sources name.
    """
    return {of_prompt, *filter(None, of_responses)}


def as_turn(text: str) -> list[Message]:
    """A response as what is said last."""
    return [{"role": "assistant", "content": text}]
