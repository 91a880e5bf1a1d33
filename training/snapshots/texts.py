"""Text for pretraining: reads documents from files, filters them, and freezes them into a folder.
No database.

A .jsonl file has one object with a `text` per line. In any other file, documents are separated by
lines that contain only <|endoftext|>.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from labeling.importers import curation
from pages import plain_text
from training.processes import run_dir
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


def read(name: str, content: bytes) -> tuple[list[Document], list[DocumentProblem]]:
    """All documents, or what is wrong with the file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        return [], [DocumentProblem(line, _("Not UTF-8 text. Save the file as UTF-8."))]
    if name.endswith(".jsonl"):
        return _of_lines(name, text)
    found = [
        Document(part.strip(), name)
        for part in f"\n{text}\n".replace("\r\n", "\n").split(f"\n{END}\n")
    ]
    return [document for document in found if document.text], []


def freeze(
    documents: Iterable[Document], *, folder: Path, licence: str, min_characters: int
) -> FrozenFolder:
    """Writes the folder atomically. Leaves out short documents and duplicates, and splits the rest
    about 80/10/10 by a hash of the text.

    Duplicates are equal except for case, punctuation and spacing. Raises UnableToCreate, and then
    leaves nothing behind.
    """
    left_out: Counter[str] = Counter()
    aside = folder.with_name(f"{run_dir.TEMPORARY}{folder.name}")
    aside.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        splits: dict[str, list[str]] = {split: [] for split in run_dir.SPLITS}
        sources: Counter[str] = Counter()
        n_characters = 0
        for key, document in _curated(documents, min_characters, left_out):
            row = {"id": f"text-{key[:16]}", "text": document.text, "source": document.source}
            splits[curation.split_of(key)].append(
                json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"
            )
            sources[document.source] += 1
            n_characters += len(document.text)
        if not splits["train"]:
            raise UnableToCreate(
                _("No documents remain. Upload more, or lower the minimum document length.")
            )
        for split, lines in splits.items():
            run_dir.write_atomically(aside / f"{split}.jsonl", "".join(lines))
        n_rows = sum(map(len, splits.values()))
        card: dict[str, Any] = {
            "kind": "text",
            "rows": n_rows,
            "prompts": n_rows,
            "characters": n_characters,
            "splits": {split: len(lines) for split, lines in splits.items()},
            "sources": dict(sources.most_common()),
            "licences": {licence: n_rows},
            "left_out": dict(left_out.most_common()),
        }
        run_dir.write_json(aside / run_dir.SNAPSHOT_CARD, card)
        for file in aside.iterdir():
            file.chmod(0o444)
        aside.rename(folder)
        undo.pop_all()
    return FrozenFolder(snapshots_freeze.fingerprint(folder), n_rows, card, [])


def _of_lines(name: str, text: str) -> tuple[list[Document], list[DocumentProblem]]:
    documents, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            problems.append(
                DocumentProblem(
                    number, _("Not a JSON object. Write one object per line, with a “text” field.")
                )
            )
            continue
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text"), str)
            or not row["text"].strip()
        ):
            problems.append(
                DocumentProblem(
                    number, _("“text” is missing or empty. Add it, or remove the line.")
                )
            )
            continue
        documents.append(Document(row["text"].strip(), str(row.get("source") or name)))
    return documents, problems[:MAX_PROBLEMS]


def _curated(
    documents: Iterable[Document], min_characters: int, left_out: Counter[str]
) -> Iterator[tuple[str, Document]]:
    seen: set[str] = set()
    for document in documents:
        if len(document.text) < min_characters:
            left_out["too short"] += 1
            continue
        key = hashlib.sha256(curation.skeleton(document.text).encode()).hexdigest()
        if key in seen:
            left_out["said before"] += 1
            continue
        seen.add(key)
        # PostgreSQL cannot store NUL, and no tokenizer needs it.
        yield key, Document(plain_text.storable(document.text), document.source)
