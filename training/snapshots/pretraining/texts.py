"""Text for pretraining: filters the documents of a file and freezes them. No database."""

import hashlib
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

from arithmetic import plain_text, similarity
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.splits import near_duplicates
from training.processes import run_dir
from training.snapshots import freeze as snapshots_freeze
from training.snapshots.curation.ledger import LEDGER, Curated
from training.snapshots.freeze import FrozenFolder, UnableToCreate
from training.snapshots.pretraining import documents
from training.snapshots.pretraining.documents import Document, DocumentProblem


@dataclass(frozen=True)
class Documents:
    """The documents of a file, which a child reads again each time."""

    name: str
    file: BinaryIO

    def __iter__(self) -> Iterator[Document]:
        """Raises UnableToCreate."""
        with process.on_disk(self.file) as path:
            try:
                for found in process.stream(
                    documents.read, limits.of_worker(path), _nothing, path=path, name=self.name
                ):
                    if isinstance(found, Document):
                        yield found
            except UnableToRead as refusal:
                raise UnableToCreate(refusal.sentence) from refusal

    def problems(self) -> list[DocumentProblem]:
        """What is wrong with the file; at most MAX_PROBLEMS."""
        try:
            with process.on_disk(self.file) as path:
                return list(
                    process.value(
                        documents.problems_of, limits.of_upload(), path=path, name=self.name
                    )
                )
        except UnableToRead as refusal:
            return [DocumentProblem(0, refusal.sentence)]


def _nothing() -> None:
    pass


def freeze(
    documents: Iterable[Document],
    *,
    folder: Path,
    licence: str,
    min_characters: int,
    curation: Curated | None = None,
) -> FrozenFolder:
    """Writes the folder atomically. Leaves out short documents and duplicates, and splits the rest
    about 80/10/10 by a hash of the text. `curation` is what a recipe did to them before: it has
    removed the duplicates that nobody wanted back.

    Duplicates are equal except for case, punctuation and spacing. Raises UnableToCreate, and then
    leaves nothing behind.
    """
    aside = folder.with_name(f"{run_dir.TEMPORARY}{folder.name}")
    aside.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        left_out: Counter[str] = Counter()
        chosen = _chosen(documents, min_characters, left_out, keeps_copies=curation is not None)
        card = _filled(chosen, aside, licence, left_out)
        if curation is not None:
            card["curation"] = curation.about
            shutil.copyfile(curation.ledger, aside / LEDGER)
        run_dir.write_json(aside / run_dir.SNAPSHOT_CARD, card)
        for path in aside.iterdir():
            path.chmod(0o444)
        aside.rename(folder)
        undo.pop_all()
    return FrozenFolder(snapshots_freeze.fingerprint(folder), card["rows"], card, [])


def _filled(
    chosen: Iterable[tuple[str, Document]], folder: Path, licence: str, left_out: Counter[str]
) -> dict[str, Any]:
    """Writes the splits. Returns the card. Raises UnableToCreate if nothing is left."""
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
    chosen: Iterable[tuple[str, Document]], folder: Path
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
        for key, document in chosen:
            # A copy's key is its text's and a number.
            digest, *copy = key.split("-")
            name = "-".join(["text", digest[:16], *copy])
            row = {"id": name, "text": document.text, "source": document.source}
            split = near_duplicates.split_of(digest)
            files[split].write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            splits[split] += 1
            sources[document.source] += 1
            n_characters += len(document.text)
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    return splits, sources, n_characters


def _chosen(
    documents: Iterable[Document],
    min_characters: int,
    left_out: Counter[str],
    *,
    keeps_copies: bool,
) -> Iterator[tuple[str, Document]]:
    """Each document with its key. Copies that are kept have keys of their own, which begin as that
    of the first does, so that all are in one split.
    """
    seen: Counter[bytes] = Counter()
    for document in documents:
        if len(document.text) < min_characters:
            left_out["too short"] += 1
            continue
        digest = hashlib.sha256(similarity.skeleton(document.text).encode())
        n = seen[digest.digest()]
        if n and not keeps_copies:
            left_out["said before"] += 1
            continue
        seen[digest.digest()] += 1
        key = digest.hexdigest()
        # PostgreSQL cannot store NUL, and no tokenizer needs it.
        text = plain_text.storable(document.text)
        yield f"{key}-{n + 1}" if n else key, Document(text, document.source)
