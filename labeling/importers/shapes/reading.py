"""What the readers of all shapes share: the loop over a file's rows, the report of columns that
are not imported, and what a row says of an answer.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.importers import calls, few_values, messages
from labeling.importers.annotations import roles
from labeling.importers.drafts import (
    LICENCE_COLUMNS,
    Found,
    ImportDraft,
    ImportProblem,
    Unusable,
    drafted,
    shown,
)
from labeling.importers.few_values import FirstRows
from labeling.importers.files.lines import Value, Values
from labeling.importers.shapes import verdicts

Row = Mapping[str, Any]
Reader = Callable[[Values], Found]
Marks = dict[str, Any]
Inner = Mapping[str, Collection[str]]

TOOLS = ("tools", "functions")
ABOUT = {"category", "language", "lang", "sensitive", "constraints", *LICENCE_COLUMNS}
SCORES = (
    "helpfulness",
    "correctness",
    "coherence",
    "complexity",
    "verbosity",
    "score",
    "rating",
    "reward",
    "quality",
    "overall_score",
)
"""Columns with a number that rates an answer; the first five are HelpSteer's."""
_SCORES = frozenset(SCORES)
MARKS = {"label", *SCORES}
NAMES = {*ABOUT, *MARKS}
"""Every name that some shape reads. Names are compared without case, as in a table."""
SPLITS = ("train", "validation", "test")
"""As in labeling.models.Prompt.Split, which a pure reader does not import."""
MESSAGE = {"role", "content", "weight", "tool_calls", "function_call", *messages.THINKING}
MESSAGE |= {"channel", "recipient", "content_type"}  # gpt-oss's
RESULT = MESSAGE | {"tool_call_id", "name"}
BLOCK = {
    *("type", "text", "thinking", "id", "name", "input", "tool_use_id", "content"),
}
"""What is read in a part of a message, as Anthropic has them."""
MAX_UNKNOWN = 20
"""Unknown names that are reported: a file may use its own ids as keys."""
MAX_AUTHOR = 100
_GOOD = {
    *("true", "1", "yes", "good", "chosen", "positive", "correct", "thumbs_up", "+1", "safe"),
    *(
        "accept",
        "accepted",
        "approve",
        "approved",
        "like",
        "liked",
        "upvote",
        "up",
        "\N{THUMBS UP SIGN}",
    ),
}
_BAD = {
    *(
        "false",
        "0",
        "no",
        "bad",
        "rejected",
        "negative",
        "incorrect",
        "thumbs_down",
        "-1",
        "unsafe",
    ),
    *("reject", "disapproved", "dislike", "disliked", "downvote", "down", "\N{THUMBS DOWN SIGN}"),
}
MODELS = ("model", "model_name", "generator")
"""Columns with the model that wrote the answer."""


def each(
    draft: Callable[[int, Row], ImportDraft],
    columns: Iterable[str],
    answers: Iterable[str] = (),
    inner: Inner | None = None,
    either: Iterable[str] = (),
    own: Callable[[Row], Collection[str]] | None = None,
) -> Reader:
    """A reader that makes one draft of each row. `answers` are the columns with an answer: labels
    and scores are only read in a row that has one. `inner` has the names that are read in a
    column's objects. `either` are columns that are only read if others are not there. `own` are
    further columns that are read in this row.
    """
    return each_several(
        lambda line, row: drafted(line, row, draft), columns, answers, inner, either=either, own=own
    )


def each_several(
    drafts_of: Callable[[int, Row], Found],
    columns: Iterable[str],
    answers: Iterable[str] = (),
    inner: Inner | None = None,
    *,
    either: Iterable[str] = (),
    own: Callable[[Row], Collection[str]] | None = None,
    is_by_raters: bool = False,
) -> Reader:
    """A reader that makes any number of drafts and problems of each row. `is_by_raters` for shapes
    that say of each text which rater wrote it: other fields are about what the rater saw.
    """
    everywhere, answered, instead = {*columns, *ABOUT}, frozenset(answers), tuple(either)
    NAMES.update(everywhere, answered)

    def read(values: Values) -> Found:
        unknown: set[str] = set()
        first_rows = None if is_by_raters else FirstRows(values)
        for value in first_rows.all() if first_rows else values:
            if isinstance(value, ImportProblem):
                yield value
            elif not isinstance(value.value, dict):
                yield ImportProblem(
                    value.line, _("This is not a JSON object. Write one object per line.")
                )
            else:
                made = list(_with_tools(drafts_of(value.line, value.value), value))
                known = everywhere.union(own(value.value)) if own else everywhere
                known = known | {n for n in TOOLS if calls.are_tools(value.value.get(n))}
                unread = _unread(value.value, instead, made)
                if unread:
                    yield ImportProblem(value.line, _in_part(unread), is_once=True)
                if first_rows:
                    explained = (known | MARKS if answered else known) - unread - _OF_SEVERAL
                    made = list(_without_doubtful(made, value, explained, first_rows))
                # Nothing is lost of a row that is not imported at all.
                if any(isinstance(draft, ImportDraft) for draft in made):
                    has_answer = any(value.value.get(name) for name in answered)
                    names = known | MARKS if has_answer else known
                    yield from report(value, names, inner or {}, unknown)
                    if has_answer:
                        yield from _unreadable_scores(value)
                yield from made

    return read


