"""Reads files as the doors do, each in a process of its own with little memory and time. Run as a
program, it prints one line of JSON for each file and door.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import django

ROOM_MB = 700
"""Memory for a file, beyond that of the program itself."""
SECONDS = 15
"""Of the processor; the clock may show six times as much."""


class Outcome(TypedDict):
    file: str
    door: str
    ended: str
    """"" if the reader came to the file's end; else the signal or exception"""
    sentence: str
    """the last problem"""
    n_drafts: int


def outcomes(folder: Path) -> list[Outcome]:
    """What became of each file of a folder at each door."""
    program = [sys.executable, "-m", __name__, str(folder)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _main(folder: Path) -> None:
    django.setup()
    # After setup, as models cannot be imported before.
    from labeling.data.imports import drafts_of_file, previews  # noqa: PLC0415
    from labeling.importers import formats  # noqa: PLC0415
    from labeling.importers.drafts import ImportProblem  # noqa: PLC0415

    def page(path: Path) -> Iterator[object]:
        seen = previews.preview(path=path, file_format=None, columns={}, with_judgments=True)
        yield from (*seen.rows, *seen.problems)

    def answers_page(path: Path) -> Iterator[object]:
        table = drafts_of_file.look(path=path)
        yield from table.problems
        yield from drafts_of_file.first_drafts(path, None, table.plan, 200)

    def worker(path: Path) -> Iterator[object]:
        with path.open("rb") as stream:
            file_format = formats.guess_format(stream)
        with path.open("rb") as stream:
            yield from formats.read(stream, file_format)

    doors = {"page": page, "answers page": answers_page, "worker": worker}

    def read(door: str, path: Path) -> Mapping[str, object]:
        sentence, n_drafts = "", 0
        for draft in doors[door](path):
            if isinstance(draft, ImportProblem):
                sentence = str(draft)
            else:
                n_drafts += 1
        return {"sentence": sentence, "n_drafts": n_drafts}

    for path in sorted(folder.iterdir()):
        for door in doors:
            sys.stdout.write(json.dumps(_apart(path, door, read)) + "\n")
            sys.stdout.flush()


def _apart(path: Path, door: str, read: Callable[[str, Path], Mapping[str, object]]) -> Outcome:
    """In a child, so that it can be killed."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        _limit()
        try:
            outcome = read(door, path)
        except Exception as error:  # noqa: BLE001  # any exception is a finding
            outcome = {"ended": f"{type(error).__name__}: {error}"[:200]}
        os.write(sending, json.dumps(outcome).encode()[:60_000])
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        written = pipe.read()
    _pid, status = os.waitpid(child, 0)
    ended = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else ""
    outcome = Outcome(file=path.name, door=door, ended=ended, sentence="", n_drafts=0)
    outcome.update(json.loads(written or b"{}"))
    return outcome


def _limit() -> None:
    own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = own + ROOM_MB * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(SECONDS * 6)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
