"""Finds checkpoints whose bytes changed after they were written: a run would resume from them into
NaN, or crash on them at every attempt.

Reads every byte, so call it once before a run starts. `run_dir.is_complete` compares sizes only.
"""

import hashlib
import json
from pathlib import Path

from training.processes import run_dir


def newest_intact(folder: Path) -> Path | None:
    """The newest complete checkpoint whose files have the sums in its manifest."""
    return next((path for path in _newest_first(folder) if is_intact(path)), None)


def remove_damaged(folder: Path) -> list[int]:
    """Removes damaged checkpoints newer than the newest intact one. Returns their steps."""
    removed = []
    for path in _newest_first(folder):
        if is_intact(path):
            break
        removed.append(run_dir.checkpoint_step(path))
        run_dir.remove(path)
    return removed


def is_intact(checkpoint: Path) -> bool:
    """Checkpoints of older versions have no sums; they count as intact."""
    manifest = json.loads((checkpoint / run_dir.MANIFEST).read_text(encoding="utf-8"))
    return all(_sum(checkpoint / name) == known for name, known in manifest.get("sums", {}).items())


def _newest_first(folder: Path) -> list[Path]:
    checkpoints = [path for path in run_dir.checkpoints(folder) if run_dir.is_complete(path)]
    return sorted(checkpoints, key=run_dir.checkpoint_step, reverse=True)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
