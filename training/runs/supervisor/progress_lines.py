"""Reads new lines of a child's progress file and log, ready to store."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from arithmetic import plain_text
from labeling.data.intake import NewResponse
from training.processes import not_numbers, run_dir
from training.processes.run_lines import ProgressLine
from training.runs.services import Point, Sample
from training.spot_checks.services import Written

N_LOG_LINES = 500
N_LOG_BYTES = 32_768
N_BYTES_AT_ONCE = 1_048_576


@dataclass(frozen=True)
class NewLines:
    """What was written since the last advance(). `notes` holds all notes, old ones included."""

    points: list[Point]
    samples: list[Sample]
    checks: list[Written]
    notes: list[str]
    log_tail: str
    n_log_lines: int
    """complete lines, including those before the tail"""
    offset: int
    log_offset: int
    n_lines: int
    has_changed: bool
    auto_dtype: str = ""
    """what the precision `auto` was measured to be, in the lines since the last advance()"""


@dataclass
class ProgressReader:
    """Starts at the first line, so that it also reads what a dead supervisor left unread."""

    folder: Path
    offset: int = 0
    n_lines: int = 0
    notes: list[str] = field(default_factory=list)
    log_offset: int = 0
    n_log_lines: int = 0

    def read(self) -> NewLines:
        """Reads without advancing: lines that could not be stored are read again."""
        lines, offset = run_dir.read_progress(self.folder, self.offset)
        n_ended, log_offset = _lines_ended(self.folder, self.log_offset)
        tail = log_tail(self.folder, log_offset)
        points, samples, checks, notes, auto_dtype = [], [], [], list(self.notes), ""
        for number, line in enumerate(lines, start=self.n_lines):
            if "values" in line:
                points.append(_point(line))
            elif "sample" in line:
                samples.append(_sample(line, number))
            elif "check" in line:
                checks.append(_check(line))
            elif "note" in line and line["note"] not in notes:
                notes.append(plain_text.storable(line["note"]))
            auto_dtype = line.get("auto_dtype", auto_dtype)
        return NewLines(
            points=points,
            samples=samples,
            checks=checks,
            notes=notes,
            log_tail=tail,
            n_log_lines=self.n_log_lines + n_ended,
            offset=offset,
            log_offset=log_offset,
            n_lines=self.n_lines + len(lines),
            has_changed=bool(lines) or log_offset != self.log_offset,
            auto_dtype=auto_dtype,
        )

    def advance(self, new: NewLines) -> None:
        """Call it once the lines are stored."""
        self.offset, self.n_lines, self.notes = new.offset, new.n_lines, new.notes
        self.log_offset, self.n_log_lines = new.log_offset, new.n_log_lines


def log_tail(folder: Path, end: int | None = None) -> str:
    """The last lines of the child's log, up to byte `end`."""
    try:
        with (folder / run_dir.LOG).open("rb") as file:
            end = file.seek(0, 2) if end is None else end
            begin = file.seek(max(0, end - N_LOG_BYTES))
            text = file.read(end - begin).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    # A progress bar redraws its line with carriage returns; keep only its last state.
    lines = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return plain_text.storable("\n".join(lines[-N_LOG_LINES:]))


def _lines_ended(folder: Path, offset: int) -> tuple[int, int]:
    """The number of lines completed since `offset`, and the offset of the log's end."""
    n_ended = 0
    try:
        with (folder / run_dir.LOG).open("rb") as file:
            file.seek(offset)
            while block := file.read(N_BYTES_AT_ONCE):
                n_ended += block.count(b"\n")
            return n_ended, file.tell()
    except FileNotFoundError:
        return 0, offset


def _point(line: ProgressLine) -> Point:
    values = {
        str(name): float(value) for name, value in line["values"].items() if math.isfinite(value)
    }
    return Point(
        line["attempt"], line["step"], line["n_steps"], datetime.fromisoformat(line["at"]), values
    )


def _check(line: ProgressLine) -> Written:
    rows = [
        NewResponse(
            row["prompt_id"],
            plain_text.storable(row["text"]),
            row["number"],
            row["sampling"],
            row["is_ended"],
            plain_text.storable(row.get("reasoning_content", "")),
            row.get("tool_calls", []),
        )
        for row in line["check"]
    ]
    return Written(line["step"], rows)


def _sample(line: ProgressLine, number: int) -> Sample:
    sample = line["sample"]
    return Sample(
        line["attempt"],
        line["step"],
        number,
        plain_text.storable(sample["prompt"]),
        plain_text.storable(sample["response"]),
        not_numbers.without(sample["scores"]),
    )
