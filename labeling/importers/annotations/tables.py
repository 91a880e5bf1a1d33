"""A table of answers as far as its first rows show, and the texts that a second file has for it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from labeling.importers.annotations import cells, guessing, legends, plans, reading, roles
from labeling.importers.annotations.cells import Cells
from labeling.importers.annotations.plans import Plan
from labeling.importers.annotations.reading import Texts
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import rows
from labeling.importers.files.lines import Budget, Value, Values

SAMPLE = 1_000
"""Rows by which the columns of a table are recognised."""


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
            fatal = (problem for problem in self.problems if problem.is_fatal)
            return str(next(fatal, self.problems[0]))
        if sentence := plans.missing(self.plan.roles):
            return sentence
        unclear = legends.unclear(self.plan.legend)
        if not unclear:
            return ""
        return _(
            "It is not clear what %(values)s mean in “%(name)s”. Say for each which response is"
            " better."
        ) % {"values": ", ".join(unclear[:10]), "name": ", ".join(self.plan.winners)}


def look(
    *,
    path: Path,
    pairs_path: Path | None = None,
    chosen: Mapping[str, str] | None = None,
    legend: Mapping[str, str] | None = None,
    n_bytes: int | None = None,
) -> Table:
    """The first rows of a table, and how they would be read, within a budget of bytes. `chosen` are
    the roles that somebody chose; without them they are guessed.
    """
    budget = Budget.of(n_bytes)
    with path.open("rb") as stream:
        first = list(islice(values_of(stream, budget), SAMPLE))
    own = list(reading.rows_of(iter(first), None, ""))
    item = next((name for name, role in (chosen or {}).items() if role == roles.ITEM), "")
    item = item or roles.named(roles.ITEM, {name for row in own for name in row})
    texts, first = _first_texts(pairs_path, item, first, Budget.of(n_bytes))
    whole = list(reading.rows_of(iter(first), texts, item))
    names = list(dict.fromkeys(name for row in whole for name in row))
    named = dict(chosen or {}) or guessing.guess(whole, _only_texts(own, names))
    plan = plans.survey(whole, named, dict(legend or {}))
    problems = () if whole else tuple(value for value in first if isinstance(value, ImportProblem))
    return Table(plan, tuple(names), tuple(whole), problems, budget.is_spent and not first)


def _first_texts(
    path: Path | None, item: str, first: list[Value | ImportProblem], budget: Budget
) -> tuple[Texts | None, list[Value | ImportProblem]]:
    """Texts within a budget of bytes, and the rows to show with them. If the file has more texts,
    rows whose text comes later are left out, as far as there are others.
    """
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
        read = list(reading.rows_of(values_of(stream, budget), None, ""))
    names = {name for row in read for name in row}
    heading = item if item in names else roles.named(roles.ITEM, names)
    return {cells.of(row, heading): row for row in read if cells.of(row, heading)}


def first_drafts(
    path: Path, pairs_path: Path | None, plan: Plan, most: int, n_bytes: int | None = None
) -> list[ImportDraft | ImportProblem]:
    """What the first rows of a table become."""
    with path.open("rb") as stream:
        first = list(islice(values_of(stream, Budget.of(n_bytes)), SAMPLE))
    heading = plan.heading(roles.ITEM)
    texts, first = _first_texts(pairs_path, heading, first, Budget.of(n_bytes))
    return list(reading.read(iter(first[:most]), plan, texts))


def values_of(stream: BinaryIO, budget: Budget | None = None) -> Values:
    """The rows of a file, or of the files of an archive one after the other."""
    for _name, _kind, values in rows.files(stream, budget=budget):
        yield from values
