"""Text for pretraining, cleaned by a recipe before it is frozen, and the ledger of what the recipe
removed or changed. No database.

The ledger stays in the frozen folder; nothing in it is personal.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from labeling.curation import cleaning
from labeling.curation.contamination import Item
from labeling.curation.documents import Document
from labeling.curation.recipe import PRESETS, Recipe

RECIPES: dict[str, Recipe] = {name: PRESETS[name] for name in ("light", "text")}
"""The recipes that the form offers"""
LEDGER = cleaning.LEDGER
_WORK = "curation"


@dataclass(frozen=True)
class Entry:
    """A row of the ledger."""

    document: int
    outcome: str
    rule: str
    value: float | str
    threshold: float | str
    twin: str
    excerpt: str
    id: str
    source: str
    n_findings: int


@contextmanager
def cleaned(
    documents: Iterable[Document], *, recipe: Recipe, items: Iterable[Item], folder: Path
) -> Iterator[tuple[Iterator[Document], dict[str, Any]]]:
    """The documents that the recipe kept, and what the card says of it. Writes the ledger into
    `folder`.
    """
    work = folder / _WORK
    try:
        account = cleaning.clean(documents, recipe=recipe, folder=work, items=items)
        about = {
            "recipe": recipe.as_json(),
            "fingerprint": account.fingerprint,
            "read": account.read,
            "kept": account.kept,
            "changed": account.changed,
            "removed": account.removed,
            "rules": account.rules,
            "items_too_short": account.items_too_short,
        }
        yield (document for _place, document in cleaning.kept(work)), about
        (work / cleaning.LEDGER).rename(folder / LEDGER)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def entries(folder: Path, *, rule: str, skip: int, n: int) -> list[Entry]:
    """At most `n` rows of the ledger after the first `skip`, of one rule or of all (""). Raises
    OSError if the files are not here.
    """
    with (folder / LEDGER).open(encoding="utf-8") as file:
        rows = (json.loads(line) for line in file)
        of_rule = (row for row in rows if rule in ("", row["rule"]))
        return [_entry(row) for row in islice(of_rule, skip, skip + n)]


def _entry(row: dict[str, Any]) -> Entry:
    n_findings = len(row["spans"])
    names = (name for name in Entry.__dataclass_fields__ if name != "n_findings")
    return Entry(**{name: row[name] for name in names}, n_findings=n_findings)
