"""Plain prompts: rows with a `prompt`, `text` or `messages` column, and optionally responses."""

import json
from collections.abc import Iterator

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.drafts import (
    LICENCE_COLUMNS,
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
from labeling.importers.files.lines import Value, Values
from labeling.importers.messages import ends_with_user
from labeling.importers.shapes import chats, reading, templated
from labeling.importers.shapes.reading import Row

PROMPT_COLUMNS = ("prompt", "text", "messages")
COLUMNS = {
    *PROMPT_COLUMNS,
    "response",
    "responses",
    "answers",
    "question",
    "split",
    *reading.MODELS,
    *chats.SYSTEM_COLUMNS,
}


def read(values: Values) -> Found:
    return _ROWS(_objects(values))


def _objects(values: Values) -> Values:
    """Rows, with a text standing for its prompt. A table without a column for the prompt is
    reported once.
    """
    for value in values:
        if isinstance(value, ImportProblem):
            yield value
        elif isinstance(value.value, str):
            yield Value(value.line, {"prompt": value.value})
        elif not isinstance(value.value, dict):
            yield ImportProblem(
                value.line, _("This is neither an object nor text. Write one JSON object per line.")
            )
        elif value.heading and not value.value.keys() & set(PROMPT_COLUMNS):
            yield ImportProblem(
                value.heading,
                _(
                    "No column is named prompt, text or messages. Rename the column that holds the"
                    " prompt, or choose it under Columns."
                ),
            )
            return
        else:
            yield value


def _draft(line: int, row: Row) -> ImportDraft:
    if not row.keys() & set(PROMPT_COLUMNS) and "question" in row and _ranked(row.get("answers")):
        row = {**row, "prompt": row["question"]}
    columns = [column for column in PROMPT_COLUMNS if row.get(column) is not None]
    # Some datasets number their prompts in a column `prompt` and keep the text in `text`.
    name = next(
        (column for column in columns if isinstance(row[column], str | list)),
        columns[0] if columns else None,
    )
    if name is None:
        raise Unusable(_without_prompt(row))
    marks, is_good = reading.marks_of(row)
    name, messages = _whole(row, name, chats.with_system(row, _messages(row[name], name)))
    author = reading.author_of(row)
    if name == "messages" and chats.is_unlearned(_unfolded(row[name])):
        is_good, marks = False, marks | {"weight": 0}
    has_response = row.get("response") not in (None, "")
    replies: tuple[Reply, ...] = ()
    if messages[-1]["role"] == "assistant":
        # A second answer in the row is the one that is marked.
        replies = (
            Reply.of(messages[-1], is_human=not author and "weight" not in marks)
            if has_response
            else Reply.of(
                messages[-1], is_human=is_good and not author, author=author, marks=marks
            ),
        )
        messages = messages[:-1]
    # CSV writes a missing value as an empty cell.
    if has_response:
        replies = (
            *replies,
            Reply(
                response_text(row["response"], "response"),
                is_human=is_good and not author,
                author=author,
                marks=marks,
            ),
        )
    replies += tuple(_written(row.get("responses"), author))
    ranked = _ranked(row.get("answers"))
    return ImportDraft(
        line,
        ends_with_user(messages, name),
        replies + ranked,
        is_compared=bool(ranked),
        split=reading.split_of(row),
    )


def _without_prompt(row: Row) -> str:
    """What to do with a row in which nothing has a prompt's name."""
    if isinstance(row.get("columns"), list) and isinstance(row.get("data"), list):
        return _(
            "This is a whole table in one JSON object (columns and data). Save it as CSV or as JSON"
            " lines."
        )
    texts = [shown(name) for name, value in row.items() if _may_be_prompt(value)]
    if not texts:
        return _(
            "`prompt`, `text` and `messages` are all missing. Add one of these fields or remove"
            " this line."
        )
    sentence = _(
        "`prompt`, `text` and `messages` are all missing; the row has %(names)s. Choose under"
        " Columns which of them is the prompt, or rename it."
    )
    return sentence % {"names": ", ".join(texts[: reading.MAX_UNKNOWN])}


def _may_be_prompt(value: object) -> bool:
    """Whether it is a text or a conversation."""
    first = value[0] if isinstance(value, list) and value else None
    return (isinstance(value, str) and bool(value.strip())) or (
        isinstance(first, dict) and bool({"role", "from"} & first.keys())
    )


def _ranked(value: object) -> tuple[Reply, ...]:
    """The answers of several models with their ranks, as Nectar has them, or with the scores that
    people's votes gave them, as Stack Exchange's; none in anything else.
    """
    entries = value if isinstance(value, list) else []
    if len(entries) < 2 or not all(isinstance(entry, dict) for entry in entries):
        return ()
    for text, number, sign in (("answer", "rank", 1), ("text", "pm_score", -1)):
        found = [reading.number_of(entry.get(number)) for entry in entries]
        numbers = [sign * n for n in found if n is not None]
        if len(numbers) < len(entries) or not all(text in entry for entry in entries):
            continue
        place = {n: at for at, n in enumerate(sorted(set(numbers)), start=1)}
        return tuple(
            Reply(
                response_text(entry[text], f"answers[{n}].{text}"),
                place[number_of_entry],
                author=reading.author_of(entry),
            )
            for n, (entry, number_of_entry) in enumerate(zip(entries, numbers, strict=True))
        )
    return ()


def _whole(row: Row, name: str, messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """The column with the whole conversation, where another one has the same prompt with its
    answer, and its messages.
    """
    prompt = messages[-1]["content"].strip()
    if name == "messages" or messages[-1]["role"] != "user":
        return name, messages
    if row.get("messages") not in (None, "", []):
        turns = chats.with_system(row, _messages(row["messages"], "messages"))
        if any(prompt in turn["content"] for turn in turns):
            return "messages", turns
    text = row.get("text")
    if name != "text" and isinstance(text, str):
        if turns := templated.messages_in(text, "text") or ():
            if any(prompt in turn["content"] for turn in turns):
                return "text", chats.with_system(row, turns)
        elif text.strip().startswith(prompt) and (rest := text.strip()[len(prompt) :].strip()):
            return name, (*messages, {"role": "assistant", "content": rest})
    return name, messages


def _messages(value: object, name: str) -> tuple[Message, ...]:
    value = _unfolded(value) if name == "messages" else value
    if isinstance(value, list) or name == "messages":
        return chats.chat(value, name)
    if isinstance(value, str) and (turns := templated.messages_in(value, name)):
        return turns
    return one_prompt(value, name)


def _written(value: object, author: str) -> Iterator[Reply]:
    """Responses by models: texts, or objects with `text` and, if known, `model`, `sampling`,
    `is_ended`, `licence`, and a label or scores.
    """
    if value in (None, ""):
        return
    if not isinstance(value, list):
        raise Unusable(_("`responses` is not a list. Give texts, or objects with a `text`."))
    for index, entry in enumerate(value):
        name = f"responses[{index}]"
        if not isinstance(entry, dict):
            yield Reply(response_text(entry, name), author=author)
            continue
        sampling, is_ended = entry.get("sampling") or {}, entry.get("is_ended")
        if not isinstance(sampling, dict) or not isinstance(is_ended, bool | None):
            raise Unusable(
                _("`%(name)s`: sampling must be an object and is_ended must be true or false.")
                % {"name": name}
            )
        yield chats.reply_in(
            entry,
            name,
            author=reading.author_of(entry) or author,
            sampling=sampling,
            is_ended=is_ended,
            licence=licence_of(entry),
            marks=reading.marks_of(entry)[0],
        )


def _unfolded(value: object) -> object:
    """Messages, which a CSV cell can only hold as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Unusable(
            _(
                "`messages` is not JSON. Write it as a JSON list of messages, or rename the column"
                " to prompt."
            )
        ) from error


_INNER = {
    "responses": {
        *("text", "sampling", "is_ended", *chats.ANSWER_PARTS),
        *reading.MODELS,
        *LICENCE_COLUMNS,
        *reading.MARKS,
    }
}
_ROWS = reading.each(
    _draft,
    COLUMNS,
    answers=("response", "messages"),
    inner=_INNER,
    either=("answers", "question", *PROMPT_COLUMNS, *chats.SYSTEM_COLUMNS),
)
