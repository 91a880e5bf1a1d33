"""Databases of releases: one file each in tests/upgrades/releases/, written by
`make release-data RELEASE=…` when the release is made.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("releases")


@dataclass(frozen=True)
class Release:
    """`migrations` and `loads_at` name the last migration of each app, as "app.name"."""

    name: str
    migrations: list[str]
    loads_at: list[str]
    """Where the rows are loaded: at the release's migrations, or at earlier ones, to test that a
    site from before the release can be upgraded too.
    """
    rows: dict[str, list[dict[str, Any]]]


def as_json(migrations: list[str], rows: dict[str, list[dict[str, Any]]]) -> str:
    """A release's file. Each row is a line of values, below the names of its table's columns."""
    tables = ",\n".join(
        f"{_line(label)}: [\n" + ",\n".join([_line(list(found[0])), *map(_values, found)]) + "\n]"
        for label, found in rows.items()
    )
    names = _line(migrations)
    return f'{{"migrations": {names},\n"loads_at": {names},\n"tables": {{\n{tables}\n}}}}\n'


def _values(row: dict[str, Any]) -> str:
    return _line(list(row.values()))


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def read(name: str) -> Release:
    found = json.loads((FOLDER / f"{name}.json").read_text())
    tables = {
        label: [dict(zip(columns, row, strict=True)) for row in rows]
        for label, (columns, *rows) in found.pop("tables").items()
    }
    return Release(name=name, rows=tables, **found)
