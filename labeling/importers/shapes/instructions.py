"""An instruction with its answer (Alpaca, Dolly), or with several rated ones (UltraFeedback)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from labeling.importers.drafts import (
    ImportDraft,
    Message,
    Reply,
    Unusable,
    one_prompt,
    response_text,
    text_of,
)
from labeling.importers.shapes import reading
from labeling.importers.shapes.reading import Row

ANSWERS = ("output", "response", "answer")
_CONTEXTS = ("input", "context")
_SCORES = ("fine-grained_score", "overall_score")
_NO_CONTEXT = ("", "<noinput>")
"""The second is self-instruct's."""


def _draft(line: int, row: Row) -> ImportDraft:
    marks, is_good = reading.marks_of(row)
    author = reading.author_of(row)
    replies: tuple[Reply, ...] = ()
    name = next((name for name in ANSWERS if row.get(name) not in (None, "")), None)
    if name:
        text = response_text(row[name], name)
        replies = (Reply(text, is_human=is_good and not author, author=author, marks=marks),)
    return ImportDraft(line, _prompt(row), replies)


def _prompt(row: Row) -> tuple[Message, ...]:
    """The instruction, and its input or context below it."""
    text = text_of(row.get("instruction"), "instruction")
    for name in _CONTEXTS:
        if row.get(name) is not None and str(row[name]).strip() not in _NO_CONTEXT:
            text = f"{text}\n\n{text_of(row[name], name)}"
    return reading.with_system(row, one_prompt(text, "instruction"))


def _ultrafeedback(line: int, row: Row) -> ImportDraft:
    completions = row.get("completions")
    if not isinstance(completions, list):
        raise Unusable(_("`completions` is not a list of answers. Fix or remove this line."))
    score = _score_name(completions)
    replies = [
        _completion(completion, f"completions[{n}]", score)
        for n, completion in enumerate(completions)
    ]
    # Two models may give the same answer; it is ranked once.
    replies = list({reply.text.strip(): reply for reply in reversed(replies)}.values())[::-1]
    scores = [reply.marks.get("score") for reply in replies]
    if len(replies) < 2 or None in scores:
        return ImportDraft(line, _prompt(row), tuple(replies))
    return ImportDraft(line, _prompt(row), ranked_by(replies, scores), is_compared=True)


def _score_name(completions: Sequence[object]) -> str:
    """The score that all answers of a row have, because the two are on different scales:
    `fine-grained_score` is the mean of the four ratings; `overall_score` is wrong in some rows.
    """
    every = [completion for completion in completions if isinstance(completion, dict)]
    return next(
        (
            name
            for name in _SCORES
            if all(reading.number_of(completion.get(name)) is not None for completion in every)
        ),
        _SCORES[0],
    )


def ranked_by(replies: Sequence[Reply], scores: Sequence[Any]) -> tuple[Reply, ...]:
    """The replies with ranks: the highest score is 1, equal scores tie."""
    place = {score: i for i, score in enumerate(sorted(set(scores), reverse=True), start=1)}
    return tuple(
        replace(reply, rank=place[score]) for reply, score in zip(replies, scores, strict=True)
    )


def _completion(completion: object, name: str, score_name: str) -> Reply:
    if not isinstance(completion, dict):
        raise Unusable(_("`%(name)s` is not an object with a `response`.") % {"name": name})
    score = reading.number_of(completion.get(score_name))
    return Reply(
        response_text(completion.get("response"), f"{name}.response"),
        author=reading.author_of(completion),
        marks={} if score is None else {"score": score},
    )


_KNOWN = ("instruction", *_CONTEXTS, *ANSWERS, *reading.MODELS, *reading.SYSTEM_COLUMNS)
read = reading.each(_draft, _KNOWN, answers=ANSWERS, either=(*ANSWERS, *reading.SYSTEM_COLUMNS))
_COMPLETION = {"response", "model", *_SCORES}
read_ultrafeedback = reading.each(
    _ultrafeedback,
    ("instruction", "completions", *_CONTEXTS, *reading.SYSTEM_COLUMNS),
    inner={"completions": _COMPLETION},
    either=("instruction", *reading.SYSTEM_COLUMNS),
)
