"""Cleans the documents of a folder in processes of its own, so that a worker or a web server keeps
its memory:

    python -m training.snapshots.curation.rules.child FOLDER [--processes 2]

`prepare` writes what it reads: documents.jsonl, items.jsonl and recipe.json. Killed, it goes on
where it was when it is started again.
"""

import argparse
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from training.snapshots.curation.rules import cleaning
from training.snapshots.curation.rules.contamination import Item
from training.snapshots.curation.rules.documents import Document, documents_in, line_of
from training.snapshots.curation.rules.recipe import Recipe, from_json

DOCUMENTS, ITEMS, RECIPE = "documents.jsonl", "items.jsonl", "recipe.json"
N_PROCESSES = 2


def prepare(
    folder: Path, *, documents: Iterable[Document], items: Iterable[Item], recipe: Recipe
) -> None:
    """Writes what the child reads. Does nothing if all of it is there: recipe.json comes last."""
    if (folder / RECIPE).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ((DOCUMENTS, documents), (ITEMS, items)):
        with (folder / name).open("wb") as file:
            file.writelines(line_of(asdict(row)) for row in rows)
            file.flush()
            os.fsync(file.fileno())
    aside = folder / f".tmp-{RECIPE}"
    aside.write_text(json.dumps(recipe.as_json()))
    aside.replace(folder / RECIPE)


def n_read(folder: Path) -> int:
    """How many documents the first pass has read so far."""
    try:
        n: int = json.loads((folder / cleaning.STATE).read_text())["n_read"]
    except FileNotFoundError:
        return 0
    return n


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=N_PROCESSES)
    options = parser.parse_args()
    folder: Path = options.folder
    with (folder / DOCUMENTS).open("rb") as documents, (folder / ITEMS).open("rb") as items:
        cleaning.clean(
            documents_in(documents),
            recipe=from_json(json.loads((folder / RECIPE).read_text())),
            folder=folder,
            items=[Item(**json.loads(line)) for line in items],
            n_processes=options.processes,
        )


if __name__ == "__main__":
    main()
