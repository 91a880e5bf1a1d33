"""Exports of other labeling tools: Argilla 2 records and Label Studio tasks. The answers of each
annotator become a draft of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _

from labeling.importers.annotations import times
from labeling.importers.annotations.questions import LONGEST_CATEGORY
from labeling.importers.annotations.roles import question_name
from labeling.importers.drafts import (
    Answer,
    Found,
    ImportDraft,
    ImportProblem,
    Message,
    Reply,
    Unusable,
    drafted,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import reading
from labeling.importers.shapes.reading import Row

PROMPTS = ("prompt", "instruction", "question", "query", "chat", "messages", "input", "text")
_ANSWERS = ("response", "answer", "completion", "output", "generation")


@dataclass
class _Said:
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
    asked: set[str] = field(default_factory=set)


_Answers = list[tuple[str, _Said]]
"""Each answer with its annotator, who may have answered twice."""


def _drafts(line: int, fields: Row, answers: _Answers, about: Row, *, item: str = "") -> Found:
    """One draft per answer, or one without an annotator."""
    try:
        messages = _prompt(fields)
        responses = _responses(fields)
    except Unusable as error:
        yield ImportProblem(line, error.sentence)
        return
    if unread := _unread(fields):
        yield ImportProblem(line, reading.not_imported(unread), is_once=True)
    for name, own in answers or [("", _Said())]:
        if len(responses) > 1:  # nobody says which of them is rated
            own.unread += [shown(question) for question in own.ratings]
            own.ratings.clear()
        for question in own.unread:
            sentence = _("The answers to “%(question)s” are not imported.")
            yield ImportProblem(line, sentence % {"question": question}, is_once=True)
        ranks = {known: own.ranks[known] for known in responses if known in own.ranks}
        replies = [
            *(Reply(text, ranks.get(known)) for known, text in responses.items()),
            *(Reply(text, is_human=True) for text in own.texts),
        ]
        if own.ratings and not responses:  # the text that was rated stands for both
            replies.insert(0, Reply(messages[-1]["content"]))
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
        return reading.chat(value, name)
    return reading.with_system(fields, one_prompt(value, name))


def _unread(fields: Row) -> set[str]:
    """The fields that are neither the prompt nor a response."""
    prompt = next(name for name in PROMPTS if fields.get(name) not in (None, ""))
    read = {prompt, "items", *reading.SYSTEM_COLUMNS} | reading.ABOUT
    return {
        name
        for name, value in fields.items()
        if name not in read
        and value not in (None, "", [])
        and not name.lower().startswith(_ANSWERS)
    }


def _responses(fields: Row) -> dict[str, str]:
    """The texts to compare, by the name of their field (or by the id of an item)."""
    responses = {}
    for name, value in fields.items():
        if name.lower().startswith(_ANSWERS) and value not in (None, ""):
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
    answers: _Answers = []
    names = [name for name in fields if name.lower().startswith(_ANSWERS)]
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
            and question.lower().startswith(_ANSWERS)
        ):
            answer.texts.append(value)
        elif _is_rating(value):
            answer.ratings[question_name(question)] = value
        else:
            answer.unread.append(shown(question))
    metadata = row.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    yield from _drafts(line, fields, answers, about, item=_id(row))


def _answer_of(answers: _Answers, user: str, question: str) -> _Said:
    """Where a user's answer to a question belongs: a second answer to the same question begins
    another one.
    """
    for name, answer in answers:
        if name == user and question not in answer.asked:
            break
    else:
        answer = _Said()
        answers.append((user, answer))
    answer.asked.add(question)
    return answer


def _id(row: Row) -> str:
    value = row.get("id")
    return str(value)[:100] if isinstance(value, int | str) else ""


def _is_rating(value: object) -> bool:
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


# --- Label Studio ---------------------------------------------------------------------------------


def _label_studio(line: int, row: Row) -> Found:
    data = row.get("data")
    if not isinstance(data, dict):
        yield ImportProblem(line, _("`data` is not an object. Fix or remove this line."))
        return
    annotations = row.get("annotations")
    answers: _Answers = []
    for place, annotation in enumerate(annotations if isinstance(annotations, list) else ()):
        if isinstance(annotation, dict) and annotation.get("was_cancelled") is not True:
            results = annotation.get("result")
            if not isinstance(results, list) or not results:
                continue
            answer = _Said()
            answers.append((_annotator(annotation, place), answer))
            answer.at, _why = times.moment(str(annotation.get("created_at") or ""))
            answer.active_s = reading.number_of(annotation.get("lead_time"))
            for result in results:
                if isinstance(result, dict) and isinstance(result.get("value"), dict):
                    _note(answer, result, result["value"], data)
    yield from _drafts(line, data, answers, data, item=_id(row))


def _annotator(annotation: Row, place: int) -> str:
    """The annotator's number: an e-mail address must not become a name."""
    by = annotation.get("completed_by")
    number = by.get("id") if isinstance(by, dict) else by
    if isinstance(number, int) and not isinstance(number, bool):
        return f"annotator {number}"
    if isinstance(annotation.get("rater"), str):  # in this site's own export: an alias
        return shown(annotation["rater"])
    return f"annotation {place + 1}"


def _note(answer: _Said, result: Row, value: Row, data: Row) -> None:
    kind = result.get("type")
    names = [name for name in data if name.lower().startswith(_ANSWERS)]
    texts = value.get("text")
    if kind == "pairwise" and value.get("selected") in ("left", "right") and len(names) == 2:
        is_left = value["selected"] == "left"
        answer.ranks = dict(zip(names, (1, 2) if is_left else (2, 1), strict=True))
    elif kind == "ranker" and (order := _order(value.get("ranker"))):
        answer.ranks = {name: rank for rank, name in enumerate(order, start=1)}
    elif kind == "textarea":
        texts = texts if isinstance(texts, list) else [texts]
        answer.texts += [
            text for text in texts if isinstance(text, str) and text.strip() and "\0" not in text
        ]
    elif (rating := _rating(str(kind), value)) is not None:
        answer.ratings[question_name(shown(result.get("from_name")))] = rating
    else:
        answer.unread.append(shown(result.get("from_name")))


def _rating(kind: str, value: Row) -> object:
    """A number of stars, a number, or the one chosen category; None for anything else."""
    rating = value.get(kind)
    if kind == "choices" and isinstance(rating, list) and len(rating) == 1:
        rating = rating[0]
    is_known = kind in ("rating", "number", "choices") and _is_rating(rating)
    return rating if is_known else None


def _order(ranker: object) -> list[str]:
    """The ids in order; a ranker with several lists has them by the list's name."""
    if isinstance(ranker, dict):
        ranker = ranker.get("rank") or next(iter(ranker.values()), None)
    if not isinstance(ranker, list) or not all(isinstance(name, str | int) for name in ranker):
        return []
    return [str(name) for name in ranker]


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


read_label_studio = reading.each_several(
    _label_studio,
    (
        "id",
        "inner_id",
        "data",
        "annotations",
        "created_at",
        "updated_at",
        "project",
        "file_upload",
        "total_annotations",
        "cancelled_annotations",
        "total_predictions",
    ),
    is_by_raters=True,
)
