"""Bytes to numbered lines and JSON values: handles gzip, UTF-16, byte-order marks, truncated files
and text that is not UTF-8.
"""

import codecs
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from arithmetic import plain_text
from labeling.importers.drafts import ImportProblem
from labeling.importers.files import limits

MAX_LINE = 16 * 1024 * 1024
LOOKED_AT = 2 * MAX_LINE
_CHUNK = 256 * 1024
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_GZIP = b"\x1f\x8b"


class FileLine(NamedTuple):
    """One line without its line feed. `is_whole` is false for a last line without one. A tuple,
    as a file has millions of them.
    """

    number: int
    content: bytes
    is_whole: bool = True


@dataclass(frozen=True)
class Value:
    """One row of a file and its line. Rows of a table also know the line of their heading."""

    line: int
    value: Any
    heading: int = 0


Values = Iterator[Value | ImportProblem]
Opened = io.BufferedReader | gzip.GzipFile


class Spent(Exception):
    """A budget is used up. The files' rows end there."""


@dataclass
class Budget:
    """How many bytes of a file may be read to look at it, after decompression: a web request must
    not read a large file to its end.
    """

    n_bytes: int = field(default_factory=lambda: LOOKED_AT)
    is_spent: bool = False

    @classmethod
    def of(cls, n_bytes: int | None) -> "Budget":
        """The usual one without a number."""
        return cls() if n_bytes is None else cls(n_bytes)

    def take(self, n: int) -> None:
        """Raises Spent."""
        if n > self.n_bytes:
            self.is_spent = True
            raise Spent
        self.n_bytes -= n


def unpacked(stream: BinaryIO, budget: Budget | None = None) -> Opened:
    """The stream's content: decompressed if it starts with gzip's two magic bytes, and in UTF-8 if
    it is UTF-16 or UTF-32. Reading more than the budget raises Spent.
    """
    raw = stream if isinstance(stream, io.RawIOBase) else _Raw(stream)
    opened: Opened = io.BufferedReader(raw, _CHUNK)
    if beginning(opened).startswith(_GZIP):
        opened = gzip.GzipFile(fileobj=opened)
    if encoding := _encoding(beginning(opened)):
        opened = io.BufferedReader(_Utf8(opened, encoding), _CHUNK)
    return opened if budget is None else io.BufferedReader(_Limited(opened, budget), _CHUNK)


