"""TRL's other formats: prompt-only, preference with an implicit prompt, unpaired preference and
stepwise supervision; and every format without chats, where that says the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
from django.utils.translation import gettext_noop

from arithmetic.chats import Message
from labeling.data.exports.columns import (
    ABOUT,
    CHATS,
    MESSAGES,
    PAIR,
    WRITTEN,
    Record,
    about,
    has_parts,
    parts_of,
    tools_of,
    written,
)
from labeling.data.exports.rows import (
    ComparisonRow,
    DemonstrationRow,
    MarkedRow,
    PromptRow,
    RankedText,
    licence_expression,
)
from labeling.guidelines import rating_form

_NO_FORM: Mapping[str, object] = {"questions": []}
ALL_TIED = gettext_noop("rankings in which all responses have the same rank")
BETWEEN = gettext_noop("responses between the best and the worst")
UNRANKED = gettext_noop("responses that were not ranked")
UNDECIDED = gettext_noop("single responses whose ratings call them neither good nor bad")
NO_LABEL = gettext_noop("imported responses whose label is neither good nor bad")
NO_STEPS = gettext_noop("imported responses whose steps cannot be told apart")
SEVERAL_TURNS = gettext_noop(
    "conversations with a system message or several turns, which one text cannot hold"
)
WITH_PARTS = gettext_noop("rows with thinking or tool calls, which one text cannot hold")

_ORIGIN = (
    ("prompt_id", pa.int64()),
    ("split", pa.string()),
    ("category", pa.string()),
    ("language", pa.string()),
    ("licence", pa.string()),
    ("prompt_licence", pa.string()),
    ("prompt_source", pa.string()),
)
SCHEMAS: dict[str, pa.Schema] = {
    "prompts": pa.schema([("prompt", MESSAGES), *_ORIGIN]),
    "implicit": pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES), *ABOUT, *PAIR]),
    "unpaired": pa.schema(
        [
            ("prompt", MESSAGES),
            ("completion", MESSAGES),
            ("label", pa.bool_()),
            ("label_from", pa.string()),
            ("response", pa.int64()),
            *ABOUT,
            *WRITTEN,
        ]
    ),
    "stepwise": pa.schema(
        [
            ("prompt", pa.string()),
            ("completions", pa.list_(pa.string())),
            ("labels", pa.list_(pa.bool_())),
            ("response", pa.int64()),
            *_ORIGIN,
            *WRITTEN,
        ]
    ),
}


def as_prompt(row: PromptRow) -> Record:
    return {"prompt": row.messages} | _origin(row, row.source_name)


def as_implicit(pair: Record) -> Record:
    """A pair with an explicit prompt as two whole conversations."""
    conversations = {side: [*pair["prompt"], *pair[side]] for side in ("chosen", "rejected")}
    return {name: value for name, value in pair.items() if name != "prompt"} | conversations


def as_unpaired(row: ComparisonRow, left_out: Counter[str]) -> Iterator[Record]:
    """The best responses are labeled true, the worst false. If the rater found all of them bad, all
    are false. A single response is what its ratings call it.
    """
    if row.is_all_bad:
        for response in row.responses:
            yield _labeled(row, response, label=False, label_from="all bad")
        return
    if len(row.responses) == 1:
        (response,) = row.responses
        label = rating_form.verdict(rating_form.parse(row.form or _NO_FORM), response.ratings)
        if label is None:
            left_out[UNDECIDED] += 1
        else:
            yield _labeled(row, response, label=label, label_from="rating")
        return
    ranks = [response.rank for response in row.responses if response.rank is not None]
    left_out[UNRANKED] += len(row.responses) - len(ranks)
    if not ranks or min(ranks) == max(ranks):
        left_out[ALL_TIED] += bool(ranks)
        return
    for response in row.responses:
        if response.rank in (min(ranks), max(ranks)):
            is_best = response.rank == min(ranks)
            yield _labeled(row, response, label=is_best, label_from="ranking")
        elif response.rank is not None:
            left_out[BETWEEN] += 1


def _labeled(row: ComparisonRow, response: RankedText, *, label: bool, label_from: str) -> Record:
    texts = {"prompt": row.messages, "completion": response.turn_of(response.text)}
    marks = {"label": label, "label_from": label_from, "response": response.response_id}
    licence = licence_expression({row.licence, response.licence})
    return (
        texts
        | marks
        | about(row)
        | {
            "licence": licence,
            "response_licence": response.licence,
            "response_source": response.source_name,
        }
    )


def as_called_good(row: DemonstrationRow) -> Record:
    """A demonstration that its file calls good."""
    texts = {"prompt": row.messages, "completion": row.turn_of(row.response)}
    marks = {"label": True, "label_from": "import", "response": None}
    return texts | marks | about(row) | written(row)


def as_marked(rows: Iterable[MarkedRow], left_out: Counter[str]) -> Iterator[Record]:
    """Responses that their file calls good or bad."""
    for row in rows:
        label = row.marks["label"]
        if not isinstance(label, bool):
            left_out[NO_LABEL] += 1
            continue
        texts = {"prompt": row.messages, "completion": row.turn_of(row.text)}
        marks = {"label": label, "label_from": "import", "response": row.response_id}
        yield (
            dict.fromkeys(dict(ABOUT)) | texts | marks | _origin(row, row.prompt_source) | _by(row)
        )


def as_stepwise(rows: Iterable[MarkedRow], left_out: Counter[str]) -> Iterator[Record]:
    """Responses with a label for each step. An import stores a step per line, so one whose steps
    have several lines is left out. TRL has this format with texts only.
    """
    for row in rows:
        steps, labels = row.text.split("\n"), row.marks["labels"]
        prompt = _prompt_text(row.messages)
        if len(steps) != len(labels):
            left_out[NO_STEPS] += 1
        elif prompt is None:
            left_out[SEVERAL_TURNS] += 1
        elif row.tools or parts_of(row):
            left_out[WITH_PARTS] += 1
        else:
            marks = {"completions": steps, "labels": labels, "response": row.response_id}
            yield {"prompt": prompt} | marks | _origin(row, row.prompt_source) | _by(row)


def _origin(row: PromptRow | MarkedRow, prompt_source: str) -> Record:
    return tools_of(row.tools) | {
        "prompt_id": row.prompt_id,
        "split": row.split,
        "category": row.category,
        "language": row.language,
        "licence": licence_expression(row.licences),
        "prompt_licence": row.licence,
        "prompt_source": prompt_source,
    }


def _by(row: MarkedRow) -> Record:
    return {"response_licence": row.response_licence, "response_source": row.source_name}


# --- texts instead of chats -----------------------------------------------------------------------


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The same columns with a text for every chat. A whole conversation is called `text`."""
    return pa.schema(
        [
            ("text" if field.name == "messages" else field.name, pa.string())
            if field.type == MESSAGES
            else (field.name, field.type)
            for field in schema
        ]
    )


def as_plain(records: Iterable[Record], left_out: Counter[str]) -> Iterator[Record]:
    """Rows with texts. A row that a text cannot hold is left out and counted: flattening its turns
    would make something else of it.
    """
    for record in records:
        if has_parts(record):
            left_out[WITH_PARTS] += 1
            continue
        texts = {
            ("text" if name == "messages" else name): _text(name, messages)
            for name, messages in record.items()
            if name in CHATS and isinstance(messages, list)
        }
        if None in texts.values():
            left_out[SEVERAL_TURNS] += 1
        else:
            yield texts | {name: value for name, value in record.items() if name not in CHATS}


def _text(name: str, messages: list[Message]) -> str | None:
    if name == "prompt":
        return _prompt_text(messages)
    if [message["role"] for message in messages] == ["assistant"]:
        return messages[0]["content"]
    if [message["role"] for message in messages] == ["user", "assistant"]:
        return "\n\n".join(message["content"] for message in messages)
    return None


def _prompt_text(messages: list[Message]) -> str | None:
    return messages[0]["content"] if [message["role"] for message in messages] == ["user"] else None
