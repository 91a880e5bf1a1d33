"""Text for pretraining: reads documents from files, filters them, and freezes them into a folder.
No database.

A .jsonl file has one object with a `text` per line. In any other file, documents are separated by
lines that contain only <|endoftext|>.
"""

import hashlib
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from labeling.curation.contamination import Item
from labeling.curation.documents import Document as GivenDocument
from labeling.curation.recipe import Recipe
from labeling.importers import curation
from pages import plain_text
from training.processes import run_dir
from training.snapshots import curated
from training.snapshots import freeze as snapshots_freeze
from training.snapshots.freeze import FrozenFolder, UnableToCreate

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


@dataclass(frozen=True)
class Documents:
    """The documents of a file, which is read again each time, line by line."""

    name: str
    file: BinaryIO

    def __iter__(self) -> Iterator[Document]:
        return (found for found in self._read() if isinstance(found, Document))

    def problems(self) -> list[DocumentProblem]:
        """What is wrong with the file; at most MAX_PROBLEMS."""
        wrong = (found for found in self._read() if isinstance(found, DocumentProblem))
        return list(itertools.islice(wrong, MAX_PROBLEMS))

    def _read(self) -> Iterator[Document | DocumentProblem]:
        self.file.seek(0)
        lines = _decoded(self.file)
        return (
            _of_lines(self.name, lines)
            if self.name.endswith(".jsonl")
            else _parts(self.name, lines)
        )


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


def freeze(
    documents: Iterable[Document],
    *,
    folder: Path,
    licence: str,
    min_characters: int,
    recipe: Recipe | None = None,
    items: Iterable[Item] = (),
) -> FrozenFolder:
    """Writes the folder atomically. Leaves out short documents and duplicates, and splits the rest
    about 80/10/10 by a hash of the text. Before that, `recipe` cleans the documents; `items` are
    what it keeps out because models are measured on them.

    Duplicates are equal except for case, punctuation and spacing. Raises UnableToCreate, and then
    leaves nothing behind.
    """
    aside = folder.with_name(f"{run_dir.TEMPORARY}{folder.name}")
    aside.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        if recipe is None:
            card = _filled(documents, aside, licence, min_characters)
        else:
            given = (GivenDocument(one.text, one.source, licence) for one in documents)
            with curated.cleaned(given, recipe=recipe, items=items, folder=aside) as (kept, about):
                left = (Document(one.text, one.source) for one in kept)
                card = _filled(left, aside, licence, min_characters) | {"curation": about}
        run_dir.write_json(aside / run_dir.SNAPSHOT_CARD, card)
        for path in aside.iterdir():
            path.chmod(0o444)
        aside.rename(folder)
        undo.pop_all()
    return FrozenFolder(snapshots_freeze.fingerprint(folder), card["rows"], card, [])


def _filled(
    documents: Iterable[Document], folder: Path, licence: str, min_characters: int
) -> dict[str, Any]:
    """Writes the splits. Returns the card. Raises UnableToCreate if nothing is left."""
    left_out: Counter[str] = Counter()
    chosen = _curated(documents, min_characters, left_out)
    splits, sources, n_characters = _written(chosen, folder)
    if not splits["train"]:
        raise UnableToCreate(
            _("No documents remain. Upload more, or lower the minimum document length.")
        )
    n_rows = splits.total()
    return {
        "kind": "text",
        "rows": n_rows,
        "prompts": n_rows,
        "characters": n_characters,
        "splits": dict(splits),
        "sources": dict(sources.most_common()),
        "licences": {licence: n_rows},
        "left_out": dict(left_out.most_common()),
    }


def _written(
    curated: Iterable[tuple[str, Document]], folder: Path
) -> tuple[Counter[str], Counter[str], int]:
    """Writes each document to its split. (rows by split, rows by source, characters)"""
    splits: Counter[str] = Counter(dict.fromkeys(run_dir.SPLITS, 0))
    sources: Counter[str] = Counter()
    n_characters = 0
    with ExitStack() as opened:
        files = {
            split: opened.enter_context((folder / f"{split}.jsonl").open("w", encoding="utf-8"))
            for split in run_dir.SPLITS
        }
        for key, document in curated:
            row = {"id": f"text-{key[:16]}", "text": document.text, "source": document.source}
            split = curation.split_of(key)
            files[split].write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            splits[split] += 1
            sources[document.source] += 1
            n_characters += len(document.text)
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    return splits, sources, n_characters


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
        except ValueError:
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


def _curated(
    documents: Iterable[Document], min_characters: int, left_out: Counter[str]
) -> Iterator[tuple[str, Document]]:
    seen: set[bytes] = set()
    for document in documents:
        if len(document.text) < min_characters:
            left_out["too short"] += 1
            continue
        digest = hashlib.sha256(curation.skeleton(document.text).encode())
        if digest.digest() in seen:
            left_out["said before"] += 1
            continue
        seen.add(digest.digest())
        # PostgreSQL cannot store NUL, and no tokenizer needs it.
        yield digest.hexdigest(), Document(plain_text.storable(document.text), document.source)
