"""What a recipe did to documents: its account, and the ledger, a row for each document that it
removed or changed. No database.

Nothing in the ledger is personal.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from training.snapshots.curation.rules import cleaning
from training.snapshots.curation.rules.cleaning import Account
from training.snapshots.curation.rules.contamination import Decontamination
from training.snapshots.curation.rules.recipe import Recipe

LEDGER = cleaning.LEDGER


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
    twin_excerpt: str = ""
    """the beginning of the document that it repeats; ledgers of earlier versions lack it"""

    @property
    def is_removed(self) -> bool:
        return self.outcome == "removed"

    @property
    def is_of_item(self) -> bool:
        """Whether `twin` is the name of a test item, and not the id of a document."""
        return self.rule.startswith(f"{Decontamination.NAME}.")


@dataclass(frozen=True)
class Curated:
    """What a snapshot keeps of a curation."""

    about: dict[str, object]
    """for its card"""
    ledger: Path


@dataclass(frozen=True)
class RuleCounts:
    """How many documents a rule removed and changed."""

    removed: int
    changed: int

    @property
    def total(self) -> int:
        return self.removed + self.changed


@dataclass(frozen=True)
class Summary:
    """What a recipe did: read = kept + changed + removed."""

    recipe: str
    fingerprint: str
    read: int
    kept: int
    changed: int
    removed: int
    rules: list[tuple[str, RuleCounts]]
    """the most effective first"""

    @property
    def n_entries(self) -> int:
        return sum(counts.total for _rule, counts in self.rules)


def about(account: Account, recipe: Recipe) -> dict[str, object]:
    """What a card says of a curation."""
    return {
        "recipe": recipe.as_json(),
        "fingerprint": account.fingerprint,
        "read": account.read,
        "kept": account.kept,
        "changed": account.changed,
        "removed": account.removed,
        "rules": account.rules,
        "items_too_short": account.items_too_short,
    }


def summary(record: dict[str, Any]) -> Summary:
    """Of what `about` wrote."""
    rules = [
        (rule, RuleCounts(counts.get("removed", 0), counts.get("changed", 0)))
        for rule, counts in record["rules"].items()
    ]
    return Summary(
        recipe=record["recipe"]["name"],
        **{name: record[name] for name in ("fingerprint", "read", "kept", "changed", "removed")},
        rules=sorted(rules, key=lambda entry: (-entry[1].total, entry[0])),
    )


def entries(folder: Path, *, rule: str, skip: int, n: int) -> list[Entry]:
    """At most `n` rows of the ledger after the first `skip`, of one rule or of all (""). Raises
    OSError if the files are not here.
    """
    of_rule = (entry for entry in read(folder) if rule in ("", entry.rule))
    return list(islice(of_rule, skip, skip + n))


def removal(folder: Path, document: str) -> Entry | None:
    """The row that says why a document was removed; None if it was not. Raises OSError if the files
    are not here.
    """
    return next(
        (entry for entry in read(folder) if entry.id == document and entry.is_removed), None
    )


def read(folder: Path) -> Iterator[Entry]:
    """Every row, in the order of the documents. Raises OSError if the files are not here."""
    names = Entry.__dataclass_fields__
    with (folder / LEDGER).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            about = {name: row[name] for name in names if name in row}
            # Earlier versions named the source of each response of a row.
            about["source"] = ", ".join(dict.fromkeys(about["source"].split(", ")))
            yield Entry(**about, n_findings=len(row["spans"]))
