"""The first answers of an uploaded table as they would be stored, with what each column is taken
for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.data.imports import drafts_of_file, previews
from labeling.data.imports.previews import PreviewRow
from labeling.guidelines.rating_form import Flag, Question
from labeling.importers import readers
from labeling.importers.annotations import cells
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import lines

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
    try:
        return _preview(path, pairs_path, roles, legend)
    except UnableToRead as refusal:
        problem = ImportProblem(0, refusal.sentence)
        return AnswersPreview(
            drafts_of_file.ANNOTATIONS, (), {}, (), refusal.sentence, (), (problem,)
        )


def _preview(
    path: Path,
    pairs_path: Path | None,
    roles: Mapping[str, str] | None,
    legend: Mapping[str, str] | None,
) -> AnswersPreview:
    """Raises UnableToRead."""
    file_format = drafts_of_file.format_of(path, None)
    if file_format != drafts_of_file.ANNOTATIONS:
        first = process.value(
            readers.first_rows,
            limits.of_page(),
            path=path,
            file_format=file_format,
            columns={},
            most=READ,
            shown=SHOWN,
            n_bytes=lines.LOOKED_AT,
        )
        return AnswersPreview(file_format, (), {}, (), "", *_shown(first.entries))
    table = drafts_of_file.first_answers(
        path=path, pairs_path=pairs_path, chosen=roles, legend=legend, most=READ
    )
    columns = tuple(
        Column(_text(name), _short(_text(example)), table.plan.roles.get(name, ""))
        for name, example in zip(table.names, table.examples, strict=True)
    )
    questions = tuple(_question_words(question) for question in table.plan.questions.values())
    return AnswersPreview(
        file_format,
        columns[: previews.MAX_NAMES],
        {_text(value): meaning for value, meaning in table.plan.legend.items()},
        tuple(map(_text, questions)),
        _text(table.missing),
        *_shown(table.entries),
    )


def _shown(
    entries: Sequence[ImportDraft | ImportProblem],
) -> tuple[tuple[PreviewRow, ...], tuple[ImportProblem, ...]]:
    drafts = [row for row in entries if isinstance(row, ImportDraft)]
    problems = [row for row in entries if isinstance(row, ImportProblem)]
    rows = tuple(previews.row(draft, with_judgments=True) for draft in drafts[:SHOWN])
    return rows, tuple(problems[:SHOWN])


def _text(text: str) -> str:
    """Without halves of surrogate pairs, which no page can hold."""
    return text.encode("utf-8", "replace").decode()


def _short(example: str) -> str:
    return example if len(example) <= LONGEST_EXAMPLE else f"{example[: LONGEST_EXAMPLE - 1]}…"


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
