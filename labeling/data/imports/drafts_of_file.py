"""Which drafts an import's file has: those of a shape, or the answers of a table."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from django.utils.translation import gettext as _

from labeling.importers import formats
from labeling.importers.annotations import cells, guessing, legends, plans, reading, roles
from labeling.importers.annotations.cells import Cells
from labeling.importers.annotations.plans import Plan
from labeling.importers.annotations.questions import Asked
from labeling.importers.annotations.reading import Texts
from labeling.importers.drafts import Found, ImportDraft, ImportProblem
from labeling.importers.files import rows
from labeling.importers.files.lines import Budget, Value, Values
from labeling.models import Import

ANNOTATIONS = "annotations"
FORMATS = (*formats.FORMATS, ANNOTATIONS)
"""Everything that an import can be read as."""
TABLES = (ANNOTATIONS, "votes")
"""Formats that are read as a table of answers; the second is from an earlier version."""
ANSWERED = ("rankings", "written", "argilla", "argilla_flat", "label_studio", "arena")
"""Shapes that name the rater of each answer."""
SAMPLE = 1_000
"""Rows by which the columns of a table are recognised."""
_ALIVE_EVERY = 5_000
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Table:
    """A table of answers, as far as its first rows show."""

    plan: Plan
    names: tuple[str, ...]
    rows: tuple[Cells, ...]
    problems: tuple[ImportProblem, ...] = ()
    """why none of the first rows can be read"""
    is_too_large: bool = False
    """a compressed file that is too large to look at"""

    @property
    def missing(self) -> str:
        """What somebody must say before it can be read; empty if nothing."""
        if self.is_too_large:
            return _(
                "The compressed file is too large to look at its columns. Unpack it, or save the"
                " sheet as CSV, and import that."
            )
        if self.problems:
            return str(self.problems[0])
        if sentence := plans.missing(self.plan.roles):
            return sentence
        unclear = legends.unclear(self.plan.legend)
        if not unclear:
            return ""
        return _(
            "It is not clear what %(values)s mean in “%(name)s”. Say for each which response is"
            " better."
        ) % {"values": ", ".join(unclear[:10]), "name": ", ".join(self.plan.winners)}


def format_of(path: Path, columns: Mapping[str, str] | None) -> str:
    """The format of a file of answers: a shape that names raters, else a table."""
    with path.open("rb") as stream:
        seen = formats.look(stream, columns, Budget())
    # A table of single responses is the same thing with more columns.
    is_table = seen.format == "arena" and "conversation_a" not in seen.names
    return seen.format if seen.format in ANSWERED and not is_table else ANNOTATIONS


def look(
    *,
    path: Path,
    pairs_path: Path | None = None,
    chosen: Mapping[str, str] | None = None,
    legend: Mapping[str, str] | None = None,
) -> Table:
    """The first rows of a table, and how they would be read, within a budget of bytes. `chosen` are
    the roles that somebody chose; without them they are guessed.
    """
    budget = Budget()
    with path.open("rb") as stream:
        first = list(islice(_values(stream, budget), SAMPLE))
    own = list(reading.rows_of(iter(first), None, ""))
    item = next((name for name, role in (chosen or {}).items() if role == roles.ITEM), "")
    item = item or roles.named(roles.ITEM, {name for row in own for name in row})
    texts, first = _first_texts(pairs_path, item, first)
    whole = list(reading.rows_of(iter(first), texts, item))
    names = list(dict.fromkeys(name for row in whole for name in row))
    named = dict(chosen or {}) or guessing.guess(whole, _only_texts(own, names))
    plan = plans.survey(whole, named, dict(legend or {}))
    problems = () if whole else tuple(value for value in first if isinstance(value, ImportProblem))
    return Table(plan, tuple(names), tuple(whole), problems, budget.is_spent and not first)


def _first_texts(
    path: Path | None, item: str, first: list[Value | ImportProblem]
) -> tuple[Texts | None, list[Value | ImportProblem]]:
    """Texts within a budget of bytes, and the rows to show with them. If the file has more texts,
    rows whose text comes later are left out, as far as there are others.
    """
    budget = Budget()
    texts = texts_of(path, item, budget)
    if texts is None or not budget.is_spent:
        return texts, first
    heading = item or roles.named(roles.ITEM, _names(first))
    return texts, [value for value in first if _has_text(value, heading, texts)] or first


def _names(values: list[Value | ImportProblem]) -> set[str]:
    return {name for row in reading.rows_of(iter(values), None, "") for name in row}


def _has_text(value: Value | ImportProblem, item: str, texts: Texts) -> bool:
    rows_of_value = reading.rows_of(iter([value]), None, "")
    return any(cells.of(row, item) in texts for row in rows_of_value)


def _only_texts(own: list[Cells], names: Collection[str]) -> list[str]:
    """Columns that only the file of texts has."""
    headings = {name for row in own for name in row}
    return [name for name in names if name not in headings]


def texts_of(path: Path | None, item: str, budget: Budget | None = None) -> Texts | None:
    """The rows of a file of texts by their id, held in memory; None without such a file."""
    if path is None:
        return None
    with path.open("rb") as stream:
        read = list(reading.rows_of(_values(stream, budget), None, ""))
    names = {name for row in read for name in row}
    heading = item if item in names else roles.named(roles.ITEM, names)
    return {cells.of(row, heading): row for row in read if cells.of(row, heading)}


def first_drafts(
    path: Path, pairs_path: Path | None, plan: Plan, most: int
) -> list[ImportDraft | ImportProblem]:
    """What the first rows of a table become."""
    with path.open("rb") as stream:
        first = list(islice(_values(stream, Budget()), SAMPLE))
    texts, first = _first_texts(pairs_path, plan.heading(roles.ITEM), first)
    return list(reading.read(iter(first[:most]), plan, texts))


def read_drafts(batch: Import, path: Path, stream: BinaryIO, files: ExitStack) -> Found:
    """Drafts and problems of an import's file; `stream` is the open file at `path`."""
    if batch.format in TABLES:
        plan = _plan(batch, path)
        drafts = reading.read(_values(stream), plan, _texts(batch, plan))
    else:
        drafts = formats.read(stream, batch.format, batch.columns)
    return drafts if batch.annotations else _without_details(drafts)