def _with_tools(made: Found, value: Value) -> Found:
    """The drafts with the functions that the row describes for all of its answers."""
    name = next((name for name in TOOLS if calls.are_tools(value.value.get(name))), None)
    try:
        tools = calls.tools(value.value[name], name) if name else ()
    except Unusable as refused:
        yield ImportProblem(value.line, refused.sentence)
        return
    for draft in made:
        yield replace(draft, tools=tools) if tools and isinstance(draft, ImportDraft) else draft


def _unread(row: Row, names: Collection[str], made: Iterable[object]) -> set[str]:
    """Those of the columns with a text that is in none of the drafts."""
    there = [name for name in names if row.get(name) not in (None, "", [])]
    drafts = [draft for draft in made if isinstance(draft, ImportDraft)]
    if len(there) < 2 or not drafts:
        return set()
    stored = [
        text
        for draft in drafts
        for text in (
            *(message["content"] for message in draft.messages),
            *(message.get("reasoning_content", "") for message in draft.messages),
            *(reply.reasoning_content for reply in draft.replies),
            *(reply.text for reply in draft.replies),
            *(reply.author for reply in draft.replies),
        )
    ]
    parts = sorted(filter(None, map(_plain, stored)), key=len, reverse=True)
    whole = " ".join(parts)
    return {
        name
        for name in there
        for text in _texts_in(row[name])
        if _plain(text) not in whole and _rest(_plain(text), parts)
    }


_MARKS_OF_TURNS = re.compile(
    r"<[^<>]*>(?:user|assistant|system|developer)?|(?:human|assistant|system|user):"
    r"|### ?(?:instruction|input|response):",
    re.IGNORECASE,
)


def _rest(text: str, parts: Iterable[str]) -> str:
    """What is left of a text in a template, or of one that goes on from the prompt, without the
    parts in which it is stored.
    """
    for part in parts:
        text = text.replace(part, " ")
    return re.sub(r"[\W_]+", "", _MARKS_OF_TURNS.sub("", text))


def _plain(text: str) -> str:
    return " ".join(text.split())


_NO_TEXTS = {
    *("role", "from", "type", "weight", "id", "name", "tool_call_id", "tool_use_id"),
    *("channel", "recipient", "content_type"),
    *("tool_calls", "function_call", "input", "signature", *messages.THINKING),
}
"""Sides of messages, and their parts, which are read or refused with the message."""


def _texts_in(value: object) -> list[str]:
    """All texts of a cell but the sides of messages, and thinking and calls."""
    waiting, texts = [value], []
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [part[key] for key in part.keys() - _NO_TEXTS]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and part.strip():
            texts.append(part)
    return texts


def _in_part(names: Collection[str]) -> str:
    sentence = _(
        "%(names)s holds something that is not imported, because other fields have the prompt and"
        " the answer. If it is part of them, choose the columns under Columns."
    )
    return sentence % {"names": ", ".join(sorted(names))}


def _without_doubtful(
    made: Sequence[ImportDraft | ImportProblem],
    value: Value,
    explained: set[str],
    first_rows: FirstRows,
) -> Found:
    """The drafts, without demonstrations if a field of the row that nobody explained may be a
    verdict on the answer or its author.
    """
    replies = [reply for draft in made if isinstance(draft, ImportDraft) for reply in draft.replies]
    if not any(reply.is_human for reply in replies):
        yield from made
        return
    doubtful = verdicts.of_row(value.value, explained)
    few = {} if doubtful else first_rows.may_judge(value.value, explained)
    if doubtful:
        yield ImportProblem(value.line, no_demonstrations(doubtful), is_once=True, asks=True)
    elif few:
        yield ImportProblem(value.line, few_values.no_demonstrations(few), is_once=True, asks=True)
    for draft in made:
        if isinstance(draft, ImportDraft) and (doubtful or few):
            plain = tuple(replace(reply, is_human=False) for reply in draft.replies)
            draft = replace(draft, replies=plain)
        yield draft


_OF_SEVERAL = {"labels", "score_chosen", "score_rejected"}
"""Known fields of rows with several answers or steps. Beside a single answer nothing reads them."""


