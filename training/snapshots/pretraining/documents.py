"""The documents of a file of text, read line by line, in a child: see labeling.importers.child.

A .jsonl file has one object with a `text` per line. In any other file, documents are separated by
lines that contain only <|endoftext|>.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

END = "<|endoftext|>"
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Document:
    text: str
    source: str


@dataclass(frozen=True)
class DocumentProblem:
    """`line` counts from 1; 0 means the whole file."""

    line: int
    sentence: str


def read(*, path: Path, name: str) -> Iterator[Document | DocumentProblem]:
    with path.open("rb") as file:
        lines = _decoded(file)
        yield from _of_lines(name, lines) if name.endswith(".jsonl") else _parts(name, lines)


def problems_of(*, path: Path, name: str) -> tuple[DocumentProblem, ...]:
    """What is wrong with the file; at most MAX_PROBLEMS."""
    wrong = (found for found in read(path=path, name=name) if isinstance(found, DocumentProblem))
    return tuple(itertools.islice(wrong, MAX_PROBLEMS))


def _decoded(file: BinaryIO) -> Iterator[tuple[int, str | DocumentProblem]]:
    """The file's lines with their numbers, up to the first that is not UTF-8."""
    for number, line in enumerate(file, start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield (
                number,
                DocumentProblem(number, _("Not UTF-8 text. Save the file as UTF-8.")),
            )
            return


def _parts(
    name: str, lines: Iterable[tuple[int, str | DocumentProblem]]
) -> Iterator[Document | DocumentProblem]:
    """Documents between lines that contain only END."""
    part: list[str] = []
    for _number, line in itertools.chain(lines, [(0, END)]):
        if isinstance(line, DocumentProblem):
            yield line
        elif line.removesuffix("\n").removesuffix("\r") == END:
            text = "".join(part).strip()
            if text:
                yield Document(text, name)
            part = []
        else:
            part.append(line.replace("\r\n", "\n"))


def _of_lines(
    name: str, lines: Iterable[tuple[int, str | DocumentProblem]]
) -> Iterator[Document | DocumentProblem]:
    for number, line in lines:
        if isinstance(line, DocumentProblem):
            yield line
            return
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield DocumentProblem(
                number, _("Not a JSON object. Write one object per line, with a “text” field.")
            )
            continue
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text"), str)
            or not row["text"].strip()
        ):
            yield DocumentProblem(
                number, _("“text” is missing or empty. Add it, or remove the line.")
            )
            continue
        yield Document(row["text"].strip(), str(row.get("source") or name))
