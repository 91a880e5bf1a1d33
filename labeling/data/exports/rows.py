"""The frozen rows that are exported, for training and for files. Plain values without a
database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from arithmetic import chats
from arithmetic.chats import Message, Tool, ToolCall
from labeling.models import Response

CHUNK = 1_000
"""Rows in memory at a time, and in a row group of a Parquet file."""

EDITED = -1


@dataclass(frozen=True, kw_only=True)
class AnswerParts:
    """What an answer may have besides its text."""

    reasoning_content: str = ""
    tool_calls: Sequence[ToolCall] = ()

    def turn_of(self, text: str) -> list[Message]:
        """The answer as the final turn."""
        return [chats.answer(text, self.reasoning_content, self.tool_calls)]


@dataclass(frozen=True, kw_only=True)
class PromptParts:
    """What a prompt may have besides its messages."""

    tools: Sequence[Tool] = ()


@dataclass(frozen=True)
class DemonstrationRow(AnswerParts, PromptParts):
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    response: str
    split: str
    cluster: str
    source_name: str
    """the import it came from, the model whose answer was accepted, or `raters`"""
    licence: str
    category: str
    language: str
    rater_alias: str
    campaign_id: int | None
    submitted_at: datetime
    guideline: str | None = None
    is_extra: bool = False
    is_held_out: bool = False
    """from a pool whose judgments are used for evaluation and never for training"""
    is_edit: bool = False
    """made from a response that the rater had compared with others"""
    turn: int = 0
    """which answer of a dialogue written by a rater; `messages` holds the turns before it"""
    is_last: bool = True
    """no answer of the same dialogue follows"""
    response_licence: str = ""
    """of its row, or of the import it came from, or of the response it was edited from; empty if it
    was written here
    """
    prompt_source: str = ""
    item_id: int | None = None
    active_s: float | None = None
    """seconds with input; None when not measured"""
    warnings: tuple[str, ...] = ()
    """the warnings that the rater overruled"""
    is_repeat: bool = False

    @property
    def licences(self) -> set[str]:
        return _licences(self.licence, self.response_licence)


@dataclass(frozen=True)
class RankedText(AnswerParts):
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = unranked"""
    source_name: str
    position: int
    """0 = shown first; EDITED = written by the rater and shown to nobody"""
    ratings: dict[str, object]
    is_ended: bool | None = None
    """whether the model ended its turn (False: it was cut off at its maximum length); None for a
    person
    """
    licence: str = ""
    """its own; empty if it was written here"""


@dataclass(frozen=True)
class ComparisonRow(PromptParts):
    judgment_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[RankedText, ...]
    """by response id, regardless of the order on the page"""
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
    """the rater's weight in this campaign: 0 no better than chance, 1 always right; None if no
    report has an estimate
    """
    is_edit: bool = False
    """the rater's edit preferred to its original; the ranking itself is the previous row"""
    is_repeat: bool = False
    """the same item shown to the same rater again, with the responses in reverse order"""
    pool: str = ""
    """the name of the pool that the rater judged in; empty for an imported judgment"""
    item_id: int | None = None
    active_s: float | None = None
    """seconds with input; None when not measured"""
    warnings: tuple[str, ...] = ()
    """the warnings that the rater overruled"""
    is_all_bad: bool = False
    """no response was worth ranking; the reason says why"""
    prompt_source: str = ""
    form: Mapping[str, Any] | None = None
    """the questions that its ratings answer: a RatingForm as JSON"""

    @property
    def licences(self) -> set[str]:
        return _licences(self.licence, *(response.licence for response in self.responses))


@dataclass(frozen=True)
class DecidedText(AnswerParts):
    response_id: int
    text: str
    rank: int | None
    """1 = best, equal numbers tie, None = undecided"""
    source_name: str
    licence: str = ""


@dataclass(frozen=True)
class AdjudicatedRow(PromptParts):
    item_id: int
    prompt_id: int
    messages: list[Message]
    responses: tuple[DecidedText, ...]
    reason: str
    """a value of Adjudication.Reason: why raters disagreed"""
    note: str
    split: str
    licence: str
    category: str
    language: str
    at: datetime
    prompt_source: str = ""

    @property
    def licences(self) -> set[str]:
        return _licences(self.licence, *(response.licence for response in self.responses))


@dataclass(frozen=True)
class ScoredRow(AnswerParts, PromptParts):
    """A model's response with a reward model's score."""

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
    revision: Mapping[str, object] = field(default_factory=dict)
    """of a revision: its round, and the principle and guideline version that it was made by"""

    @property
    def licences(self) -> set[str]:
        return _licences(self.licence, self.response_licence)


def scored_row(response: Response, score: float) -> ScoredRow:
    """A model's response as a row; `score` says how good it is among those to its prompt."""
    prompt = response.prompt
    return ScoredRow(
        response_id=response.pk,
        prompt_id=prompt.pk,
        messages=prompt.messages,
        tools=prompt.tools,
        text=response.text,
        **response.parts,
        score=score,
        revision={
            name: response.sampling[name]
            for name in ("round", "principle", "guideline", "guideline_version")
            if name in response.sampling
        },
        is_ended=response.is_ended is not False,
        split=prompt.split,
        cluster=prompt.cluster,
        source_name=response.source.name,
        licence=prompt.licence,
        category=prompt.category,
        response_licence=response.own_licence,
    )


@dataclass(frozen=True)
class VotedRow(ScoredRow):
    """The response that the judgments of an item prefer. `score` is how often it would be preferred
    to another one.
    """

    is_clear: bool = True
    """whether the lower end of its score is above one half: see labeling.votes.best_responses"""
    is_held_out: bool = False
    """from a pool whose judgments are used for evaluation and never for training"""
    judgment_ids: tuple[int, ...] = ()
    """of those that count"""


@dataclass(frozen=True)
class PromptRow(PromptParts):
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


@dataclass(frozen=True)
class MarkedRow(AnswerParts, PromptParts):
    """A response with what its import said of it."""

    response_id: int
    prompt_id: int
    messages: list[Message]
    text: str
    marks: dict[str, Any]
    split: str
    source_name: str
    licence: str
    category: str
    language: str
    response_licence: str = ""
    prompt_source: str = ""
    cluster: str = ""

    @property
    def licences(self) -> set[str]:
        return _licences(self.licence, self.response_licence)


def _licences(of_prompt: str, *of_responses: str) -> set[str]:
    """The licences that apply to a row: its prompt's, which may be empty, and those named by its
    responses' sources.
    """
    return {of_prompt, *filter(None, of_responses)}


def licence_expression(licences: Iterable[str]) -> str:
    """One SPDX expression for a row with texts under these licences: all of them apply."""
    return " AND ".join(sorted(filter(None, set(licences))))
