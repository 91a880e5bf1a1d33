"""Importers turn uploaded files into drafts with line numbers. Bytes in, drafts and problems out:
no database.

`read(stream, format)` never raises because of a file's content: every error becomes a problem,
and reading continues.
"""

import json
from typing import BinaryIO

from labeling.importers import hugging_face, lines, plain, transcripts, trees
from labeling.importers.drafts import Found, ImportProblem

READERS = {
    "jsonl": plain.read_jsonl,
    "csv": plain.read_csv,
    "openassistant": trees.read,
    "hh": transcripts.read,
    "hf": hugging_face.read,
}
FORMATS = tuple(READERS)


def read(stream: BinaryIO, file_format: str) -> Found:
    """Drafts and problems of a file, one at a time, in constant memory."""
    return READERS[file_format](lines.unpacked(stream))


def guess_format(stream: BinaryIO) -> str:
    """The likely format, judged by the file's first line. Consumes part of the stream."""
    first = _first_line(stream)
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return "jsonl" if first[:1] in (b"{", b"[", b'"') else "csv"
    if not isinstance(value, dict):
        return "jsonl" if isinstance(value, str | list) else "csv"
    if isinstance(value.get("prompt"), dict):
        return "openassistant"
    if isinstance(value.get("chosen"), str) and "prompt" not in value:
        return "hh"
    if {"chosen", "rejected", "completion"} & set(value) or isinstance(value.get("prompt"), list):
        return "hf"
    return "jsonl"


def _first_line(stream: BinaryIO) -> bytes:
    for line in lines.lines(lines.unpacked(stream)):
        if isinstance(line, ImportProblem):
            return b""
        content = line.content.removeprefix(b"\xef\xbb\xbf").strip()
        if content:
            return content
    return b""
