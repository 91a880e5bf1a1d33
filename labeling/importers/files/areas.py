"""How far the sheets of a workbook reach, found before one is read: the reader makes room for
every cell up to the last one, and a single stray cell may be the 17,179,869,184th.
"""

import re
import zipfile
from typing import IO, BinaryIO
from xml.parsers import expat

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem
from labeling.importers.files import limits

MAX_CELLS = 5_000_000
"""Cells of the area that is in use, the empty ones too."""
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_AT_ONCE = 256 * 1024


class _Refused(Exception):
    """The sheet is not read; the sentence says why."""


class _NoSheet(Exception):
    """The part of the workbook is something else."""


def problem_of(file: BinaryIO) -> ImportProblem | None:
    """Why the sheets of a workbook cannot be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                with archive.open(member) as part:
                    _Sheet().read(part, is_xml=member.filename.endswith(".xml"))
    except _Refused as refused:
        return ImportProblem(0, str(refused), is_fatal=True)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError):
        return ImportProblem(0, unreadable(), is_fatal=True)
    return None


def unreadable() -> str:
    return _("The workbook can't be read. Save it again as XLSX, or as CSV.")


class _Sheet:
    """The area of the cells with a value. As in the format, a cell or row that does not say where
    it is follows the one before.
    """

    def __init__(self) -> None:
        self._is_begun = False
        self._row, self._row_of_cell, self._column = 0, 0, 0
        self._last_row, self._last_column = 0, 0
        self._n_cells = 0

    def read(self, part: IO[bytes], *, is_xml: bool) -> None:
        """Raises _Refused."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            while chunk := part.read(_AT_ONCE):
                parser.Parse(chunk, False)
        except _NoSheet:
            return
        except expat.ExpatError as error:
            if self._is_begun or is_xml:
                raise _Refused(unreadable()) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2] if ":" in name else name
        if not self._is_begun and tag != "worksheet":
            raise _NoSheet
        self._is_begun = True
        if tag == "c":
            self._place(attributes.get("r", ""))
        elif tag == "v" or tag == "is":
            self._use()
        elif tag == "row":
            self._row = _number(attributes.get("r", "")) or self._row + 1
            self._column = 0

    def _place(self, where: str) -> None:
        if not where:
            self._row_of_cell, self._column = self._row, self._column + 1
            return
        match = _CELL.fullmatch(where)
        if match is None:
            raise _Refused(unreadable())
        self._row_of_cell, self._column = int(match[2]), _column(match[1])

    def _use(self) -> None:
        self._n_cells += 1
        is_inside = self._row_of_cell <= self._last_row and self._column <= self._last_column
        if is_inside and self._n_cells <= MAX_CELLS:
            return  # the area is what it was: so it is for nearly all cells
        self._last_row = max(self._last_row, self._row_of_cell)
        self._last_column = max(self._last_column, self._column)
        area = self._last_row * self._last_column
        if self._last_column > limits.MAX_COLUMNS or max(self._n_cells, area) > MAX_CELLS:
            sentence = _(
                "A sheet of the workbook reaches to row %(row)d and column %(column)d. The limit is"
                " %(columns)d columns and %(cells)d cells, the empty ones between others too."
                " Delete cells far from the others, or save the first sheet as CSV and import that."
            )
            numbers = {
                "row": self._last_row,
                "column": self._last_column,
                "columns": limits.MAX_COLUMNS,
                "cells": MAX_CELLS,
            }
            raise _Refused(sentence % numbers)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 9 else 0


def _column(letters: str) -> int:
    """A is 1, XFD is 16,384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _refuse_doctype(*_declaration: object) -> None:
    raise _Refused(unreadable())