def _encoding(start: bytes) -> str:
    """UTF-16 or UTF-32 by the byte-order mark; UTF-16 without one by its first two characters,
    which are ASCII in JSON and in most headings. Empty for everything else.
    """
    if start.startswith(_UTF32):
        return "utf-32"
    if start.startswith(_UTF16):
        return "utf-16"
    zeros = [byte == 0 for byte in start[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else ""


def is_packed(stream: Opened) -> bool:
    """Whether reading it decompresses: it is gzip, or a member of a ZIP archive."""
    if isinstance(stream, gzip.GzipFile):
        return True
    return isinstance(stream.raw, _Raw | _Limited) and stream.raw.is_packed


def beginning(stream: Opened) -> bytes:
    """What the next bytes are; empty at the end, and where a compressed stream is damaged (reading
    it then says so).
    """
    try:
        return stream.peek(_CHUNK)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, UnicodeDecodeError):
        return b""


def lines(stream: Opened) -> Iterator[FileLine | ImportProblem]:
    """Splits lines on the line feed only: U+2028 and the like may occur inside a JSON string."""
    number, pieces, size, is_first = 1, list[bytes](), 0, True
    for chunk in chunks(stream):
        if isinstance(chunk, ImportProblem):
            yield replace(chunk, line=number)
            return
        if is_first and (sentence := _unreadable(chunk)):
            yield ImportProblem(1, sentence, is_fatal=True)
            return
        is_first = False
        # Every part but the last ends a line; the last continues in the next chunk.
        first, *others = chunk.split(b"\n")
        for part in others:
            yield _line(number, [*pieces, first], size + len(first))
            number, pieces, size, first = number + 1, [], 0, part
        size += len(first)
        if size <= MAX_LINE:
            pieces.append(first)
        else:
            # Drop what was read, so that a file of one endless line takes no memory.
            pieces.clear()
    if size:
        yield _line(number, pieces, size, is_whole=False)


def _unreadable(beginning: bytes) -> str:
    """Why a file that begins like this is no text with lines; "" if it may be."""
    if b"\r" in beginning.rstrip(b"\r") and b"\n" not in beginning:
        return _(
            "The lines end with carriage returns only, as on old Macs. Save the file with Unix or"
            " Windows line ends and import it again."
        )
    return ""


def json_values(stream: Opened) -> Values:
    """One JSON value per line; blank lines are skipped."""
    for line in lines(stream):
        if isinstance(line, ImportProblem):
            yield line
        elif line.content.strip():
            yield _value(line)


def decoded(line: FileLine) -> str | ImportProblem:
    """The line's text, without a byte-order mark: files that were joined have some inside."""
    try:
        return line.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return ImportProblem(
            line.number,
            _("Byte %(at)d is not UTF-8. Save the file as UTF-8, or fix or remove this line.")
            % {"at": error.start + 1},
        )


class RepeatedKey(Exception):
    """An object has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The pairs as a dictionary. JSON allows a key twice; Python would silently drop the first."""
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise RepeatedKey(key)
            seen.add(key)
    return values


def _value(line: FileLine) -> Value | ImportProblem:
    text = decoded(line)
    if isinstance(text, ImportProblem):
        return text
    try:
        value = json.loads(text, object_pairs_hook=unique_keys)
        return limits.problem_of(line.number, value) or Value(line.number, value)
    except (RepeatedKey, RecursionError) as error:
        return unusable_json(line.number, error)
    except json.JSONDecodeError as error:
        if not line.is_whole:
            return ImportProblem(
                line.number,
                _(
                    "The file ends in the middle of this line. Download it again or remove this"
                    " line."
                ),
            )
        return ImportProblem(
            line.number,
            _("Invalid JSON at character %(at)d. Fix or remove this line.") % {"at": error.colno},
        )
    except ValueError as error:
        return unusable_json(line.number, error)


def unusable_json(line: int, error: Exception) -> ImportProblem:
    """What is wrong with JSON that is well formed."""
    if isinstance(error, RepeatedKey):
        sentence = _("The key “%(key)s” is there twice. Remove one of them or remove this line.")
        return ImportProblem(line, sentence % {"key": plain_text.storable(error.key[:40])})
    if isinstance(error, RecursionError):
        return limits.too_deep(line)
    # Python refuses to parse integers of more than 4300 digits.
    return ImportProblem(
        line, _("A number in this line is too long. Shorten it or remove this line.")
    )


def _line(
    number: int, pieces: list[bytes], size: int, *, is_whole: bool = True
) -> FileLine | ImportProblem:
    if size > MAX_LINE:
        return ImportProblem(
            number,
            _("The line has %(n)d bytes; the limit is %(limit)d. Shorten it or remove this line.")
            % {"n": size, "limit": MAX_LINE},
        )
    return FileLine(number, b"".join(pieces), is_whole)


def chunks(stream: Opened) -> Iterator[bytes | ImportProblem]:
    try:
        # read1, because read discards already decompressed data when it meets a truncated end.
        while chunk := stream.read1(_CHUNK):
            yield chunk
    except EOFError:
        yield ImportProblem(
            0,
            _(
                "The compressed file ends too early, at this line. Download it again and import it"
                " again."
            ),
            is_fatal=True,
        )
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error):
        yield ImportProblem(
            0,
            _(
                "The compressed file is damaged, at this line or before. Download it again and"
                " import it again."
            ),
            is_fatal=True,
        )
    except UnicodeDecodeError:
        yield ImportProblem(
            0,
            _(
                "The file starts as UTF-16 and is damaged, at this line or before. Save it as UTF-8"
                " and import it again."
            ),
            is_fatal=True,
        )


class _Utf8(io.RawIOBase):
    """A stream in another encoding as UTF-8. Reading raises UnicodeDecodeError where it is
    damaged.
    """

    def __init__(self, stream: Opened, encoding: str) -> None:
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = b""
        self._damage: UnicodeDecodeError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._damage:
            raise self._damage
        while not self._ready:
            data = self._stream.read1(_CHUNK)
            try:
                self._ready = self._decoder.decode(data, final=not data).encode()
            except UnicodeDecodeError as error:
                # Every later read fails too: a peek must not skip the damaged part.
                self._damage = error
                raise
            if not data:
                break
        chunk, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Raw(io.RawIOBase):
    """Any object with `read`, as a raw stream that can be buffered and peeked."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self.is_packed = isinstance(stream, zipfile.ZipExtFile)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Limited(io.RawIOBase):
    """A stream that may be read as far as a budget goes."""

    def __init__(self, stream: Opened, budget: Budget) -> None:
        super().__init__()
        self._stream, self._budget = stream, budget
        self.is_packed = is_packed(stream)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # With nothing left, one byte tells whether the file ends here as well.
        data = self._stream.read1(min(len(buffer), self._budget.n_bytes) or 1)
        self._budget.take(len(data))
        buffer[: len(data)] = data
        return len(data)
