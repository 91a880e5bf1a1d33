"""The first answers of an uploaded table as they would be stored, with what each column is taken
for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.data.imports import drafts_of_file, previews
from labeling.data.imports.previews import PreviewRow
from labeling.guidelines.rating_form import Flag, Question
from labeling.importers import formats
from labeling.importers.annotations import cells
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files.lines import Budget

SHOWN = 5
READ = 200
LONGEST_EXAMPLE = 60


@dataclass(frozen=True)
class Column:
    heading: str
    example: str
    role: str


@dataclass(frozen=True)
class AnswersPreview:
    """`columns` is empty for a file whose shape names the raters itself, which needs no roles."""

    format: str
    columns: tuple[Column, ...]
    legend: Mapping[str, str]
    """value of the winner → meaning; empty where it is unclear"""
    questions: tuple[str, ...]
    missing: str
    """what must be said before the import can start; empty if nothing"""
    rows: tuple[PreviewRow, ...]
    problems: tuple[ImportProblem, ...]


def preview(
    *,
    path: Path,
    pairs_path: Path | None = None,
    roles: Mapping[str, str] | None = None,
    legend: Mapping[str, str] | None = None,
) -> AnswersPreview:
    """What the first READ rows become. Without `roles`, columns are recognised."""
    file_format = drafts_of_file.format_of(path, None)
    if file_format != drafts_of_file.ANNOTATIONS:
        with path.open("rb") as stream:
            drafts = formats.read(stream, file_format, most=READ, budget=Budget())
            first_rows = list(islice(drafts, 2 * READ))
        return AnswersPreview(file_format, (), {}, (), "", *_shown(first_rows))
    table = drafts_of_file.look(path=path, pairs_path=pairs_path, chosen=roles, legend=legend)
    columns = tuple(
        Column(name, _example(table, name), table.plan.roles.get(name, ""))
        for name in table.names[: previews.MAX_NAMES]
    )
    questions = tuple(_question_words(question) for question in table.plan.questions.values())
    first_rows = (
        [] if table.missing else drafts_of_file.first_drafts(path, pairs_path, table.plan, READ)
    )
    return AnswersPreview(
        file_format, columns, table.plan.legend, questions, table.missing, *_shown(first_rows)
    )


def _shown(
    entries: list[ImportDraft | ImportProblem],
) -> tuple[tuple[PreviewRow, ...], tuple[ImportProblem, ...]]:
    drafts = [row for row in entries if isinstance(row, ImportDraft)]
    problems = [row for row in entries if isinstance(row, ImportProblem)]
    rows = tuple(previews.row(draft, with_judgments=True) for draft in drafts[:SHOWN])
    return rows, tuple(problems[:SHOWN])


def _example(table: drafts_of_file.Table, name: str) -> str:
    values = (cells.of(row, name) for row in table.rows)
    value = next(filter(None, values), "")
    return value if len(value) <= LONGEST_EXAMPLE else f"{value[: LONGEST_EXAMPLE - 1]}…"


def _question_words(question: Question) -> str:
    """A question with what its answers are taken for."""
    if isinstance(question, Flag):
        kind = _("yes or no")
    elif question.labels:
        kind = (_("ordered categories") if question.is_ordered else _("categories")) + (
            ": " + ", ".join(question.labels[:10])
        )
    else:
        points = [cells.text(point) for point in (question.values[0], question.values[-1])]
        kind = _("scale from %(low)s to %(high)s") % {"low": points[0], "high": points[1]}
    return f"{question.label}: {kind}"
