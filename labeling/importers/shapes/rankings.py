"""This site's own exports: rankings with their ratings, and written answers. Everything that an
export says of an answer comes back, so that a second site exports the same.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers import calls
from labeling.importers.annotations import times
from labeling.importers.annotations.roles import question_name
from labeling.importers.drafts import (
    Answer,
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    licence_of,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.files.lines import Values
from labeling.importers.messages import conversation, ends_with_user
from labeling.importers.shapes import chats, reading
from labeling.importers.shapes.reading import Row

EDITED = -1
"""The position of a text that a rater made of another response."""
_ABOUT = (
    *("judgment", "prompt_id", "rater", "split", "licence", "prompt_licence", "prompt_source"),
    *("is_extra", "is_edit", "submitted_at", "item", "campaign", "guideline", "active_s"),
    *("warnings", "is_repeat"),
)
_OF_RANKING = ("prompt", "responses", "strength", "reason", "is_all_bad")
_OF_TEXT = ("prompt", "completion", "response_licence", "response_source", "turn")


def _ranking(line: int, row: Row) -> ImportDraft:
    responses = row.get("responses")
    if not isinstance(responses, list):
        raise Unusable(_("`responses` is not a list. Fix or remove this line."))
    replies = tuple(_reply(response, f"responses[{n}]") for n, response in enumerate(responses))
    ratings = tuple(_ratings(response) for response in responses)
    answer = replace(
        _answer(row),
        ratings=ratings if any(ratings) else (),
        positions=_positions(responses),
        strength=_number(row, "strength"),
        reason=row["reason"] if isinstance(row.get("reason"), str) else None,
        is_all_bad=row.get("is_all_bad") is True,
        is_edit=row.get("is_edit") is True,
    )
    if answer.is_edit:
        replies = _edit_first(responses, replies)
        answer = replace(answer, ratings=(), positions=())
    n_ranked = sum(reply.rank is not None for reply in replies)
    return ImportDraft(
        line,
        _prompt(row),
        replies,
        is_compared=n_ranked > 1 and not answer.is_edit,
        worker=_rater(row),
        answer=answer,
        split=reading.split_of(row),
        source=_source(row),
        is_prompts_licence="prompt_licence" in row,
    )


def _answer(row: Row) -> Answer:
    """What the columns of every export say of an answer."""
    at, why = times.moment(str(row.get("submitted_at") or ""))
    if why:
        raise Unusable(_("`submitted_at` is not a time. Fix or remove this line."))
    warnings = row.get("warnings")
    return Answer(
        item=_id(row, "item"),
        id=_id(row, "judgment"),
        at=at,
        active_s=reading.number_of(row.get("active_s")),
        warnings=tuple(map(shown, warnings)) if isinstance(warnings, list) else (),
        is_extra=row.get("is_extra") is True,
        is_repeat=row.get("is_repeat") is True,
        guideline=str(row.get("guideline") or "")[:200],
        source=str(row.get("response_source") or "")[:200],
    )


def _id(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value)[:100] if isinstance(value, int | str) and value != "" else ""


def _prompt(row: Row) -> tuple[Message, ...]:
    prompt = row.get("prompt")
    if isinstance(prompt, list):
        return ends_with_user(conversation(prompt, "prompt"), "prompt")
    return one_prompt(prompt, "prompt")


def _rater(row: Row) -> str:
    rater = row.get("rater")
    return rater.strip()[:200] if isinstance(rater, str) and "\0" not in rater else ""


def _source(row: Row) -> str:
    source = row.get("prompt_source")
    return source[: reading.MAX_AUTHOR] if isinstance(source, str) and "\0" not in source else ""


def _number(row: Row, name: str) -> int | None:
    number = reading.number_of(row.get(name))
    return int(number) if number is not None and 0 < number < 100 else None


def _reply(response: object, name: str) -> Reply:
    if not isinstance(response, dict):
        raise Unusable(_("`%(name)s` is not an object with a `text`.") % {"name": name})
    rank = response.get("rank")
    if rank is not None and (not isinstance(rank, int) or isinstance(rank, bool) or rank < 1):
        raise Unusable(
            _("`%(name)s.rank` must be a number from 1 (best), or null.") % {"name": name}
        )
    about: dict[str, Any] = {
        "rank": rank,
        "author": reading.author_of(response, "source", "model"),
        "licence": licence_of(response),
    }
    if response.get("text") == "" and not any(map(response.get, chats.ANSWER_PARTS)):
        return Reply("", **about)
    return chats.reply_in(with_calls(response, name), name, **about)


def with_calls(row: Row, name: str) -> Row:
    """The row with its calls as a list: in a Parquet file they are JSON."""
    given = row.get("tool_calls")
    return {**row, "tool_calls": calls.parsed(given, name)} if isinstance(given, str) else row


def _ratings(response: Row) -> dict[str, object]:
    """Ratings are an object, or its JSON in a Parquet file."""
    ratings = response.get("ratings")
    if isinstance(ratings, str):
        try:
            ratings = json.loads(ratings)
        except ValueError:
            ratings = None
    if ratings is not None and not isinstance(ratings, dict):
        raise Unusable(_("`ratings` is not an object of questions and answers."))
    return {
        (name if name.isidentifier() else question_name(name)): value
        for name, value in (ratings or {}).items()
        if isinstance(value, bool | int | float | str)
    }


def _positions(responses: Sequence[Row]) -> tuple[int, ...]:
    """Where each response was shown, if all of them say it, each another place."""
    positions = [response.get("position") for response in responses]
    numbers = [
        at for at in positions if isinstance(at, int) and not isinstance(at, bool) and at >= 0
    ]
    return tuple(numbers) if len(set(numbers)) == len(positions) else ()


def _edit_first(responses: Sequence[Row], replies: Sequence[Reply]) -> tuple[Reply, ...]:
    """The rater's own text, and then the response that it was made from."""
    order = sorted(range(len(replies)), key=lambda at: responses[at].get("position") != EDITED)
    return tuple(replies[at] for at in order)


