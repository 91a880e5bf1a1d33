"""Reads files as the doors do, in a process that watches its own memory. Run as a program, it
prints one line of JSON for each file and door: if a file kills it, the lines of others are missing.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import django

from tests.labeling.importers.hostile.memory import reset_peak_mb, status_mb
from tests.tooling.times import own_seconds


class Outcome(TypedDict):
    file: str
    door: str
    ended: str
    """the exception, if there was one"""
    sentence: str
    """the last problem"""
    n_drafts: int
    grown_mb: int
    """memory of the process that asked, at its most, beyond what it had before"""
    took_s: float
    """of processor time, also by children"""
    clock_s: float


def outcomes(folder: Path) -> list[Outcome]:
    """What became of each file of a folder at each door."""
    program = [sys.executable, "-m", __name__, str(folder)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _main(folder: Path) -> None:
    django.setup()
    # After setup, as models cannot be imported before.
    from labeling.data.imports import drafts_of_file, previews  # noqa: PLC0415
    from labeling.data.imports.answers import previews as answer_previews  # noqa: PLC0415
    from labeling.importers.child.limits import UnableToRead  # noqa: PLC0415
    from labeling.importers.drafts import ImportProblem  # noqa: PLC0415
    from labeling.models import Import  # noqa: PLC0415

    def page(path: Path) -> Iterator[object]:
        seen = previews.preview(path=path, file_format=None, columns={}, with_judgments=True)
        yield from (*seen.rows, *seen.problems)

    def answers_page(path: Path) -> Iterator[object]:
        seen = answer_previews.preview(path=path)
        missing = [ImportProblem(0, seen.missing)] if seen.missing else []
        yield from (*seen.rows, *missing, *seen.problems)

    def worker(path: Path) -> Iterator[object]:
        batch = Import(format="", columns={}, annotations={})
        n_drafts = 0
        try:
            batch.format = drafts_of_file.whole_format(batch, path, lambda: None)
            for draft in drafts_of_file.read_drafts(batch, path, lambda _n: None, lambda: None):
                n_drafts += 1
                yield draft
        except UnableToRead as refusal:
            yield ImportProblem(0, refusal.sentence)
        if not n_drafts:
            yield ImportProblem(0, "The file contains no usable prompt.")  # as the import says

    doors = {"page": page, "answers page": answers_page, "worker": worker}
    # The program and its first child are loaded before memory is measured.
    usual = folder.parent / "usual.jsonl"
    usual.write_text('{"prompt": "Why?"}\n')
    for door in doors.values():
        list(door(usual))
    for path in sorted(folder.iterdir()):
        for name, door in doors.items():
            before, spent, started = reset_peak_mb(), own_seconds(), time.monotonic()
            outcome = Outcome(
                file=path.name,
                door=name,
                ended="",
                sentence="",
                n_drafts=0,
                grown_mb=0,
                took_s=0,
                clock_s=0,
            )
            try:
                for entry in door(path):
                    if isinstance(entry, ImportProblem):
                        outcome["sentence"] = str(entry)
                    else:
                        outcome["n_drafts"] += 1
            except Exception as error:  # noqa: BLE001  # any exception is a finding
                outcome["ended"] = f"{type(error).__name__}: {error}"[:200]
            outcome["took_s"] = round(own_seconds() - spent, 2)
            outcome["clock_s"] = round(time.monotonic() - started, 2)
            outcome["grown_mb"] = status_mb("VmHWM") - before
            sys.stdout.write(json.dumps(outcome) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
