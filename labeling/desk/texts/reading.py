"""What the desk shows for reading: conversation turns, a stored answer, and a word diff of two
responses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from arithmetic import chats, response_orders
from arithmetic.chats import Message
from labeling.desk.judgments import warnings
from labeling.desk.texts import word_diff
from labeling.desk.work import Work
from labeling.models import Demonstration, Judgment
from labeling.votes import counting, withdrawn_texts
from pages import render, turns


@dataclass(frozen=True)
class Turn:
    role: str
    words: str
    html: SafeString


def turns_of(messages: Sequence[Message], reword: Callable[[str], str] = str) -> tuple[Turn, ...]:
    """`reword` goes over what is folded; the texts are as they are shown."""
    words = {
        "system": _("Instruction"),
        "user": _("User"),
        "assistant": _("Assistant"),
        "tool": _("Tool"),
    }
    return tuple(
        Turn(
            message["role"],
            words.get(message["role"], message["role"]),
            turns.html(message, reword),
        )
        for message in messages
    )


@dataclass(frozen=True)
class StoredResponse:
    """A response of a stored answer, under the letter it had, with its rank and ratings."""

    letter: str
    html: SafeString
    rank: int | None
    ratings: tuple[tuple[str, int | bool], ...]


@dataclass(frozen=True)
class StoredAnswer:
    """A stored answer as its rater reads it later, even after the campaign has closed."""

    upsets: str
    """kinds of upsetting content, or empty"""
    prompt: tuple[Turn, ...]
    responses: tuple[StoredResponse, ...]
    line: str
    reason: str
    written: tuple[Turn, ...]
    """the turns of a demonstration, or the edit"""
    edit_of: str
    sources: str


def stored_answer(*, work: Work, judgment: Judgment) -> StoredAnswer:
    written: Demonstration | None = getattr(judgment, "demonstration", None)
    prompt, responses = work.item.prompt, _responses(work, judgment)
    ranks = {response.letter: response.rank for response in responses}
    is_all_bad = judgment.kind == Judgment.Kind.COMPARISON and judgment.comparison.is_all_bad
    edited = work.responses if written is not None and written.edit_of_id is not None else []
    return StoredAnswer(
        upsets=prompt.upset_words,
        prompt=turns_of(work.messages, work.as_shown),
        responses=responses,
        line=_("All bad") if is_all_bad else warnings.ranking_line(ranks),
        reason=(
            (judgment.comparison.reason or "") if judgment.kind == Judgment.Kind.COMPARISON else ""
        ),
        written=(
            turns_of([chats.answer(written.text, tool_calls=written.tool_calls), *written.further])
            if written is not None
            else ()
        ),
        edit_of=next(
            (
                letter
                for letter, edited_response in zip(response_orders.LETTERS, edited, strict=False)
                if written and edited_response.pk == written.edit_of_id
            ),
            "",
        ),
        sources=written.sources if written is not None else "",
    )


def _responses(work: Work, judgment: Judgment) -> tuple[StoredResponse, ...]:
    if judgment.kind != Judgment.Kind.COMPARISON:
        return ()
    ranked = judgment.comparison.ranked.select_related("response").order_by("position")
    rows = list(ranked.annotate(is_by_withdrawn=counting.by_withdrawn("response__")))
    withdrawn_texts.cover_ranked(rows, rater=work.rater)
    labels = {question.name: question.label for question in work.form.questions}
    return tuple(
        StoredResponse(
            response_orders.LETTERS[row.position],
            turns.html(
                work.as_read(chats.answer(row.response.text, **row.response.parts)), work.as_shown
            ),
            row.rank,
            tuple(
                (labels.get(name, name), answer)
                for name, answer in row.ratings.items()
                if answer is not False
            ),
        )
        for row in rows
    )


@dataclass(frozen=True)
class Diff:
    of: str
    to: str
    pieces: tuple[word_diff.Piece, ...]

    @property
    def is_long(self) -> bool:
        return sum(len(piece.text) for piece in self.pieces) > render.LIMIT


def diff(*, work: Work, of: str, to: str) -> Diff | None:
    """A word diff from response `of` to another. None unless both letters are responses of this
    item.
    """
    texts = dict(
        zip(
            response_orders.LETTERS,
            (response.text for response in work.responses),
            strict=False,
        )
    )
    if of not in texts or to not in texts or of == to:
        return None
    return Diff(of, to, tuple(word_diff.pieces(texts[to], texts[of])))
