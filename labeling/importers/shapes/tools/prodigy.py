"""Prodigy's tasks with options or a text field, each with the answer of one annotator."""

from django.utils.translation import gettext as _

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
from labeling.importers.shapes import chats, reading
from labeling.importers.shapes.reading import Row

_PROMPTS = ("prompt", "text", "html")
_ANNOTATORS = ("_annotator_id", "_session_id")
_MARKS = ("_input_hash", "_task_hash", "_view_id", "_timestamp", "_is_binary", "config")
_INPUT = (
    *("field_id", "field_label", "field_placeholder", "field_rows", "field_autofocus"),
    "field_suggestions",
)
"""How the field looks in which the annotator types."""


def is_task(row: Row) -> bool:
    """Whether it has options of which some were accepted, or what an annotator typed."""
    is_choice = isinstance(row.get("options"), list) and isinstance(row.get("accept"), list)
    has_answer = row.get("answer") in ("accept", "reject", "ignore")
    return has_answer and (is_choice or isinstance(row.get("user_input"), str))


def _drafts(line: int, row: Row) -> Found:
    name = next((shown(row[by]) for by in _ANNOTATORS if row.get(by)), "")
    if row.get("answer") != "accept":
        sentence = _("`answer` is “%(answer)s”, so this task has nothing to import.")
        yield ImportProblem(line, sentence % {"answer": shown(row.get("answer"))})
        return
    yield from drafted(line, row, lambda line, row: _draft(line, row, name))


def _draft(line: int, row: Row, name: str) -> ImportDraft:
    field = next((field for field in _PROMPTS if row.get(field) not in (None, "")), "text")
    replies = _options(row)
    typed = row.get("user_input")
    if isinstance(typed, str) and typed.strip():
        replies = (*replies, _typed(row, response_text(typed, "user_input")))
    return ImportDraft(
        line,
        chats.with_system(row, one_prompt(row.get(field), field)),
        replies,
        is_compared=any(reply.rank for reply in replies),
        worker=name,
        answer=Answer() if name else None,
    )


def _typed(row: Row, text: str) -> Reply:
    """A demonstration unless the task's label or scores call it bad, or it names a model."""
    marks, is_good = reading.marks_of(row)
    author = reading.author_of(row)
    is_human = is_good and not author
    return Reply(text, is_human=is_human, is_typed=True, author=author, marks=marks)


def _options(row: Row) -> tuple[Reply, ...]:
    """The accepted options before the others; without ranks if all or none were accepted."""
    options, accepted = row.get("options"), row.get("accept")
    if not isinstance(options, list) or not isinstance(accepted, list):
        return ()
    replies = []
    for n, option in enumerate(options):
        if not isinstance(option, dict):
            raise Unusable(
                _("`%(name)s` is not an object with a `text`.") % {"name": f"options[{n}]"}
            )
        text = response_text(option.get("text", option.get("html")), f"options[{n}].text")
        replies.append((option.get("id"), text))
    good = [known in accepted for known, _text in replies]
    is_ranked = any(good) and not all(good)
    return tuple(
        Reply(text, (1 if is_good else 2) if is_ranked else None)
        for (_known, text), is_good in zip(replies, good, strict=True)
    )


read = reading.each_several(
    _drafts,
    (
        *(*_PROMPTS, *_ANNOTATORS, *_MARKS, *_INPUT, *chats.SYSTEM_COLUMNS),
        *("options", "accept", "answer", "user_input"),
    ),
    answers=("user_input",),
    inner={"options": {"id", "text", "html"}},
    own=lambda row: reading.MODELS if row.get("user_input") else (),
)
