"""Plain prompts: JSON lines or CSV with a `prompt`, `text` or `messages` column, and optionally a
response.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.importers.drafts import (
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    conversation,
    drafted,
    ends_with_user,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.lines import FileLine, json_values, lines

PROMPT_COLUMNS = ("prompt", "text", "messages")
KNOWN_COLUMNS = {
    *PROMPT_COLUMNS,
    "response",
    "responses",
    "model",
    "category",
    "language",
    "lang",
    "sensitive",
    "constraints",
}
MAX_AUTHOR = 100
MAX_UNKNOWN = 20
"""Unknown names that are reported: a file may use its own ids as keys."""
_SURROGATE = "surrogateescape"
# The csv module has one global limit. Longer cells are reported, not read.
MAX_CELL = 1_000_000
csv.field_size_limit(MAX_CELL)


def read_jsonl(stream: BinaryIO) -> Found:
    unknown: set[str] = set()
    for found in json_values(stream):
        if isinstance(found, ImportProblem):
            yield found
        elif isinstance(found.value, str):
            yield from drafted(found.line, {"prompt": found.value}, _draft)
        elif isinstance(found.value, dict):
            new = _unknown(found.value) - unknown
            if new and len(unknown) < MAX_UNKNOWN:
                unknown |= new
                yield _not_imported(found.line, new)
            yield from drafted(found.line, found.value, _draft)
        else:
            yield ImportProblem(
                found.line, _("This is neither an object nor text. Write one JSON object per line.")
            )


def _unknown(row: Mapping[str, Any]) -> set[str]:
    """Names that mean nothing here, in a row that has a prompt."""
    return row.keys() - KNOWN_COLUMNS if row.keys() & set(PROMPT_COLUMNS) else set()


def _not_imported(line: int, names: Iterable[str]) -> ImportProblem:
    """Reported once for each name, at the line where it comes first."""
    listed = [shown(name) for name in sorted(names)[:MAX_UNKNOWN]]
    sentence = ngettext(
        "The field %(names)s is not imported. Rename it if it has another name here.",
        "The fields %(names)s are not imported. Rename them if they have other names here.",
        len(listed),
    )
    return ImportProblem(line, sentence % {"names": ", ".join(listed)})


def read_csv(stream: BinaryIO) -> Found:
    for record in records(stream):
        if isinstance(record, ImportProblem):
            yield record
        else:
            yield from drafted(record.line, record.row, _draft)


@dataclass(frozen=True)
class Record:
    """A CSV row as a dictionary by heading, and the line it starts on."""

    line: int
    row: dict[str, str]


def records(stream: BinaryIO, needed: Sequence[str] = ()) -> Iterator[Record | ImportProblem]:
    """The rows below a heading that has the `needed` columns or, if none are needed, a prompt
    column.
    """
    rows = _rows(stream)
    heading = next(rows, None)
    if heading is None:
        return
    if isinstance(heading, ImportProblem):
        yield heading
        return
    names = [cell.strip().lower() for cell in heading.cells]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        yield ImportProblem(
            heading.line,
            _("The header has the column %(names)s twice. Rename or remove one of them.")
            % {"names": ", ".join(map(shown, twice))},
        )
        return
    if missing := [name for name in needed if name not in names]:
        yield ImportProblem(
            heading.line,
            _("Missing column %(names)s. Add it to the header.") % {"names": ", ".join(missing)},
        )
        return
    if not needed and not set(names) & set(PROMPT_COLUMNS):
        yield ImportProblem(
            heading.line,
            _(
                "No column is named prompt, text or messages. Rename the column that holds the"
                " prompt."
            ),
        )
        return
    if not needed and (unknown := set(names) - KNOWN_COLUMNS - {""}):
        yield _not_imported(heading.line, unknown)
    for row in rows:
        yield row if isinstance(row, ImportProblem) else _record(row, names)


def _record(row: "_Row", names: list[str]) -> Record | ImportProblem:
    if len(row.cells) != len(names):
        sentence = _(
            "%(n)d cells, but the header has %(wanted)d. Check the quotation marks and separators."
        )
        return ImportProblem(row.line, sentence % {"n": len(row.cells), "wanted": len(names)})
    if any("\udc80" <= c <= "\udcff" for cell in row.cells for c in cell):
        return ImportProblem(
            row.line,
            _("A cell is not UTF-8. Save the file as UTF-8, or fix or remove this line."),
        )
    return Record(row.line, dict(zip(names, row.cells, strict=True)))


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def _draft(line: int, row: Mapping[str, Any]) -> ImportDraft:
    given = [column for column in PROMPT_COLUMNS if row.get(column) is not None]
    # Some data sets number their prompts in a column `prompt` and keep the text in `text`.
    name = next(
        (column for column in given if isinstance(row[column], str | list)),
        given[0] if given else None,
    )
    if name is None:
        raise Unusable(
            _(
                "`prompt`, `text` and `messages` are all missing. Add one of these fields or remove"
                " this line."
            )
        )
    value = _unfolded(row[name]) if name == "messages" else row[name]
    is_chat = isinstance(value, list) or name == "messages"
    messages = conversation(value, name) if is_chat else one_prompt(value, name)
    replies: tuple[Reply, ...] = ()
    if messages[-1]["role"] == "assistant":
        replies = (Reply(messages[-1]["content"], is_human=True),)
        messages = messages[:-1]
    # CSV writes a missing value as an empty cell.
    if row.get("response") not in (None, ""):
        author = _author(row)
        replies = (
            *replies,
            Reply(response_text(row["response"], "response"), is_human=not author, author=author),
        )
    replies += tuple(_written(row.get("responses"), _author(row)))
    return ImportDraft(line, ends_with_user(messages, name), replies)


def _written(value: Any, author: str) -> Iterator[Reply]:
    """Responses by models: texts, or objects with `text` and, if known, `model`, `sampling` and
    `is_ended`.
    """
    if value in (None, ""):
        return
    if not isinstance(value, list):
        raise Unusable(_("`responses` is not a list. Give texts, or objects with a `text`."))
    for index, one in enumerate(value):
        name = f"responses[{index}]"
        if not isinstance(one, dict):
            yield Reply(response_text(one, name), author=author)
            continue
        sampling, is_ended = one.get("sampling") or {}, one.get("is_ended")
        if not isinstance(sampling, dict) or not isinstance(is_ended, bool | None):
            raise Unusable(
                _("`%(name)s`: sampling must be an object and is_ended must be true or false.")
                % {"name": name}
            )
        text = response_text(one.get("text"), f"{name}.text")
        yield Reply(text, author=_author(one) or author, sampling=sampling, is_ended=is_ended)


def _author(row: Mapping[str, Any]) -> str:
    """The model named by a row or a response; empty if there is none."""
    named = row.get("model")
    if named in (None, ""):
        return ""
    if not isinstance(named, str) or len(named) > MAX_AUTHOR:
        raise Unusable(_("`model` must be a name of at most %(n)d characters.") % {"n": MAX_AUTHOR})
    return named.strip()


def _unfolded(value: Any) -> Any:
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


def _rows(stream: BinaryIO) -> Iterator[_Row | ImportProblem]:
    """CSV records with the line each starts on. A bad record is reported and reading continues
    after it.
    """
    broken: list[ImportProblem] = []
    text = _texts(stream, broken)
    first = next(text, "")
    # The delimiter is the one that occurs most in the heading.
    reader = csv.reader(_with(first, text), delimiter=max(",;\t", key=first.count), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            yield ImportProblem(
                line,
                _(
                    "A quotation mark is not closed here, or a cell has more than %(limit)d"
                    " characters. Check the quotation marks."
                )
                % {"limit": MAX_CELL},
            )
            continue
        yield from broken
        broken.clear()
        if any(cells):
            yield _Row(line, cells)
    yield from broken


def _texts(stream: BinaryIO, broken: list[ImportProblem]) -> Iterator[str]:
    for line in lines(stream):
        if isinstance(line, FileLine):
            content = (
                line.content.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.content
            )
            yield content.decode("utf-8", _SURROGATE) + "\n"
        else:
            broken.append(line)
            # Yield something for the line, or every later line number would be one too low.
            yield "\n"


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
