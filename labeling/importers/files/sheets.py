"""The rows of an Excel workbook (XLSX): those of its first visible sheet."""

import zipfile
from typing import BinaryIO

import python_calamine
from django.utils.translation import gettext as _
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from labeling.importers.drafts import ImportProblem, shown
from labeling.importers.files import areas, tables
from labeling.importers.files.lines import Budget, Values

MAX_UNPACKED = 512 * 1024 * 1024
"""A sheet is read as a whole. A larger one is better saved as CSV."""


def is_workbook(file: BinaryIO) -> bool:
    """Whether a ZIP archive is a workbook."""
    try:
        with zipfile.ZipFile(file) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    finally:
        file.seek(0)


def read(file: BinaryIO, budget: Budget | None = None) -> Values:
    """The rows below the first one, as texts by its headings. Raises lines.Spent."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_UNPACKED:
        yield ImportProblem(
            0, _("The workbook is too large. Save its sheet as CSV and import that."), is_fatal=True
        )
        return
    if budget is not None:
        budget.take(size)
    file.seek(0)
    if problem := areas.problem_of(file):
        yield problem
        return
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        visible = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible
        ]
        first, *others = visible or workbook.sheet_names or [""]
        rows = workbook.get_sheet_by_name(first).iter_rows()
    except (python_calamine.CalamineError, zipfile.BadZipFile):
        yield ImportProblem(0, areas.unreadable(), is_fatal=True)
        return
    if others:
        sentence = _("Only the sheet “%(first)s” is imported. The others are left out: %(names)s.")
        names = ", ".join(map(shown, others))
        yield ImportProblem(0, sentence % {"first": shown(first), "names": names})
    numbered = ((number, [_text(cell) for cell in row]) for number, row in enumerate(rows, start=1))
    yield from tables.by_heading(tables.Row(line, cells) for line, cells in numbered if any(cells))


def _text(cell: object) -> str:
    """A cell as people see it: Excel stores 7 as 7.0."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)
