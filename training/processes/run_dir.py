"""The run folder, protocol between supervisor and child: names and shapes of its files, atomic
writes, the attempt guard.

    config.json       what to do (Job), written by the supervisor
    attempt           the attempt that owns the folder; older ones are refused every write
    progress.jsonl    appended by the child: points, samples, notes
    stop              an empty file: stop at the next step, save, finish as "stopped"
    checkpoints/step-N/   written aside, manifest.json last, then renamed into place
    model/            whole weights and tokenizer; in adapter/ what LoRA learned, unmerged
    responses.jsonl   what a sample run wrote
    scores.jsonl      what a reward model thinks of held-out responses: {"response": id, "score":
    number} folds.json        what each fold of a cross-validation has found so far
    log.txt           the child's stdout and stderr
    result.json       written last (Result)

Standard library only: both sides import it.
"""

import contextlib
import dataclasses
import fcntl
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONFIG = "config.json"
PROGRESS = "progress.jsonl"
STOP = "stop"
LOG = "log.txt"
RESULT = "result.json"
RESPONSES = "responses.jsonl"
SCORES = "scores.jsonl"
FOLDS = "folds.json"
CHECKPOINTS = "checkpoints"
MANIFEST = "manifest.json"
ADAPTER = "adapter"
"""Inside a model's folder: what LoRA learned, before it was merged into the weights."""
ATTEMPT = "attempt"
LOCK = ".lock"
TEMPORARY = ".tmp-"
SNAPSHOT_CARD = "card.json"
SPLITS = ("train", "validation", "test")

EXIT_FINISHED = 0  # succeeded or stopped: result.json says which
EXIT_ANTICIPATED = 3  # result.json carries a sentence
EXIT_STALE = 4  # a newer attempt owns the folder; nothing was written
# A disk that is full to the last byte takes the database down with it.
SPARE_BYTES = 64 * 1024**2


class AnticipatedFailure(Exception):
    """A failure with a name; its text is written for the person who started the run and becomes the
    run's `error`.
    """


class StaleAttempt(Exception):
    """A newer attempt owns the folder: this process is an old copy and must end without writing."""


class UnableToSave(AnticipatedFailure):
    """The disk cannot take what is about to be written."""


@dataclass(frozen=True)
class Job:
    """config.json. Paths are absolute; `output` is the name of the model's folder inside the run
    folder.
    """

    kind: str
    run_id: int
    attempt: int
    config: dict[str, Any]
    model: str
    snapshot: str
    reward_model: str | None = None
    other_model: str | None = None
    watchdog_model: str | None = None
    endpoint: Sequence[str] | None = None
    """Of a model that another server answers for: address, its name there, the variable with the
    key ("" for none).
    """
    is_dry: bool = False
    output: str = "model"
    heartbeat_s: float = 5.0
    threads: int = 1


@dataclass(frozen=True)
class Result:
    """result.json. `model`, `responses` and `scores` are paths relative to the run folder."""

    outcome: str  # succeeded, stopped or failed
    error: str | None = None
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    model: str | None = None
    responses: str | None = None
    scores: str | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    n_steps: int = 0


