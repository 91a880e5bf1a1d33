"""Reads what a child has written to its progress file and log since the last time, ready for the tables."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from training import run_dir
from training.services import Point, Sample

N_LOG_LINES = 500
N_LOG_BYTES = 32_768


@dataclass(frozen=True)
class News:
    """What came since the last keep(). `notes` are all of them, old ones included."""

    points: list[Point]
    samples: list[Sample]
    notes: list[str]
    log_tail: str
    offset: int
    n_lines: int
    is_news: bool


@dataclass
class Reader:
    """Begins at the first line, so that what a dead supervisor left unread is read by the next one."""

    folder: Path
    offset: int = 0
    n_lines: int = 0
    notes: list[str] = field(default_factory=list)
    log_tail: str = ""

    def read(self) -> News:
        """Reads on without moving: a News that could not be stored is read again."""
        lines, offset = run_dir.read_progress(self.folder, self.offset)
        tail = log_tail(self.folder)
        points, samples, notes = [], [], list(self.notes)
        for number, line in enumerate(lines, start=self.n_lines):
            if "values" in line:
                points.append(_point(line))
            elif "sample" in line:
                samples.append(_sample(line, number))
            elif "note" in line and line["note"] not in notes:
                notes.append(storable(line["note"]))
        return News(points, samples, notes, tail, offset, self.n_lines + len(lines), bool(lines) or tail != self.log_tail)

    def keep(self, news: News) -> None:
        self.offset, self.n_lines, self.notes, self.log_tail = news.offset, news.n_lines, news.notes, news.log_tail


def log_tail(folder: Path) -> str:
    """The last lines of the child's own words."""
    try:
        with (folder / run_dir.LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - N_LOG_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    # A progress bar redraws its line with carriage returns: only its last state is worth keeping.
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return storable("\n".join(lines[-N_LOG_LINES:]))


def storable(text: str) -> str:
    """Text that PostgreSQL takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "�").encode("utf-8", errors="replace").decode("utf-8")


def _point(line: dict[str, Any]) -> Point:
    values = {str(name): float(value) for name, value in line["values"].items() if math.isfinite(value)}
    return Point(line["attempt"], line["step"], line["n_steps"], datetime.fromisoformat(line["at"]), values)


def _sample(line: dict[str, Any], number: int) -> Sample:
    sample = line["sample"]
    return Sample(
        line["attempt"], line["step"], number, storable(sample["prompt"]), storable(sample["response"]), sample["scores"]
    )