def no_demonstrations(names: Collection[str]) -> str:
    """A sentence that names the fields for which answers are no demonstrations."""
    listed = [shown(name) for name in sorted(names)[:MAX_UNKNOWN]]
    sentence = _(
        "%(names)s may say whether the answer is good or who wrote it, so such answers are stored"
        " as responses, not as demonstrations. Choose it as “Good or bad” or “Model” under Columns,"
        " or remove it from the file if it says neither."
    )
    return sentence % {"names": ", ".join(listed)}


def report(value: Value, known: set[str], inner: Inner, unknown: set[str]) -> Found:
    """Names that are not imported, each once, where it comes first."""
    new = _unknown_names(value.value, known, inner, is_table=bool(value.heading)) - unknown
    if new and len(unknown) < MAX_UNKNOWN:
        unknown |= new
        sentence = not_imported(new)
        if roles.names_raters(new):
            hint = _("If raters gave these answers, use Campaigns › Import answers.")
            sentence = f"{sentence} {hint}"
        yield ImportProblem(value.heading or value.line, sentence)


def _unreadable_scores(value: Value) -> Found:
    for name in _scores_in(value.value):
        score = value.value[name]
        if _is_unreadable(score):
            sentence = _("`%(name)s` is “%(value)s”, which is no number, so it is not imported.")
            words = {"name": name, "value": shown(score)}
            yield ImportProblem(value.line, sentence % words, is_once=True)


def _scores_in(row: Row) -> Sequence[str]:
    return () if _SCORES.isdisjoint(row) else [name for name in SCORES if name in row]


def _is_unreadable(score: object) -> bool:
    return score is not None and score != "" and number_of(score) is None


def not_imported(names: Collection[str]) -> str:
    """A sentence that names fields of a file that nothing reads."""
    listed = [shown(name) for name in sorted(names)[:MAX_UNKNOWN]]
    sentence = ngettext(
        "The field %(names)s is not imported. Rename it if it has another name here.",
        "The fields %(names)s are not imported. Rename them if they have other names here.",
        len(listed),
    )
    return sentence % {"names": ", ".join(listed)}


def _unknown_names(row: Row, known: set[str], inner: Inner, *, is_table: bool) -> set[str]:
    """Names in a row, and in the objects of its lists, that nothing reads. An empty field is only
    named in a table, where it is a column.
    """
    names = {
        name for name, value in row.items() if name not in known and (is_table or _is_said(value))
    }
    for name, value in row.items():
        if name not in known or not isinstance(value, list):
            continue
        for part in value:
            if isinstance(part, dict) and (name in inner or "role" in part):
                is_result = part.get("role") in messages.OF_TOOLS
                read = inner.get(name, RESULT if is_result else MESSAGE)
                names |= {
                    f"{name}[].{key}"
                    for key, within in part.items()
                    if key not in read and _is_said(within)
                }
                names |= {f"{name}[].content[].{key}" for key in _unread_of_blocks(part)}
    return names


def _unread_of_blocks(message: Row) -> set[str]:
    content = message.get("content")
    blocks = [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    return {
        "redacted_thinking" if block.get("type") == "redacted_thinking" else key
        for block in blocks
        for key, value in block.items()
        if key not in BLOCK and _is_said(value) and value is not False
    }


def _is_said(value: object) -> bool:
    return value is not None and value not in ([], {})


def split_of(row: Row) -> str:
    """The split that a row wants for its prompt; empty if it names none."""
    return row["split"] if row.get("split") in SPLITS else ""


def marks_of(row: Row) -> tuple[Marks, bool]:
    """What a row says of its answer, and whether the answer may be a demonstration: not one that
    is labeled bad, or unreadably, and not one that is only rated.
    """
    marks: Marks = {}
    scores = _scores_in(row)
    for name in scores:
        if (score := number_of(row[name])) is not None:
            marks[name] = score
    label = row.get("label")
    if label is None or label == "":
        return marks, not marks and not any(_is_unreadable(row[name]) for name in scores)
    verdict = verdict_of(label)
    return {"label": shown(label) if verdict is None else verdict} | marks, verdict is True


def verdict_of(label: object) -> bool | None:
    """Whether a label says good or bad; None if it says neither."""
    word = str(label).strip().lower() if isinstance(label, str | int | float) else ""
    word = word.removesuffix(".0")
    return True if word in _GOOD else False if word in _BAD else None


def number_of(value: object) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def author_of(row: Row, *names: str) -> str:
    """The model that a row names; empty if there is none."""
    name = next((name for name in names or MODELS if row.get(name) not in (None, "")), "")
    named = row[name] if name else ""
    if not isinstance(named, str) or len(named) > MAX_AUTHOR or "\0" in named:
        sentence = _("`%(name)s` must be a name of at most %(n)d characters.")
        raise Unusable(sentence % {"name": name, "n": MAX_AUTHOR})
    return named.strip()
