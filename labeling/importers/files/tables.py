"""The rows of CSV and TSV files, by their headings."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem, shown
from labeling.importers.files import limits
from labeling.importers.files.lines import FileLine, Opened, Value, Values, lines

_SURROGATE = "surrogateescape"
_NO_UTF8 = re.compile("[\udc80-\udcff]")
_ISO_2022 = "\x1b$"
"""The mark before letters written as ASCII."""
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


_WITHOUT_CELLS = {"approve", "reject"}
"""The last headings of MTurk's results, for whoever decides. Its rows have no cells for them."""


def _value(row: Row, names: list[str], heading: int) -> Value | ImportProblem:
    missing = names[len(row.cells) :]
    if missing and set(missing) <= _WITHOUT_CELLS:
        row = Row(row.line, [*row.cells, *("" for _name in missing)])
    if len(row.cells) != len(names):
        sentence = _(
            "%(n)d cells, but the header has %(wanted)d. Check the quotation marks and separators."
        )
        return ImportProblem(row.line, sentence % {"n": len(row.cells), "wanted": len(names)})
    if _is_unreadable("\n".join(row.cells)):
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
    whole: Iterator[str] = chain(filter(None, [first]), text)
    whole = _plain_quotes(whole) if delimiter == "\t" else whole
    reader = csv.reader(whole, delimiter=delimiter, strict=True)
    while True:
        line = n_comments + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if any(problem.is_fatal for problem in broken):
                continue  # the text ends there, perhaps within a cell
            # Whatever comes after a mark that is never closed would be lost.
            yield ImportProblem(
                line,
                _(
                    "A quotation mark is not closed here, or a cell has more than %(limit)d"
                    " characters. Check the quotation marks."
                )
                % {"limit": MAX_CELL},
                is_fatal=str(error) == _UNCLOSED,
            )
            continue
        yield from broken
        broken.clear()
        if any(cells):
            yield Row(line, cells)
    yield from broken


def _plain_quotes(texts: Iterator[str]) -> Iterator[str]:
    """Lines of TSV, in which a quotation mark may be a plain character: it opens no cell over
    several lines if the line has all its cells, and so has the next.
    """
    line, is_inside = next(texts, ""), False
    n_tabs = line.count("\t")
    while line:
        following = next(texts, "")
        if is_inside:
            is_inside = line.count('"') % 2 == 0
        elif line.count("\t") == n_tabs and (why := _why_open(line)):
            is_inside = bool(why == _UNCLOSED and following and following.count("\t") != n_tabs)
            if not is_inside:
                line = "\t".join(map(_quoted, line.rstrip("\r\n").split("\t"))) + "\n"
        else:
            is_inside = line.count('"') % 2 == 1
        yield line
        line = following


_UNCLOSED = "unexpected end of data"


def _why_open(line: str) -> str:
    """Why a line is no record by itself; empty if it is one."""
    try:
        list(csv.reader([line], delimiter="\t", strict=True))
    except csv.Error as error:
        return str(error)
    return ""


def _quoted(cell: str) -> str:
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    if is_quoted and '"' not in cell[1:-1].replace('""', ""):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _texts(stream: Opened, broken: list[ImportProblem]) -> Iterator[str]:
    """The lines as text. No encoding is guessed: the file is left at the line by which more lines
    are not UTF-8 than are. ASCII counts as neither.
    """
    n_utf8, not_utf8 = 0, list[int]()
    for line in lines(stream):
        if not isinstance(line, FileLine):
            broken.append(line)
            # Yield something for the line, or every later line number would be one too low.
            yield "\n"
            continue
        content = line.content.removeprefix(b"\xef\xbb\xbf") if line.number == 1 else line.content
        text = content.decode("utf-8", _SURROGATE)
        if _is_unreadable(text):
            not_utf8.append(line.number)
        elif not text.isascii():
            n_utf8 += 1
        if len(not_utf8) > n_utf8:
            sentence = _(
                "The file is not UTF-8; this is the first line that is not. Save it as UTF-8 (in"
                " Excel as “CSV UTF-8”) and import it again."
            )
            broken.append(ImportProblem(not_utf8[0], sentence, is_fatal=True))
            return
        yield text + "\n"


def _is_unreadable(text: str) -> bool:
    """Whether bytes are not UTF-8, or stand for letters of ISO-2022. Most texts are ASCII, which is
    seen a hundred times faster than a search finds nothing.
    """
    return _ISO_2022 in text or not (text.isascii() or _NO_UTF8.search(text) is None)
