"""The rows of CSV and TSV files, by their headings."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem, shown
from labeling.importers.files import limits
from labeling.importers.files.lines import FileLine, Opened, Value, Values, lines

_SURROGATE = "surrogateescape"
# The csv module has one global limit. Longer cells are reported, not read.
MAX_CELL = 1_000_000
csv.field_size_limit(MAX_CELL)
_COMMENT = re.compile(r'"?#(?: |\w+\s*=)')
"""A line above the heading that is not data, such as “# dataset_version=1.0”."""
_DELIMITER = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)
"""Excel's first line of a table."""


@dataclass(frozen=True)
class Row:
    line: int
    cells: list[str]


def read(stream: Opened, needed: Sequence[str] = ()) -> Values:
    """The rows as texts by heading, below a heading that has the `needed` columns."""
    return by_heading(_rows(stream), needed)


def by_heading(rows: Iterator[Row | ImportProblem], needed: Sequence[str] = ()) -> Values:
    """The rows below the first one as dictionaries. Headings are in lower case."""
    heading = next(rows, None)
    while isinstance(heading, ImportProblem) and heading.is_once:
        yield heading
        heading = next(rows, None)
    if heading is None:
        return
    if isinstance(heading, ImportProblem):
        yield heading
        return
    if problem := limits.too_wide(heading.line, len(heading.cells)):
        yield problem
        return
    names = [cell.strip().lower() for cell in heading.cells]
    if twice := sorted(name for name, n in Counter(names).items() if name and n > 1):
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
    for row in rows:
        yield row if isinstance(row, ImportProblem) else _value(row, names, heading.line)


def _value(row: Row, names: list[str], heading: int) -> Value | ImportProblem:
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
    cells = dict(zip(names, row.cells, strict=True))
    cells.pop("", None)  # columns without a heading
    return Value(row.line, cells, heading)


def _rows(stream: Opened) -> Iterator[Row | ImportProblem]:
    """CSV records with the line each starts on. A bad record is reported and reading continues
    after it.
    """
    broken: list[ImportProblem] = []
    text = _texts(stream, broken)
    first, n_comments = next(text, ""), 0
    delimiter = ""
    while (match := _DELIMITER.fullmatch(first)) or _COMMENT.match(first):
        delimiter = match[1] if match else delimiter
        first, n_comments = next(text, ""), n_comments + 1
    # The delimiter is the one that occurs most in the heading, if no line names it.
    delimiter = delimiter or max(",;\t|", key=first.count)
    reader = csv.reader(_with(first, text), delimiter=delimiter, strict=True)
    while True:
        line = n_comments + reader.line_num + 1
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
            yield Row(line, cells)
    yield from broken


def _texts(stream: Opened, broken: list[ImportProblem]) -> Iterator[str]:
    """The lines as text. Excel writes CSV in Windows-1252: a file is read as that if the first
    bytes beyond ASCII are not UTF-8.
    """
    is_western, is_utf8 = False, False
    for line in lines(stream):
        if not isinstance(line, FileLine):
            broken.append(line)
            # Yield something for the line, or every later line number would be one too low.
            yield "\n"
            continue
        content = line.content.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.content
        if not is_western and not is_utf8 and not content.isascii():
            is_utf8 = _is_utf8(content)
            is_western = not is_utf8
            if is_western:
                sentence = _(
                    "The file is not UTF-8. It is read as Windows-1252, as Excel saves it: check"
                    " its accented letters."
                )
                broken.append(ImportProblem(line.number, sentence, is_once=True))
        yield (_western(content) if is_western else content.decode("utf-8", _SURROGATE)) + "\n"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _western(content: bytes) -> str:
    """Windows-1252 leaves five bytes without a meaning; they stay marked as unreadable."""
    return content.decode("cp1252", _SURROGATE)


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
