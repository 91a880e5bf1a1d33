"""Imports of rows that a test names."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labeling.data.imports import services as imports_services
from labeling.models import Import
from tests.cast import NOON
from tests.labeling.importers.import_rows import clock

Bring = Callable[..., Import]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """Write rows to a file, import it and give back the import as it ended."""

    def bring(*rows: Any, name: str = "a.jsonl", runs: bool = True, **changed: Any) -> Import:
        path = tmp_path / name
        path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        wanted: dict[str, Any] = {
            "file_format": None,
            "source_name": "a",
            "licence": "CC0-1.0",
            "is_rung": False,
            "by": None,
            "now": NOON,
        } | changed
        batch = imports_services.start_import(path=path, file_name=name, **wanted)
        if runs:
            imports_services.IMPORTS.run(batch.pk, clock=clock)
            batch.refresh_from_db()
        return batch

    return bring
