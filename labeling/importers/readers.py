"""What is read of foreign files, each in a child: see labeling.importers.child. Arguments and
results are plain values and dataclasses, and files are given by their paths.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from labeling.importers import formats, golds
from labeling.importers.annotations import cells, reading, roles, tables
from labeling.importers.annotations import plans as annotations_plans
from labeling.importers.annotations.plans import Plan
from labeling.importers.annotations.questions import Asked
from labeling.importers.annotations.tables import Table
from labeling.importers.drafts import Found, ImportDraft, ImportProblem
from labeling.importers.files.lines import Budget
from labeling.importers.formats import Look
from labeling.importers.golds import GoldDraft

_SAID_EVERY = 1024 * 1024


@dataclass(frozen=True)
class BytesRead:
    """How much of the file itself has been read."""

    n: int


@dataclass(frozen=True)
class FirstRows:
    """`format` is empty if the file is too large to look at."""

    format: str
    names: tuple[str, ...] = ()
    entries: tuple[ImportDraft | ImportProblem, ...] = ()


@dataclass(frozen=True)
class FirstAnswers:
    """The first rows of a table of answers. `missing` is what must be said before it is read."""

    plan: Plan
    names: tuple[str, ...]
    examples: tuple[str, ...]
    missing: str
    entries: tuple[ImportDraft | ImportProblem, ...]


Entries = Iterator[ImportDraft | ImportProblem | BytesRead]


def look(*, path: Path, columns: Mapping[str, str], n_bytes: int) -> Look:
    with path.open("rb") as stream:
        return formats.look(stream, columns, Budget(n_bytes))


def format_of(*, path: Path, columns: Mapping[str, str]) -> str:
    """Of a file of any size."""
    with path.open("rb") as stream:
        return formats.guess_format(stream, columns)


def first_rows(
    *,
    path: Path,
    file_format: str,
    columns: Mapping[str, str],
    most: int,
    shown: int,
    n_bytes: int,
) -> FirstRows:
    """What the first rows become: `shown` drafts and problems among `most` rows."""
    seen = look(path=path, columns=columns, n_bytes=n_bytes)
    if not seen.format:
        return FirstRows("")
    n_drafts = n_problems = 0
    entries: list[ImportDraft | ImportProblem] = []
    said: set[str] = set()
    with path.open("rb") as stream:
        found = formats.read(
            stream, file_format or seen.format, columns, most=most, budget=Budget(n_bytes)
        )
        for entry in islice(found, 2 * most):
            is_problem = isinstance(entry, ImportProblem)
            if isinstance(entry, ImportProblem):
                if entry.sentence in said:
                    continue
                said.add(entry.sentence)
            if (n_problems if is_problem else n_drafts) < shown:
                entries.append(entry)
            n_problems, n_drafts = n_problems + is_problem, n_drafts + (not is_problem)
            if n_drafts >= shown and n_problems >= shown:
                break
    return FirstRows(file_format or seen.format, seen.names, tuple(entries))


def first_answers(
    *,
    path: Path,
    pairs_path: Path | None,
    chosen: Mapping[str, str],
    legend: Mapping[str, str],
    most: int,
    n_bytes: int,
) -> FirstAnswers:
    """A table of answers as far as its first rows show. No entries if something is missing."""
    table = tables.look(
        path=path, pairs_path=pairs_path, chosen=chosen, legend=legend, n_bytes=n_bytes
    )
    entries: list[ImportDraft | ImportProblem] = []
    if not table.missing:
        entries = tables.first_drafts(path, pairs_path, table.plan, most, n_bytes)
    examples = tuple(_example(table, name) for name in table.names)
    return FirstAnswers(table.plan, table.names, examples, table.missing, tuple(entries))


def _example(table: Table, name: str) -> str:
    return next(filter(None, (cells.of(row, name) for row in table.rows)), "")


def drafts(*, path: Path, file_format: str, columns: Mapping[str, str]) -> Entries:
    with path.open("rb") as stream:
        counted = _Counting(stream)
        yield from _told(formats.read(cast(BinaryIO, counted), file_format, columns), counted)


def drafts_of_table(*, path: Path, pairs_path: Path | None, plan: Plan) -> Entries:
    texts = tables.texts_of(pairs_path, plan.heading(roles.ITEM))
    with path.open("rb") as stream:
        counted = _Counting(stream)
        values = tables.values_of(cast(BinaryIO, counted))
        yield from _told(reading.read(values, plan, texts), counted)


def plan_of_table(*, path: Path, pairs_path: Path | None, first: Plan) -> Plan:
    """How a table is read, after a look at all of its rows."""
    heading = first.heading(roles.ITEM)
    texts = tables.texts_of(pairs_path, heading)
    with path.open("rb") as stream:
        rows = reading.rows_of(tables.values_of(stream), texts, heading)
        return annotations_plans.survey(rows, first.roles, first.legend)


def plan_of_shape(*, path: Path, file_format: str, columns: Mapping[str, str]) -> Plan:
    """The questions that a shape asks of its raters, with all their answers."""
    asked: dict[str, Asked] = {}
    with path.open("rb") as stream:
        for draft in formats.read(stream, file_format, columns):
            if isinstance(draft, ImportDraft) and draft.answer is not None:
                for name, rating in _ratings(draft):
                    words = name.replace("_", " ")
                    asked.setdefault(name, Asked(name, words, roles.ANSWER)).add(cells.text(rating))
    questions = {name: column.question() for name, column in asked.items()}
    return Plan(
        {}, {}, {name: question for name, question in questions.items() if question is not None}
    )


def _ratings(draft: ImportDraft) -> Iterator[tuple[str, object]]:
    for ratings in draft.answer.ratings if draft.answer else ():
        yield from ratings.items()


def gold_drafts(
    *, path: Path, n_responses: int, most: int
) -> tuple[GoldDraft | ImportProblem, ...]:
    with path.open("rb") as stream:
        return tuple(golds.read_golds(stream, n_responses=n_responses, most=most))


class _Counting:
    """A file that counts how many bytes were read. Parquet and archives are read from their end, by
    seeking.
    """

    closed, mode = False, "rb"

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.n_read = 0
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.n_read += len(data)
        return data


def _told(found: Found, counted: _Counting) -> Entries:
    """With how far the file has been read, now and then."""
    said = 0
    for entry in found:
        if counted.n_read - said >= _SAID_EVERY:
            said = counted.n_read
            yield BytesRead(said)
        yield entry