# --- written answers ------------------------------------------------------------------------------


def _written(line: int, row: Row) -> ImportDraft:
    completion = row.get("completion")
    messages = conversation([*_prompt(row), *_as_list(completion)], "completion")
    if messages[-1]["role"] != "assistant":
        raise Unusable(_("`completion` does not end with a reply. Fix or remove this line."))
    licence = str(row.get("response_licence") or "")[:64]
    return ImportDraft(
        line,
        messages[:-1],
        (Reply.of(messages[-1], is_human=True, licence=licence),),
        worker=_rater(row),
        answer=_answer(row),
        split=reading.split_of(row),
        source=_source(row),
        is_prompts_licence="prompt_licence" in row,
    )


def _as_list(completion: object) -> list[object]:
    if isinstance(completion, list):
        return completion
    return [{"role": "assistant", "content": response_text(completion, "completion")}]


def _by_judgment(drafts: Iterable[ImportDraft | ImportProblem]) -> Found:
    """The answers of a dialogue, which come one after the other, as one draft."""
    before: ImportDraft | None = None
    for draft in drafts:
        if isinstance(draft, ImportProblem):
            yield draft
            continue
        if before is not None and (whole := _continued(before, draft)):
            before = whole
            continue
        if before is not None:
            yield before
        before = draft
    if before is not None:
        yield before


def _continued(before: ImportDraft, draft: ImportDraft) -> ImportDraft | None:
    """Both in one, if the second is a later answer of the same dialogue."""
    same = before.answer and draft.answer and before.answer.id == draft.answer.id != ""
    reply = before.replies[0]
    messages = (*before.messages, reply.turn, *before.further)
    if (
        not same
        or draft.messages[: len(messages)] != messages
        or len(draft.messages) == len(messages)
    ):
        return None
    new = (*draft.messages[len(messages) :], draft.replies[0].turn)
    return replace(before, further=(*before.further, *new))


# --- readers --------------------------------------------------------------------------------------


def _with_prompts_licence(values: Values) -> Values:
    """A row's licence is that of all its texts together, so the prompt's own comes first."""
    for value in values:
        if not isinstance(value, ImportProblem) and isinstance(value.value, dict):
            row = value.value
            if "prompt_licence" in row:
                value = replace(value, value=row | {"licence": row["prompt_licence"]})
        yield value


_INNER = {
    "responses": {
        *("text", "rank", "source", "model", "position", "response", "licence", "license"),
        *("ratings", *chats.ANSWER_PARTS),
    }
}
_read_rankings = reading.each(_ranking, (*_OF_RANKING, *_ABOUT), inner=_INNER)
_read_written = reading.each(_written, (*_OF_TEXT, *_ABOUT))


def read(values: Values) -> Found:
    """Rankings with their ratings."""
    return _read_rankings(_with_prompts_licence(values))


def read_written(values: Values) -> Found:
    """Written answers; those of one dialogue are one."""
    return _by_judgment(_read_written(_with_prompts_licence(values)))


def is_written(row: Row) -> bool:
    """Whether a row is an export of a written answer. One with a label is a good or a bad response
    to learn from, and was not written by its rater.
    """
    return {"judgment", "rater", "submitted_at", "completion"} <= row.keys() and "label" not in row
