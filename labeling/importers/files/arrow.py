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
from labeling.importers.files.lines import Opened, Value, Values

DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
_AT_ONCE = 256


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
    except (pa.ArrowException, OSError, UnicodeDecodeError, *DAMAGED):
        sentence = _("The Parquet file is damaged, at this row or before. Download it again.")
        yield ImportProblem(number + 1, sentence, is_fatal=True)


def seekable(stream: Opened) -> BinaryIO:
    """A temporary copy, because these formats are read from their end. The caller closes it.
    Raises one of DAMAGED.
    """
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  # the caller closes it
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """Parquet has every column in every row; JSON lines leave out what is missing."""
    return {name: value for name, value in row.items() if value is not None}
