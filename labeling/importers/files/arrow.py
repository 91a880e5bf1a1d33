"""The rows of a Parquet file."""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem
from labeling.importers.files import lines
from labeling.importers.files.lines import Opened, Value, Values

MAX_UNPACKED = 4 * 1024**3
"""Bytes of a compressed file that are copied to the disk."""
DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
_AT_ONCE = 256
_COPIED_AT_ONCE = 1024 * 1024


class TooLarge(Exception):
    """A compressed file has more than MAX_UNPACKED bytes in it."""


def read(stream: Opened) -> Values:
    """One dictionary per row, without the columns that are empty in it. A row's number counts as
    its line.
    """
    number = 0
    try:
        with seekable(stream) as file, pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield Value(number, _present(row))
    except TooLarge:
        yield too_large()
    except (pa.ArrowException, OSError, UnicodeDecodeError, *DAMAGED):
        sentence = _("The Parquet file is damaged, at this row or before. Download it again.")
        yield ImportProblem(number + 1, sentence, is_fatal=True)


def seekable(stream: Opened) -> BinaryIO:
    """A temporary copy, because these formats are read from their end. The caller closes it.
    Raises TooLarge or one of DAMAGED.
    """
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # the caller closes it
    try:
        _copy(stream, copy)
    except (TooLarge, *DAMAGED):
        copy.close()
        raise
    copy.seek(0)
    return copy


def too_large() -> ImportProblem:
    sentence = _(
        "The compressed file has more than %(n)d GB in it. Split it, or import it uncompressed."
    )
    return ImportProblem(0, sentence % {"n": MAX_UNPACKED // 1024**3}, is_fatal=True)


def _copy(stream: Opened, copy: BinaryIO) -> None:
    """A few megabytes can unpack to terabytes. What is not compressed is on the disk already."""
    if not lines.is_packed(stream):
        shutil.copyfileobj(stream, copy)
        return
    remaining = MAX_UNPACKED
    while chunk := stream.read1(_COPIED_AT_ONCE):
        remaining -= len(chunk)
        if remaining < 0:
            raise TooLarge
        copy.write(chunk)


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """Parquet has every column in every row; JSON lines leave out what is missing."""
    return {name: value for name, value in row.items() if value is not None}