def write_job(folder: Path, job: Job) -> None:
    """The supervisor's start of an attempt: takes the folder over from any older one, clears what
    that left half done.

    Raises StaleAttempt if a newer attempt has the folder already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        owner = owning_attempt(folder)
        if owner > job.attempt:
            raise StaleAttempt(
                f"Attempt {owner} owns {folder.name}; attempt {job.attempt} is over."
            )
        write_atomically(folder / ATTEMPT, str(job.attempt))
    clear_aside(folder)
    (folder / RESULT).unlink(missing_ok=True)
    write_json(folder / CONFIG, dataclasses.asdict(job))


def clear_aside(folder: Path) -> None:
    """Removes what was written aside and never renamed."""
    for leftover in [*folder.glob(f"{TEMPORARY}*"), *(folder / CHECKPOINTS).glob(f"{TEMPORARY}*")]:
        remove(leftover)


def read_job(folder: Path) -> Job:
    return Job(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))


def owning_attempt(folder: Path) -> int:
    """0 before the first attempt."""
    try:
        return int((folder / ATTEMPT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0


def read_result(folder: Path) -> Result | None:
    """None until the child has written it."""
    try:
        return Result(**json.loads((folder / RESULT).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def request_stop(folder: Path) -> None:
    (folder / STOP).touch()


def withdraw_stop(folder: Path) -> None:
    (folder / STOP).unlink(missing_ok=True)


def is_stop_requested(folder: Path) -> bool:
    return (folder / STOP).exists()


def read_progress(folder: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """Whole lines from byte `offset` on, and where the next reading begins. A line torn by a kill
    is skipped.
    """
    try:
        with (folder / PROGRESS).open("rb") as file:
            file.seek(offset)
            text = file.read()
    except FileNotFoundError:
        return [], offset
    whole = text[: text.rfind(b"\n") + 1]
    return list(_objects(whole.split(b"\n"))), offset + len(whole)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file, one at a time; split at line feeds alone, so that U+2028 inside
    a text does not cut it.
    """
    with path.open("rb") as file:
        yield from _objects(file)


