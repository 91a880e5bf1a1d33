"""The rows of a file, whatever holds them: JSON lines, a JSON list, CSV, Parquet, a workbook, each
of them compressed or in a ZIP archive.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem, shown
from labeling.importers.files import arrays, arrow, lines, sheets, signatures, tables
from labeling.importers.files.lines import Budget, Opened, Values

_PARQUET = b"PAR1"
_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_READABLE = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".gz")
MAX_FILES = 200

File = tuple[str, str, Values]
"""The file's name in an archive ("" outside one), what holds its rows, and its rows."""


def files(stream: BinaryIO, text: str = "", budget: Budget | None = None) -> Iterator[File]:
    """The files in a stream, one unless it is a ZIP archive. Each must be read to its end before
    the next. `text` says what a file of text is (jsonl or csv), so that it is not guessed. Where
    the budget is spent, the files and their rows end.
    """
    try:
        for name, kind, values in _files(stream, text, budget):
            yield name, kind, _within_budget(values)
    except lines.Spent:
        return


def _within_budget(values: Values) -> Values:
    try:
        yield from values
    except lines.Spent:
        return


def _files(stream: BinaryIO, text: str, budget: Budget | None) -> Iterator[File]:
    opened = lines.unpacked(stream, budget)
    if problem := _unreadable(opened):
        yield "", "", iter([problem])
        return
    if not lines.beginning(opened).startswith(_ZIP):
        kind = kind_of(opened)
        if text and kind != "parquet" and (text, kind) != ("jsonl", "json"):
            kind = text
        if kind == "parquet":
            yield "", kind, arrow.read(opened, _itself(stream, opened), budget)
        else:
            yield "", kind, _READERS[kind](opened)
        return
    with ExitStack() as copies:
        try:
            file = _itself(stream, opened) or copies.enter_context(arrow.seekable(opened))
        except arrow.TooLarge:
            yield "", "", iter([arrow.too_large()])
            return
        except arrow.DAMAGED:
            yield "", "", iter([_damaged()])
            return
        if sheets.is_workbook(file):
            yield "", "xlsx", sheets.read(file, budget)
        else:
            yield from _members(file, budget)


def _unreadable(opened: Opened) -> ImportProblem | None:
    """What to do with a file of a kind that nothing here reads."""
    sentence = signatures.sentence_for(lines.beginning(opened))
    return ImportProblem(0, sentence, is_fatal=True) if sentence else None


def _itself(stream: BinaryIO, opened: Opened) -> BinaryIO | None:
    """The stream, at its start, if it can be read from its end: then it needs no copy."""
    if lines.is_packed(opened) or not hasattr(stream, "seek"):
        return None
    stream.seek(0)
    return stream


def kind_of(opened: Opened) -> str:
    """What holds the rows of a file: parquet, json (one list, or JSON over several lines), jsonl
    or csv.
    """
    start = lines.beginning(opened)
    if start.startswith(_PARQUET):
        return "parquet"
    start = start.removeprefix(_BOM).lstrip()
    first = start.partition(b"\n")[0].strip()
    if start.startswith(b"["):
        return "json"
    if not start.startswith((b"{", b'"')):
        return "csv"
    if start.startswith(b"{"):
        is_spread = b"\n" in start and first.endswith((b"{", b"[", b","))
        return "json" if is_spread else "jsonl"
    return "jsonl" if _is_json_text(first) else "csv"


def _is_json_text(line: bytes) -> bool:
    """Whether a line that starts with a quotation mark is JSON, not a row of quoted headings."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, str) and value.strip().lower() not in ("prompt", "text", "messages")


def _members(file: BinaryIO, budget: Budget | None) -> Iterator[File]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            wanted = [name for name in names if _is_data(name)][:MAX_FILES]
            yield from ((name, *_member(archive, name, budget)) for name in wanted)
            left_out = [name for name in names if name not in wanted and "__MACOSX" not in name]
            if left_out:
                yield "", "", iter([_left_out(left_out)])
    except (zipfile.BadZipFile, NotImplementedError):
        yield "", "", iter([_damaged()])


def _member(archive: zipfile.ZipFile, name: str, budget: Budget | None) -> tuple[str, Values]:
    try:
        opened = lines.unpacked(archive.open(name), budget)  # type: ignore[arg-type]
    except RuntimeError:  # it needs a password
        sentence = _("The archive is encrypted. Unpack it and import the files in it.")
        return "", iter([ImportProblem(0, sentence, is_fatal=True)])
    if problem := _unreadable(opened):
        return "", iter([problem])
    if lines.beginning(opened).startswith(_ZIP):
        return "xlsx", _workbook(opened, budget)
    kind = kind_of(opened)
    if kind == "parquet":
        return kind, arrow.read(opened, None, budget)
    return kind, _READERS[kind](opened)


def _workbook(opened: Opened, budget: Budget | None) -> Values:
    try:
        file = arrow.seekable(opened)
    except arrow.TooLarge:
        yield arrow.too_large()
        return
    except arrow.DAMAGED:
        yield _damaged()
        return
    with file:
        if sheets.is_workbook(file):
            yield from sheets.read(file, budget)
        else:
            sentence = _("This is an archive in an archive. Unpack it and import the files in it.")
            yield ImportProblem(0, sentence)


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not is_hidden and path.suffix.lower() in _READABLE


def _left_out(names: list[str]) -> ImportProblem:
    sentence = _("Files of the archive that are not imported: %(names)s.")
    listed = ", ".join(map(shown, names[:10])) + (", …" if len(names) > 10 else "")
    return ImportProblem(0, sentence % {"names": listed})


def _damaged() -> ImportProblem:
    return ImportProblem(
        0, _("The archive is damaged. Download it again and import it again."), is_fatal=True
    )


_READERS = {
    "json": arrays.read,
    "jsonl": lines.json_values,
    "csv": tables.read,
}
