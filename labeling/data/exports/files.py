"""Records as files: JSON lines, one JSON list, or Parquet."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from labeling.data.exports.columns import Record
from labeling.data.exports.rows import CHUNK


def jsonl(rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """One line of UTF-8 per row."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def json_list(rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """One JSON list, with a line per row."""
    between = b"[\n"
    for row in rows:
        yield between + json.dumps(row, ensure_ascii=False).encode()
        between = b",\n"
    yield b"\n]\n" if between == b",\n" else b"[]\n"


class ParquetFile:
    """Writes records of one schema, a row group at a time. Close it, for the table of contents."""

    def __init__(self, to: BinaryIO, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(to, schema)
        self._schema = schema
        self._rows: list[Record] = []

    def write(self, record: Record) -> None:
        self._rows.append(_flat(record))
        if len(self._rows) >= CHUNK:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def parquet(rows: Iterable[Record], *, schema: pa.Schema, to: BinaryIO) -> int:
    """Writes a Parquet file and returns its number of rows. Ratings are stored as JSON text."""
    remaining = iter(rows)
    n_rows = 0
    with pq.ParquetWriter(to, schema) as writer:
        while chunk := list(islice(remaining, CHUNK)):
            writer.write_table(pa.Table.from_pylist([_flat(row) for row in chunk], schema=schema))
            n_rows += len(chunk)
    return n_rows


def _flat(record: Record) -> Record:
    """Questions differ from form to form, so their answers have no columns of their own."""
    responses = record.get("responses", ())
    if not any("ratings" in response for response in responses):
        return record
    return record | {
        "responses": [
            response | {"ratings": json.dumps(response["ratings"])} for response in responses
        ]
    }
