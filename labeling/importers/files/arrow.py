"""The rows of a Parquet file."""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from labeling.importers.drafts import ImportProblem
from labeling.importers.files import limits, lines
from labeling.importers.files.lines import Budget, Opened, Value, Values

MAX_UNPACKED = 4 * 1024**3
"""Bytes of a compressed file that are copied to the disk."""
DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
_AT_ONCE = 256
_LOOKED_AT_ONCE = 16
_BUFFER = 1024 * 1024
"""Bytes of a column that are read at a time: without it, those of a whole row group."""
_COPIED_AT_ONCE = 1024 * 1024


class TooLarge(Exception):
    """A compressed file has more than MAX_UNPACKED bytes in it."""


def read(stream: Opened, file: BinaryIO | None, budget: Budget | None) -> Values:
    """One dictionary per row, without the columns that are empty in it. A row's number counts as
    its line. Without the `file` itself, the stream is copied.
    """
    number = 0
    try:
        with ExitStack() as opened:
            file = file or opened.enter_context(seekable(stream))
            table = opened.enter_context(pq.ParquetFile(file, buffer_size=_BUFFER))
            if problem := limits.too_wide(0, table.metadata.num_columns):
                yield problem
                return
            at_once = _AT_ONCE if budget is None else _LOOKED_AT_ONCE
            for batch in table.iter_batches(batch_size=at_once):
                if budget is not None:
                    budget.take(batch.nbytes)
                for row in batch.to_pylist():
                    number += 1
                    value = _present(row)
                    yield limits.problem_of(number, value) or Value(number, value)
    except TooLarge:
        yield too_large()
    except MemoryError:
        raise  # it is an ArrowException too
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
    except (TooLarge, lines.Spent, *DAMAGED):
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


def _present(row: Mapping[str, object]) -> dict[str, object]:
    """Parquet has every column in every row; JSON lines leave out what is missing."""
    return {name: value for name, value in row.items() if value is not None}


def write_parquet(*, path: Path, to: Path) -> int:
    """The rows of an Arrow stream as Parquet. Returns the number of batches."""
    n = 0
    with (
        pa.OSFile(str(path)) as file,
        pa.ipc.open_stream(file) as batches,
        pq.ParquetWriter(to, batches.schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
            n += 1
    return n
