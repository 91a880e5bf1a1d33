"""Reads what a child has written to its progress file and log since the last time, ready for the
tables.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pages import plain_text
from training.processes import run_dir
from training.runs.services import Point, Sample

N_LOG_LINES = 500
N_LOG_BYTES = 32_768
N_BYTES_AT_ONCE = 1_048_576


@dataclass(frozen=True)
class News:
    """What came since the last keep(). `notes` are all of them, old ones included."""

    points: list[Point]
    samples: list[Sample]
    notes: list[str]
    log_tail: str
    n_log_lines: int
    """that have ended, those before the tail counted in"""
    offset: int
    log_offset: int
    n_lines: int
    is_news: bool


@dataclass
class Reader:
    """Begins at the first line, so that what a dead supervisor left unread is read by the next
    one.
    """

    folder: Path
    offset: int = 0
    n_lines: int = 0
    notes: list[str] = field(default_factory=list)
    log_offset: int = 0
    n_log_lines: int = 0

    def read(self) -> News:
        """Reads on without moving: a News that could not be stored is read again."""
        lines, offset = run_dir.read_progress(self.folder, self.offset)
        n_ended, log_offset = _lines_ended(self.folder, self.log_offset)
        tail = log_tail(self.folder, log_offset)
        points, samples, notes = [], [], list(self.notes)
        for number, line in enumerate(lines, start=self.n_lines):
            if "values" in line:
                points.append(_point(line))
            elif "sample" in line:
                samples.append(_sample(line, number))
            elif "note" in line and line["note"] not in notes:
                notes.append(plain_text.storable(line["note"]))
        return News(
            points=points,
            samples=samples,
            notes=notes,
            log_tail=tail,
            n_log_lines=self.n_log_lines + n_ended,
            offset=offset,
            log_offset=log_offset,
            n_lines=self.n_lines + len(lines),
            is_news=bool(lines) or log_offset != self.log_offset,
        )

    def keep(self, news: News) -> None:
        self.offset, self.n_lines, self.notes = news.offset, news.n_lines, news.notes
        self.log_offset, self.n_log_lines = news.log_offset, news.n_log_lines


def log_tail(folder: Path, end: int | None = None) -> str:
    """The last lines of the child's own words, as they were when there were `end` bytes of them."""
    try:
        with (folder / run_dir.LOG).open("rb") as file:
            end = file.seek(0, 2) if end is None else end
            begin = file.seek(max(0, end - N_LOG_BYTES))
            text = file.read(end - begin).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    # A progress bar redraws its line with carriage returns: only its last state is worth keeping.
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return plain_text.storable("\n".join(lines[-N_LOG_LINES:]))


def _lines_ended(folder: Path, offset: int) -> tuple[int, int]:
    """How many lines of the log have ended since `offset`, and where it ends now."""
    n_ended = 0
    try:
        with (folder / run_dir.LOG).open("rb") as file:
            file.seek(offset)
            while block := file.read(N_BYTES_AT_ONCE):
                n_ended += block.count(b"\n")
            return n_ended, file.tell()
    except FileNotFoundError:
        return 0, offset


def _point(line: dict[str, Any]) -> Point:
    values = {
        str(name): float(value) for name, value in line["values"].items() if math.isfinite(value)
    }
    return Point(
        line["attempt"], line["step"], line["n_steps"], datetime.fromisoformat(line["at"]), values
    )


def _sample(line: dict[str, Any], number: int) -> Sample:
    sample = line["sample"]
    return Sample(
        line["attempt"],
        line["step"],
        number,
        plain_text.storable(sample["prompt"]),
        plain_text.storable(sample["response"]),
        sample["scores"],
    )
