"""The records of a public file: CSV with a header, JSON lines, one JSON list, or Parquet."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _
from pyarrow import parquet

from training.benchmarks.suites.formats import items
from training.benchmarks.suites.formats.items import MAX_ITEMS, Row
from training.benchmarks.suites.formats.problems import Notes
from training.benchmarks.suites.formats.uploads import MAX_BYTES

Fields = dict[str, Any]
Table = Sequence[Row]
MAX_CELL = 1_000_000
_PARQUET, _BATCH = b"PAR1", 50
# The csv module has one limit for the whole process, and labeling.importers.files.tables sets
# it too.
csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True)
class PublicFormat:
    """One public shape. `item` turns a record into the fields of items.jsonl; it raises KeyError,
    TypeError, ValueError, IndexError or AttributeError if the record has another form.
    """

    title: str
    columns: frozenset[str]
    about: Mapping[str, str]
    item: Callable[[Fields, int], Fields]
    fits: Callable[[Fields], bool] = lambda _fields: True

    def is_like(self, fields: Fields) -> bool:
        return self.columns <= fields.keys() and self.fits(fields)

    def rows(self, content: bytes, notes: Notes) -> Iterator[Row]:
        """The items. Notes records of another form."""
        for number, record in enumerate(table_of(content, notes), start=1):
            try:
                yield Row(record.line, self.item(record.fields, number))
            except (KeyError, TypeError, ValueError, IndexError, AttributeError):
                notes.add(
                    record.line,
                    _("This is not a record of %(title)s. Choose another format or remove it.")
                    % {"title": self.title},
                )


def table_of(content: bytes, notes: Notes | None, *, most: int = MAX_ITEMS + 1) -> Table:
    """At most `most` records with their lines; without `notes`, problems are passed over."""
    noted = notes or Notes("")
    if content.startswith(_PARQUET):
        return _of_parquet(content, noted)[:most]
    if (text := decoded(content, noted)) is None:
        return []
    beginning = text[:1000].lstrip()
    if beginning.startswith("["):
        return _of_list(text, noted)[:most]
    rows = items.rows_of(content, noted) if beginning.startswith("{") else _of_csv(text, noted)
    return [row for row, _n in zip(rows, range(most), strict=False)]


def decoded(content: bytes, notes: Notes) -> str | None:
    """None, and a note, if it is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        notes.add(line, _("Not UTF-8 text. Save the file as UTF-8."))
        return None


def _of_list(text: str, notes: Notes) -> list[Row]:
    """The records of a list have no lines of their own: their places count instead."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as problem:
        notes.add(getattr(problem, "lineno", 0), _("Not JSON. Download the file again."))
        return []
    rows = [
        Row(place, entry) for place, entry in enumerate(entries, start=1) if isinstance(entry, dict)
    ]
    if len(rows) < len(entries):
        notes.add(0, _("Some entries of the list are not objects. Remove them."))
    return rows


def _of_parquet(content: bytes, notes: Notes) -> list[Row]:
    """The places of records count, since they have no lines. The size is counted while it is read:
    a few bytes of Parquet can repeat a long text many times.
    """
    records: list[Fields] = []
    n_bytes = 0
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        if file.metadata.num_rows > MAX_ITEMS:
            notes.add(0, _("A suite has at most %(n)d items. Split it.") % {"n": MAX_ITEMS})
            return []
        for batch in file.iter_batches(batch_size=_BATCH):
            n_bytes += batch.nbytes
            if n_bytes > MAX_BYTES:
                too_large = _("The archive unpacks to more than %(n)d MB.")
                notes.add(0, too_large % {"n": MAX_BYTES >> 20})
                return []
            records += batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError):
        notes.add(0, _("Not Parquet. Download the file again."))
        return []
    return [Row(place, record) for place, record in enumerate(records, start=1)]


def _of_csv(text: str, notes: Notes) -> Iterator[Row]:
    """PyRIT's files begin with notes, each a line after “#”."""
    n_notes = next(n for n, line in enumerate(f"{text}\n".split("\n")) if line[:1] != "#")
    lines = io.StringIO(text, newline="")
    for _note in range(n_notes):
        lines.readline()
    reader = csv.DictReader(lines)
    try:
        for record in reader:
            fields = {name: value for name, value in record.items() if isinstance(name, str)}
            # A record may span lines: it is named by its first.
            n_breaks = sum(str(value).count("\n") for value in fields.values())
            yield Row(n_notes + reader.line_num - n_breaks, fields)
    except csv.Error as problem:
        notes.add(
            reader.line_num,
            _("Not CSV: %(what)s. Fix or remove this line.") % {"what": problem},
        )


def text(fields: Fields, *names: str) -> str:
    """The first of these fields that has text; raises KeyError if none has."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value
    raise KeyError(names[0])


def key(fields: Fields, number: int, *names: str) -> str:
    """The record's own id, or its number."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str | int) and str(value).strip():
            return str(value).strip()
    return str(number)


def maybe(**fields: object) -> Fields:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}