def n_folds(folder: Path) -> int:
    """How many folds of the run's cross-validation are measured."""
    try:
        return len(json.loads((folder / FOLDS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return 0


def newest_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint with the highest step: its manifest is there and every file has the
    size that it names.
    """
    found = sorted((folder / CHECKPOINTS).glob("step-*"), key=checkpoint_step, reverse=True)
    return next((path for path in found if is_complete(path)), None)


def checkpoint_step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def is_complete(checkpoint: Path) -> bool:
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        return all(
            (checkpoint / name).stat().st_size == size for name, size in manifest["files"].items()
        )
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def ensure_free_space(folder: Path, n_bytes: int, what: str) -> None:
    """Raises UnableToSave when the disk has less than `n_bytes` and a little more left."""
    free = shutil.disk_usage(folder).free
    if free < n_bytes + SPARE_BYTES:
        raise UnableToSave(
            f"The disk is full: {what} needs {_size(n_bytes)} and {_size(free)} are left. "
            "Make room on the node or lower “keep checkpoints”, then start the run again."
        )


def _alone() -> None:
    """There is nobody to wait for."""


def _own(files: Mapping[str, bytes]) -> list[Mapping[str, bytes]]:
    """There is nobody else to send any."""
    return [files]


@dataclass(frozen=True)
class RunFolder:
    """How the child writes its folder: every write names its attempt, and a stale one raises
    StaleAttempt.

    Of several processes that work on one run only the first (`rank` 0) writes. `wait` is a barrier,
    and `from_first` returns the first process's value in all of them. On other machines they work
    in folders of their own (`is_elsewhere`), where one process (`is_first_here`) writes for its
    machine; `gather` brings those files to the first.
    """

    path: Path
    attempt: int
    rank: int = 0
    is_first_here: bool = True
    is_elsewhere: bool = False
    wait: Callable[[], None] = _alone
    from_first: Callable[[bool], bool] = bool
    gather: Callable[[Mapping[str, bytes]], Sequence[Mapping[str, bytes]]] = _own

    def is_stop_requested(self) -> bool:
        """The same answer in every process of the run: each has to ask."""
        return self.from_first(is_stop_requested(self.path))

    def append_point(self, step: int, n_steps: int, values: Mapping[str, float]) -> None:
        """One point of the curves. Numbers that JSON cannot hold (NaN, infinity) are left out."""
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self._append_progress(
            {
                "step": step,
                "n_steps": n_steps,
                "at": datetime.now(UTC).isoformat(),
                "values": finite,
            }
        )

    def append_sample(
        self, step: int, prompt: str, response: str, scores: Mapping[str, Any]
    ) -> None:
        self._append_progress(
            {
                "step": step,
                "sample": {"prompt": prompt, "response": response, "scores": dict(scores)},
            }
        )

    def append_note(self, note: str) -> None:
        """A sentence for the person who watches the run."""
        self._append_progress({"note": note})

    def append_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """All rows or, after a kill, a prefix of them with at most one torn line, which the next
        call closes and readers skip.
        """
        if self.rank:
            return
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with _locked(self.path):
            self._refuse_if_stale()
            _append(self.path / name, text.encode())

    def replace_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """The whole file anew, at once."""
        if self.rank:
            return
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with _locked(self.path):
            self._refuse_if_stale()
            write_atomically(self.path / name, text)

    def write_result(self, result: Result) -> None:
        """A failure is told by whichever process meets it: the launcher ends the others."""
        if self.rank and result.outcome != "failed":
            return
        with _locked(self.path):
            self._refuse_if_stale()
            write_json(self.path / RESULT, dataclasses.asdict(result))

    def refuse_if_stale(self) -> None:
        """Raises StaleAttempt when a newer attempt owns the folder."""
        self._refuse_if_stale()

    @contextlib.contextmanager
    def checkpoint(self, step: int, keep: int) -> Iterator[Path]:
        """A folder to fill, published as checkpoints/step-N when the block ends well; all but the
        newest `keep` then go.

        Every process of the run enters it, and puts there what is its own.
        """
        target = self.path / CHECKPOINTS / f"step-{step}"
        aside = self._aside(target)
        if self.is_first_here:
            _empty(aside)
        self.wait()
        yield aside
        self.wait()
        self._bring_together(aside)
        if not self.rank:
            self._publish(aside, target)
            for old in sorted(target.parent.glob("step-*"), key=checkpoint_step)[:-keep]:
                remove(old)
        self.wait()

    def _bring_together(self, aside: Path) -> None:
        """What the processes of other machines have put into their folders, such as their random
        numbers.
        """
        sends = self.is_elsewhere and self.is_first_here
        own = (
            {path.name: path.read_bytes() for path in aside.rglob("*") if path.is_file()}
            if sends
            else {}
        )
        for files in self.gather(own):
            for name, content in files.items() if not self.rank else ():
                (aside / name).write_bytes(content)
        if sends:
            remove(aside)

    @contextlib.contextmanager
    def published(self, target: Path) -> Iterator[Path]:
        """A folder to fill, renamed to `target` with a manifest when the block ends well. What was
        at `target` is replaced.

        What a process other than the first puts there goes nowhere.
        """
        aside = self._aside(target, self.rank)
        _empty(aside)
        yield aside
        if self.rank:
            remove(aside)
        else:
            self._publish(aside, target)

    def _publish(self, aside: Path, target: Path) -> None:
        _seal(aside)
        with _locked(self.path):
            self._refuse_if_stale()
            remove(target)
            aside.rename(target)
            _sync(target.parent)

    def _aside(self, target: Path, rank: int = 0) -> Path:
        of_process = f"{rank}-" if rank else ""
        return target.parent / f"{TEMPORARY}{self.attempt}-{of_process}{target.name}"

    def _append_progress(self, line: dict[str, Any]) -> None:
        self.append_lines(PROGRESS, [{"attempt": self.attempt} | line])

    def _refuse_if_stale(self) -> None:
        owner = owning_attempt(self.path)
        if owner != self.attempt:
            raise StaleAttempt(
                f"Attempt {owner} owns {self.path.name}; attempt {self.attempt} is over."
            )


def counted(n: int, noun: str) -> str:
    """“1 prompt”, “3 prompts”, in what a run tells; for nouns that take an s."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def write_json(path: Path, value: Any) -> None:
    write_atomically(path, json.dumps(value, indent=1) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, also after a power cut."""
    aside = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    _sync(path.parent)


def remove(path: Path) -> None:
    """A file or a whole folder; nothing when it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    remove(folder)
    folder.mkdir(parents=True)


def _seal(folder: Path) -> None:
    """Everything on disk first, then the manifest: what has a manifest is whole."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        _sync(path)
    write_json(
        folder / MANIFEST,
        {"files": {str(path.relative_to(folder)): path.stat().st_size for path in files}},
    )


def _append(path: Path, line: bytes) -> None:
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def _objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError:
            continue  # torn by a kill in the middle of the write


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time: no stale attempt slips in between check and write. The kernel frees it
    when a holder dies.
    """
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(n_bytes: int) -> str:
    megabytes = n_bytes / 1024**2
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"
