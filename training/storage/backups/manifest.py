"""What a backup contains, as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
"""Changes when an older version could not restore the backup."""


class UnreadableManifest(ValueError):
    """The file is no manifest, or of a later format."""


@dataclass(frozen=True)
class StoredFile:
    """`path` says where the file belongs, such as home/uploads/… or artifacts/models/…"""

    path: str
    size: int
    sha256: str
    changed_ns: int = 0
    """When the original was changed; 0 if it is in a store."""


@dataclass(frozen=True)
class Manifest:
    name: str
    made_at: str
    version: str
    engine: str
    """postgresql or sqlite"""
    migrations: Sequence[str]
    """Applied ones, as "app.name"."""
    rows: Mapping[str, int]
    """Table → number of rows in the copy."""
    artifact_store: str
    """PREFERABLY_ARTIFACTS of the site"""
    database: StoredFile
    files: Sequence[StoredFile]
    missing: Sequence[str]
    """Sentences about files that the database names and that were not there."""
    format: int = FORMAT

    @property
    def n_bytes(self) -> int:
        return self.database.size + sum(file.size for file in self.files)

    @property
    def n_rows(self) -> int:
        return sum(self.rows.values())

    @property
    def contents(self) -> dict[str, int]:
        """SHA-256 → size of everything that it needs."""
        return {file.sha256: file.size for file in (self.database, *self.files)}


def as_json(manifest: Manifest) -> bytes:
    return json.dumps(asdict(manifest), indent=1, ensure_ascii=False).encode()


def from_json(text: bytes) -> Manifest:
    """Raises UnreadableManifest."""
    try:
        manifest: dict[str, Any] = json.loads(text)
        if manifest["format"] > FORMAT:
            raise UnreadableManifest(manifest["format"])
        database = StoredFile(**manifest.pop("database"))
        files = [StoredFile(**file) for file in manifest.pop("files")]
        return Manifest(**manifest, database=database, files=files)
    except (ValueError, KeyError, TypeError) as problem:
        raise UnreadableManifest(str(problem)) from problem
