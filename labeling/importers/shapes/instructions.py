"""An instruction with its answer (Alpaca, Dolly), or with several rated ones (UltraFeedback)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.drafts import (
    ImportDraft,
    Reply,
    Unusable,
    one_prompt,
    response_text,
    text_of,
)
from labeling.importers.shapes import chats, reading
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
    return chats.with_system(row, (*_history(row), *one_prompt(text, "instruction")))


def _history(row: Row) -> tuple[Message, ...]:
    """The turns before the instruction, as LLaMA-Factory has them: pairs of texts."""
    history = row.get("history")
    if history in (None, "", []):
        return ()
    if not isinstance(history, list) or not all(
        isinstance(pair, list) and len(pair) == 2 for pair in history
    ):
        raise Unusable(_("`history` must be a list of pairs of texts. Fix or remove this line."))
    turns = [text_of(text, f"history[{n}]") for n, pair in enumerate(history) for text in pair]
    return tuple(
        {"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(turns)
    )


def _ultrafeedback(line: int, row: Row) -> ImportDraft:
    completions = row.get("completions", _of_distilabel(row))
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


def _of_distilabel(row: Row) -> object:
    """distilabel's lists of texts, of their models and of their ratings as UltraFeedback's
    objects.
    """
    texts, models, ratings = (
        row.get(name) for name in ("generations", "generation_models", "ratings")
    )
    if not isinstance(texts, list):
        return None
    if not isinstance(models, list) or len(models) != len(texts):
        models = [None] * len(texts)
    if not isinstance(ratings, list) or len(ratings) != len(texts):
        raise Unusable(
            _("`ratings` must be a list of %(n)d numbers, one per generation.") % {"n": len(texts)}
        )
    return [
        {"response": text, "model": model, "overall_score": rating}
        for text, model, rating in zip(texts, models, ratings, strict=True)
    ]


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


_KNOWN = ("instruction", "history", *_CONTEXTS, *ANSWERS, *reading.MODELS, *chats.SYSTEM_COLUMNS)
read = reading.each(_draft, _KNOWN, answers=ANSWERS, either=(*ANSWERS, *chats.SYSTEM_COLUMNS))
_COMPLETION = {"response", "model", *_SCORES}
read_ultrafeedback = reading.each(
    _ultrafeedback,
    (
        *("instruction", "completions", "generations", "generation_models", "ratings"),
        *(*_CONTEXTS, *chats.SYSTEM_COLUMNS),
    ),
    inner={"completions": _COMPLETION},
    either=("instruction", *chats.SYSTEM_COLUMNS),
)