def _without_details(drafts: Found) -> Found:
    """Without a campaign only ranks and texts are stored. Says so once, where something is lost."""
    is_said = False
    for draft in drafts:
        answer = draft.answer if isinstance(draft, ImportDraft) else None
        if answer is not None and not is_said and answer.has_details:
            is_said = True
            yield ImportProblem(
                draft.line,
                _(
                    "Ratings, reasons and times of answers only come into a campaign. Use Import"
                    " answers for this file to keep them."
                ),
            )
        yield _without_stand_in(draft) if isinstance(draft, ImportDraft) else draft


def _without_stand_in(draft: ImportDraft) -> ImportDraft:
    """Without the reply that stands for a text that was rated and has no response."""
    is_rated = draft.answer is not None and any(draft.answer.ratings) and not draft.is_compared
    text = draft.messages[-1]["content"]
    kept = tuple(reply for reply in draft.replies if reply.text != text or reply.is_human)
    return replace(draft, replies=kept) if is_rated else draft


def survey(batch: Import, path: Path, is_alive: Callable[[], None]) -> Plan:
    """How a file's answers are read, after a look at all of them: what each question's answers are,
    and what the winner's values mean.
    """
    if batch.format in TABLES:
        plan = _plan(batch, path)
        texts = _texts(batch, plan)
        with path.open("rb") as stream:
            lines = reading.rows_of(_values(stream), texts, plan.heading(roles.ITEM))
            return plans.survey(_watched(lines, is_alive), plan.roles, plan.legend)
    asked: dict[str, Asked] = {}
    with path.open("rb") as stream:
        for draft in _watched(formats.read(stream, batch.format, batch.columns), is_alive):
            if isinstance(draft, ImportDraft) and draft.answer is not None:
                for name, value in _ratings(draft):
                    column = asked.setdefault(
                        name, Asked(name, name.replace("_", " "), roles.ANSWER)
                    )
                    column.add(cells.text(value))
    questions = {name: column.question() for name, column in asked.items()}
    return Plan({}, {}, {name: column for name, column in questions.items() if column is not None})


def _ratings(draft: ImportDraft) -> Iterator[tuple[str, object]]:
    for ratings in draft.answer.ratings if draft.answer else ():
        yield from ratings.items()


def _watched(stream: Iterator[_Row], is_alive: Callable[[], None]) -> Iterator[_Row]:
    for number, row in enumerate(stream):
        if number % _ALIVE_EVERY == 0:
            is_alive()
        yield row


def _plan(batch: Import, path: Path) -> Plan:
    if "form" in batch.annotations:
        return Plan.of_json(batch.annotations)
    return look(path=path, pairs_path=Path(batch.pairs_path) if batch.pairs_path else None).plan


def _texts(batch: Import, plan: Plan) -> Texts | None:
    return texts_of(Path(batch.pairs_path) if batch.pairs_path else None, plan.heading(roles.ITEM))


def _values(stream: BinaryIO, budget: Budget | None = None) -> Values:
    """The rows of a file, or of the files of an archive one after the other."""
    for _name, _kind, values in rows.files(stream, budget=budget):
        yield from values
