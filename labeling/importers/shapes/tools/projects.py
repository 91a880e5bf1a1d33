"""Exports of other labeling tools: Argilla 2 records, and what they share with Label Studio's tasks
(see label_studio.py). The answers of each annotator become a draft of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.annotations.questions import LONGEST_CATEGORY
from labeling.importers.annotations.roles import question_name
from labeling.importers.drafts import (
    Answer,
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    drafted,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import chats, reading
from labeling.importers.shapes.reading import Row

PROMPTS = ("prompt", "instruction", "question", "query", "chat", "messages", "input", "text")
ANSWERS = ("response", "answer", "completion", "output", "generation")


@dataclass
class Said:
    """What one annotator said at once: an order of the responses by their names, ratings, or
    texts.
    """

    ranks: dict[str, int] = field(default_factory=dict)
    ratings: dict[str, object] = field(default_factory=dict)
    """by question, about what the annotator saw"""
    texts: list[str] = field(default_factory=list)
    at: datetime | None = None
    active_s: float | None = None
    unread: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    """fields about the answer that may say whether it is good"""
    asked: set[str] = field(default_factory=set)


Answers = list[tuple[str, Said]]
"""Each answer with its annotator, who may have answered twice."""


def drafts_of(line: int, fields: Row, answers: Answers, about: Row, *, item: str = "") -> Found:
    """One draft per answer, or one without an annotator."""
    try:
        messages = _prompt(fields)
        responses = _responses(fields)
    except Unusable as error:
        yield ImportProblem(line, error.sentence)
        return
    if unread := _unread(fields):
        yield ImportProblem(line, reading.not_imported(unread), is_once=True)
    for name, own in answers or [("", Said())]:
        if len(responses) > 1:  # nobody says which of them is rated
            own.unread += [shown(question) for question in own.ratings]
            own.ratings.clear()
        for question in own.unread:
            sentence = _("The answers to “%(question)s” are not imported.")
            yield ImportProblem(line, sentence % {"question": question}, is_once=True)
        if own.texts and own.doubtful:
            yield ImportProblem(
                line, reading.no_demonstrations(own.doubtful), is_once=True, asks=True
            )
        ranks = {known: own.ranks[known] for known in responses if known in own.ranks}
        replies = [
            *(Reply(text, ranks.get(known)) for known, text in responses.items()),
            *(Reply(text, is_human=not own.doubtful, is_typed=True) for text in own.texts),
        ]
        if own.ratings and not responses:  # the text that was rated stands for both
            replies.insert(0, Reply.of(messages[-1]))
        answer = Answer(
            item=item,
            ratings=(own.ratings,) if own.ratings else (),
            at=own.at,
            active_s=own.active_s,
        )
        draft = ImportDraft(
            line,
            messages,
            tuple(replies),
            is_compared=len(ranks) > 1,
            worker=name[:200],
            answer=answer if name else None,
        )
        yield from drafted(line, about, lambda _line, _row, draft=draft: draft)  # type: ignore[misc]


def _prompt(fields: Row) -> tuple[Message, ...]:
    name = next((name for name in PROMPTS if fields.get(name) not in (None, "")), None)
    if name is None:
        raise Unusable(
            _("None of the fields is named prompt, instruction, question or text. Rename one.")
        )
    value = fields[name]
    if isinstance(value, list):
        return chats.chat(value, name)
    return chats.with_system(fields, one_prompt(value, name))


def _unread(fields: Row) -> set[str]:
    """The fields that are neither the prompt nor a response."""
    prompt = next(name for name in PROMPTS if fields.get(name) not in (None, ""))
    read = {prompt, "items", *chats.SYSTEM_COLUMNS} | reading.ABOUT
    return {
        name
        for name, value in fields.items()
        if name not in read and value not in (None, "", []) and not name.lower().startswith(ANSWERS)
    }


def _responses(fields: Row) -> dict[str, str]:
    """The texts to compare, by the name of their field (or by the id of an item)."""
    responses = {}
    for name, value in fields.items():
        if name.lower().startswith(ANSWERS) and value not in (None, ""):
            responses[name] = response_text(value, name)
    items = fields.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str | int):
            body = item.get("body") or item.get("text") or item.get("html")
            responses[str(item["id"])] = response_text(body, "items")
    return responses


# --- Argilla --------------------------------------------------------------------------------------


def _argilla(line: int, row: Row) -> Found:
    fields = row.get("fields")
    if not isinstance(fields, dict):
        yield ImportProblem(line, _("`fields` is not an object. Fix or remove this line."))
        return
    answers: Answers = []
    if _has_unsubmitted(row.get("responses")):
        sentence = _("Answers that were discarded or not submitted are left out.")
        yield ImportProblem(line, sentence, is_once=True)
    names = [name for name in fields if name.lower().startswith(ANSWERS)]
    for question, user, value in _argilla_answers(row.get("responses")):
        answer = _answer_of(answers, user, question)
        if isinstance(value, list) and value and _is_ranking(value):
            answer.ranks |= {str(part["value"]): part["rank"] for part in value}
        elif isinstance(value, list) and len(value) > 1 and sorted(value, key=str) == sorted(names):
            answer.ranks |= {name: rank for rank, name in enumerate(value, start=1)}
        elif isinstance(value, str) and value in names:
            answer.ranks |= {name: 1 if name == value else 2 for name in names}
        elif (
            isinstance(value, str)
            and value.strip()
            and "\0" not in value
            and question.lower().startswith(ANSWERS)
        ):
            answer.texts.append(value)
        elif is_rating(value):
            answer.ratings[question_name(question)] = value
        else:
            answer.unread.append(shown(question))
    metadata = row.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    yield from drafts_of(line, fields, answers, about, item=id_of(row))


def _answer_of(answers: Answers, user: str, question: str) -> Said:
    """Where a user's answer to a question belongs: a second answer to the same question begins
    another one.
    """
    for name, answer in answers:
        if name == user and question not in answer.asked:
            break
    else:
        answer = Said()
        answers.append((user, answer))
    answer.asked.add(question)
    return answer


def id_of(row: Row) -> str:
    value = row.get("id")
    return str(value)[:100] if isinstance(value, int | str) else ""


def is_rating(value: object) -> bool:
    """A number, or a word short enough to be a category."""
    if isinstance(value, str):
        return 0 < len(value.strip()) <= LONGEST_CATEGORY and "\0" not in value
    return isinstance(value, bool | int | float)


def _argilla_answers(responses: object) -> Iterator[tuple[str, str, object]]:
    """(question, user, value) of the answers that were submitted: by question in exports of
    Argilla 2, as a list of users with their values in its API.
    """
    if isinstance(responses, dict):
        for question, answers in responses.items():
            for answer in answers if isinstance(answers, list) else ():
                if isinstance(answer, dict) and _is_submitted(answer):
                    yield question, str(answer.get("user_id") or ""), answer.get("value")
    for answer in responses if isinstance(responses, list) else ():
        values = answer.get("values") if isinstance(answer, dict) else None
        if isinstance(values, dict) and _is_submitted(answer):
            for question, value in values.items():
                value = value.get("value") if isinstance(value, dict) else value
                yield question, str(answer.get("user_id") or ""), value


def _has_unsubmitted(responses: object) -> bool:
    parts = list(responses.values()) if isinstance(responses, dict) else responses
    answers = [
        answer
        for part in (parts if isinstance(parts, list) else ())
        for answer in (part if isinstance(part, list) else [part])
    ]
    return any(isinstance(answer, dict) and not _is_submitted(answer) for answer in answers)


def _is_submitted(answer: Row) -> bool:
    return answer.get("status") in (None, "submitted")


def _is_ranking(value: list[object]) -> bool:
    return all(
        isinstance(part, dict)
        and isinstance(part.get("rank"), int)
        and not isinstance(part["rank"], bool)
        and isinstance(part.get("value"), str)
        for part in value
    )


read_argilla = reading.each_several(
    _argilla,
    ("id", "status", "fields", "responses", "metadata", "_server_id"),
    is_by_raters=True,
)


def is_flat_argilla(row: Row) -> bool:
    """Whether it is a record as Argilla 2 publishes it to a hub: `quality.responses` has the
    values, `quality.responses.users` who gave them.
    """
    return any(name.endswith(_USERS) for name in row)


def read_flat_argilla(values: Values) -> Found:
    return read_argilla(
        replace(value, value=_record(value.value))
        if isinstance(value, Value) and isinstance(value.value, dict)
        else value
        for value in values
    )


_USERS, _STATUS = ".responses.users", ".responses.status"


def _record(row: Row) -> Row:
    """A flat record with its fields and answers where Argilla's own export has them. Suggestions
    are a model's. Answers that are no lists stay where they are, to be reported.
    """
    questions = [name.removesuffix(_USERS) for name in row if name.endswith(_USERS)]
    parts = tuple(f"{question}.{part}" for question in questions for part in _PARTS)
    about = {name: row[name] for name in ("id", "_server_id", "status") if name in row}
    fields = {
        name: value
        for name, value in row.items()
        if name not in about and not name.startswith(parts)
    }
    answers = {question: _flat_answers(row, question) for question in questions}
    unread = {
        name: row[name]
        for question, answer in answers.items()
        if answer is None
        for name in (f"{question}.responses", f"{question}{_USERS}")
        if row.get(name)
    }
    responses = {question: answer for question, answer in answers.items() if answer is not None}
    return {**about, **unread, "fields": fields, "responses": responses}


_PARTS = ("responses", "suggestion")


def _flat_answers(row: Row, question: str) -> list[Row] | None:
    values, users = row.get(f"{question}.responses"), row.get(f"{question}{_USERS}")
    if not isinstance(values, list) or not isinstance(users, list) or len(values) != len(users):
        return None
    status = row.get(f"{question}{_STATUS}")
    states = (
        status if isinstance(status, list) and len(status) == len(users) else [None] * len(users)
    )
    return [
        {"value": value, "user_id": user, "status": state}
        for value, user, state in zip(values, users, states, strict=True)
    ]
