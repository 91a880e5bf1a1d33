"""Importers turn uploaded files into drafts with line numbers. Bytes in, drafts and problems out:
no database.

A file holds rows (labeling.importers.files), and rows have a shape (labeling.importers.shapes).
`read(stream, format)` never raises because of a file's content: every error becomes a problem,
and reading continues.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from arithmetic import plain_text
from labeling.importers import thinking
from labeling.importers.columns import Columns, known_in_any_case, renamed
from labeling.importers.drafts import Found, ImportDraft
from labeling.importers.files import rows
from labeling.importers.files.lines import Budget, Value, Values
from labeling.importers.shapes import (
    arena,
    dialogues,
    hugging_face,
    instructions,
    pairs,
    plain,
    rankings,
    reading,
    transcripts,
    trees,
)
from labeling.importers.shapes.reading import Reader, Row
from labeling.importers.shapes.tools import label_studio, prodigy, projects

READERS: dict[str, Reader] = {
    "jsonl": plain.read,
    "csv": plain.read,
    "plain": plain.read,
    "openassistant": trees.read,
    "oasst_flat": trees.read_flat,
    "hh": transcripts.read,
    "hf": hugging_face.read,
    "sharegpt": dialogues.read,
    "alpaca": instructions.read,
    "ultrafeedback": instructions.read_ultrafeedback,
    "helpsteer": arena.read_helpsteer,
    "arena": arena.read,
    "turns": arena.read_turns,
    "argilla": projects.read_argilla,
    "argilla_flat": projects.read_flat_argilla,
    "label_studio": label_studio.read,
    "pairs": pairs.read,
    "prodigy": prodigy.read,
    "rankings": rankings.read,
    "written": rankings.read_written,
}
FORMATS = tuple(READERS)
_TEXTS = {"jsonl": "jsonl", "csv": "csv"}
_LOOKED_AT = 50
"""Rows and problems in which the first usable row, and the names of columns, are looked for."""
MAX_REMEMBERED = 1_000


def too_large_to_look_at() -> str:
    return _("The compressed file is too large to show its first rows. The import reads all of it.")


def read(
    stream: BinaryIO,
    file_format: str,
    columns: Columns | None = None,
    *,
    most: int | None = None,
    budget: Budget | None = None,
) -> Found:
    """Drafts and problems of a file, one at a time, in constant memory. `columns` renames the
    file's own headings. Reads at most the first `most` rows, as far as the budget goes.
    """
    seen: set[str] = set()
    for name, _kind, values in rows.files(stream, _TEXTS.get(file_format, ""), budget):
        rows_of_file = _named(islice(values, most), columns or {})
        for draft in thinking.apart(READERS[file_format](rows_of_file)):
            if isinstance(draft, ImportDraft):
                yield replace(draft, file=name) if name else draft
            elif not draft.is_once or draft.sentence not in seen:
                if draft.is_once and len(seen) < MAX_REMEMBERED:
                    seen.add(draft.sentence)
                yield replace(draft, sentence=f"{name}: {draft.sentence}") if name else draft


def _named(values: Values, columns: Columns) -> Values:
    """The rows under the names that readers know: mapped, and without regard to case."""
    return known_in_any_case(renamed(values, columns), reading.NAMES)


def guess_format(
    stream: BinaryIO, columns: Columns | None = None, budget: Budget | None = None
) -> str:
    """The likely format, judged by the file's first row; empty if the budget does not go so far.
    Consumes part of the stream.
    """
    return look(stream, columns, budget).format


@dataclass(frozen=True)
class Look:
    """What a file seems to be, judged by its first row, and the columns of its first rows."""

    format: str
    """empty if the file is too large to look at"""
    names: tuple[str, ...]


def look(stream: BinaryIO, columns: Columns | None = None, budget: Budget | None = None) -> Look:
    for _name, kind, values in rows.files(stream, budget=budget):
        file_format, names = "", dict[str, None]()
        for value in islice(values, _LOOKED_AT):
            if isinstance(value, Value):
                [row] = _named(iter([value]), columns or {})
                file_format = file_format or _format(row, kind)
                own = value.value if isinstance(value.value, dict) else ()
                names |= dict.fromkeys(map(plain_text.storable, own))
        if not file_format and budget is not None and budget.is_spent:
            return Look("", ())
        without_rows = kind if kind in FORMATS else "jsonl" if kind == "json" else "csv"
        return Look(file_format or without_rows, tuple(names))
    return Look("" if budget is not None and budget.is_spent else "csv", ())


def _format(value: Any, kind: str) -> str:
    row = value.value
    if isinstance(row, dict):
        for name, fits in _FITS.items():
            if fits(row):
                return name
    return kind if kind in FORMATS else "plain"


def _lists(row: Row, *names: str) -> bool:
    """Whether one of these fields is a list of objects."""
    return any(
        isinstance(row.get(name), list) and bool(row[name]) and isinstance(row[name][0], dict)
        for name in names
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(t, str) for t in value)


def _is_arena(row: Row) -> bool:
    return {"model_a", "model_b"} <= row.keys() and ("conversation_a" in row or "response_a" in row)


# The first that fits counts, so a shape comes before others whose columns it has too.
_FITS: Mapping[str, Callable[[Row], bool]] = {
    "argilla_flat": projects.is_flat_argilla,
    "argilla": lambda row: isinstance(row.get("fields"), dict),
    "label_studio": lambda row: isinstance(row.get("data"), dict),
    "openassistant": lambda row: isinstance(row.get("prompt"), dict),
    # A root has no parent_id in some files.
    "oasst_flat": lambda row: {"message_id", "role", "text"} <= row.keys(),
    "rankings": lambda row: _lists(row, "responses") and "rank" in row["responses"][0],
    "written": rankings.is_written,
    "arena": _is_arena,
    "helpsteer": lambda row: bool({"overall_preference", "preference_strength"} & row.keys()),
    "ultrafeedback": lambda row: (
        "instruction" in row
        and (_lists(row, "completions") or {"generations", "ratings"} <= row.keys())
    ),
    "prodigy": prodigy.is_task,
    "pairs": lambda row: (
        not {"chosen", "rejected"} <= row.keys() and pairs.is_pair(pairs.flat(row))
    ),
    "turns": lambda row: "turns" in row and "prompt" not in row,
    "sharegpt": lambda row: (
        not {"chosen", "rejected"} & row.keys()
        and (_lists(row, *dialogues.COLUMNS) or _are_texts(row.get("conversations")))
    ),
    "alpaca": lambda row: (
        "instruction" in row
        and bool(row.keys() & set(instructions.ANSWERS))
        and not {"prompt", "messages"} & row.keys()
    ),
    "hh": lambda row: (
        isinstance(row.get("chosen"), str)
        and "Human:" in row["chosen"]
        and not {"prompt", "question", "instruction", "input"} & row.keys()
    ),
    "hf": lambda row: (
        isinstance(row.get("rejected"), str | list | dict)
        or bool({"chosen", "completion", "completions", "preferred_output"} & row.keys())
        or isinstance(row.get("prompt"), list)
    ),
}
