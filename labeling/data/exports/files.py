"""Records as files: JSON lines, one JSON list, or Parquet."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, starmap
from tempfile import TemporaryFile
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from arithmetic import chats
from labeling.data.exports.columns import CHATS, MESSAGES, TOOLS, Record, has_parts
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
        self._to, self._schema = to, schema
        # Only the last row tells whether any has tool calls, which need other columns.
        self._rows = TemporaryFile()  # noqa: SIM115  # closed in close()
        self._has_parts = False

    def write(self, record: Record) -> None:
        self._has_parts = self._has_parts or has_parts(record)
        self._rows.writelines(jsonl([record]))

    def close(self) -> None:
        self._rows.seek(0)
        with self._rows:
            parquet(
                map(json.loads, self._rows),
                schema=self._schema,
                to=self._to,
                with_parts=self._has_parts,
            )


def parquet(
    rows: Iterable[Record], *, schema: pa.Schema, to: BinaryIO, with_parts: bool = False
) -> int:
    """Writes a Parquet file and returns its number of rows. Ratings are stored as JSON text; so
    are, `with_parts`, messages, calls and tools, whose keys differ: `datasets` reads them as
    objects.
    """
    remaining = iter(rows)
    n_rows = 0
    written = _with_json(schema) if with_parts else schema
    stored = _with_json(schema, pa.string()) if with_parts else schema
    with pq.ParquetWriter(to, written) as writer:
        while chunk := list(islice(remaining, CHUNK)):
            flat = [_flat(row, with_parts=with_parts) for row in chunk]
            writer.write_table(pa.Table.from_pylist(flat, schema=stored).cast(written))
            n_rows += len(chunk)
    return n_rows


def _with_json(schema: pa.Schema, stored: pa.DataType | None = None) -> pa.Schema:
    """The columns of rows with thinking or tool calls. Without `stored`, JSON is Arrow's type."""
    kind = stored or pa.json_()
    columns = [
        pa.field(field.name, pa.list_(kind)) if field.type == MESSAGES else _with_calls(field)
        for field in schema
    ]
    return pa.schema([*columns, pa.field(TOOLS, pa.list_(kind))])


def _with_calls(field: pa.Field) -> pa.Field:
    if field.name != "responses":
        return field
    answer = field.type.value_type
    parts = [("reasoning_content", pa.string()), ("tool_calls", pa.string())]
    return pa.field("responses", pa.list_(pa.struct([*answer, *starmap(pa.field, parts)])))


def _flat(record: Record, *, with_parts: bool) -> Record:
    """Questions differ from form to form, so their answers have no columns of their own."""
    if with_parts:
        record = _with_json_parts(record)
    responses = record.get("responses", ())
    if not any("ratings" in response for response in responses):
        return record
    return record | {
        "responses": [
            response | {"ratings": json.dumps(response["ratings"])} for response in responses
        ]
    }


def _with_json_parts(record: Record) -> Record:
    lists = {
        name: list(map(chats.as_json, value))
        for name, value in record.items()
        if name in (*CHATS, TOOLS) and isinstance(value, list)
    }
    if "responses" in record:
        lists["responses"] = [
            answer | {"tool_calls": chats.as_json(answer["tool_calls"])}
            if "tool_calls" in answer
            else answer
            for answer in record["responses"]
        ]
    return record | lists
