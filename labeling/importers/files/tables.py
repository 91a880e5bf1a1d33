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
    whole = _with(first, text)
    whole = _plain_quotes(whole) if delimiter == "\t" else whole
    reader = csv.reader(whole, delimiter=delimiter, strict=True)
    while True:
        line = n_comments + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
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
        text = _western(content) if is_western else content.decode("utf-8", _SURROGATE)
        if is_western and (odd := _NOT_WESTERN.search(text)):
            broken.append(_not_western(line.number, odd[0]))
        yield text + "\n"


def _not_western(line: int, text: str) -> ImportProblem:
    sentence = _(
        "“%(text)s” is not Windows-1252: the file has another encoding, such as Windows-1250 or"
        " Shift-JIS. Save it as UTF-8."
    )
    return ImportProblem(line, sentence % {"text": shown(text)}, is_fatal=True, is_once=True)


_NOT_WESTERN = re.compile(
    r"\w*[^\W\d_][¹³¿¥£¦¯±¼¾¶¢¤‚†‡ˆ‰¡ª](?=[^\W\d_])\w*"
    r"|[‚ƒ].[‚ƒ]|\w*ì[a-zà-ÿ]\w*|\bè(?!res?\b|s\b)[a-zà-ÿ]\w*"
)
"""What no Western language writes: signs inside words, as letters of Central Europe and of Japan
look in Windows-1252, and Czech's most frequent letters.
"""


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
