"""The run folder, the protocol between supervisor and child: its files and their contents,
atomic writes, and the check that a stale attempt writes nothing.

    config.json       what to do (Job), written by the supervisor
    attempt           the attempt that owns the folder; older ones may not write
    progress.jsonl    appended by the child: points, samples, notes
    stop              an empty file: stop at the next step, save, finish as "stopped"
    checkpoints/step-N/   written under a temporary name, manifest.json last, then renamed
    model/            full weights and tokenizer; adapter/ holds what LoRA learned, unmerged
    responses.jsonl   what a sampling run wrote
    spot/, kept.json  weights set aside for spot checks, and what raters keep (run_lines.Kept)
    answers.jsonl     what a benchmark's model answered
    scores.jsonl      rewards of held-out responses
    folds.json        results of the cross-validation folds measured so far
    log.txt, tensorboard/   the child's stdout and stderr; the points as event files
    result.json       written last (Result)

Standard library only: both sides import it.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from training.processes.run_lines import ProgressLine

CONFIG = "config.json"
PROGRESS = "progress.jsonl"
STOP = "stop"
LOG = "log.txt"
TENSORBOARD = "tensorboard"
RESULT = "result.json"
RESPONSES = "responses.jsonl"
ANSWERS = "answers.jsonl"
SCORES = "scores.jsonl"
FOLDS = "folds.json"
CHECKPOINTS = "checkpoints"
MANIFEST = "manifest.json"
ADAPTER = "adapter"
"""Inside a model's folder: the LoRA adapter, before it was merged into the weights."""
ATTEMPT = "attempt"
LOCK = ".lock"
TEMPORARY = ".tmp-"
LEFT_OUT: Final = "left_out"
SNAPSHOT_CARD = "card.json"
SPLITS = ("train", "validation", "test")

EXIT_FINISHED = 0  # succeeded or stopped: result.json says which
EXIT_ANTICIPATED = 3  # result.json carries a sentence
EXIT_STALE = 4  # a newer attempt owns the folder; nothing was written
# Kept free, because a completely full disk also stops the database.
SPARE_BYTES = 64 * 1024**2


class AnticipatedFailure(Exception):
    """A failure with a known cause. Its text is for the person who started the run, and becomes the
    run's `error`.
    """


class StaleAttempt(Exception):
    """A newer attempt owns the folder: this process must end without writing."""


class UnableToSave(AnticipatedFailure):
    """The disk has no room for what is about to be written."""


@dataclass(frozen=True)
class Job:
    """config.json. Paths are absolute; `output` names the model's folder in the run folder."""

    kind: str
    run_id: int
    attempt: int
    config: dict[str, object]
    model: str
    snapshot: str
    reward_model: str | None = None
    other_model: str | None = None
    watchdog_model: str | None = None
    reference_model: str | None = None
    attacker_model: str | None = None
    ptx_snapshot: str | None = None  # of PPO, RLOO and GRPO; None for `model` itself
    endpoint: Sequence[str] | None = None
    attacker_endpoint: Sequence[str] | None = None
    """For models behind an API: (URL, name there, environment variable of the key or "")."""
    constitution: Mapping[str, Any] | None = None  # as guidelines.selectors.constitution makes it
    is_dry: bool = False
    auto_dtype: str = ""  # what an earlier attempt measured the precision `auto` to be
    output: str = "model"
    heartbeat_s: float = 5.0
    threads: int = 1


@dataclass(frozen=True)
class Result:
    """result.json. Paths, from `model` to `scores`, are relative to the run folder."""

    outcome: str  # succeeded, stopped or failed
    error: str | None = None
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    model: str | None = None
    responses: str | None = None
    answers: str | None = None
    scores: str | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    n_steps: int = 0


def write_job(folder: Path, job: Job) -> None:
    """Starts an attempt: takes the folder over from an older one and removes its unfinished files.

    Raises StaleAttempt if a newer attempt owns the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        owner = owning_attempt(folder)
        if owner > job.attempt:
            raise StaleAttempt(
                f"Attempt {owner} owns {folder.name}; attempt {job.attempt} is over."
            )
        write_atomically(folder / ATTEMPT, str(job.attempt))
    remove_temporary(folder)
    (folder / RESULT).unlink(missing_ok=True)
    write_json(folder / CONFIG, dataclasses.asdict(job))


def remove_temporary(folder: Path) -> None:
    """Removes temporary files and folders that were never renamed."""
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


def clear_stop(folder: Path) -> None:
    (folder / STOP).unlink(missing_ok=True)


def is_stop_requested(folder: Path) -> bool:
    return (folder / STOP).exists()


def read_progress(folder: Path, offset: int) -> tuple[list[ProgressLine], int]:
    """Complete lines from byte `offset` on, and the offset for the next call. A line cut off by a
    kill is skipped.
    """
    try:
        with (folder / PROGRESS).open("rb") as file:
            file.seek(offset)
            text = file.read()
    except FileNotFoundError:
        return [], offset
    whole = text[: text.rfind(b"\n") + 1]
    return list(_objects(whole.split(b"\n"))), offset + len(whole)


def read_lines(path: Path) -> Iterator[Any]:
    """The objects of a JSONL file. Split at \n only: splitlines would also cut at U+2028."""
    with path.open("rb") as file:
        yield from _objects(file)


def n_folds(folder: Path) -> int:
    """The number of cross-validation folds measured so far."""
    try:
        return len(json.loads((folder / FOLDS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return 0


def newest_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint with the highest step."""
    newest_first = sorted(checkpoints(folder), key=checkpoint_step, reverse=True)
    return next((path for path in newest_first if is_complete(path)), None)


def checkpoints(folder: Path) -> list[Path]:
    """All of them, complete or not, in no order."""
    return list((folder / CHECKPOINTS).glob("step-*"))


def checkpoint_step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def is_complete(checkpoint: Path) -> bool:
    """Whether its manifest exists and every file has the size listed there."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        return all(
            (checkpoint / name).stat().st_size == size for name, size in manifest["files"].items()
        )
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def ensure_free_space(folder: Path, n_bytes: int, what: str) -> None:
    """Raises UnableToSave if the disk has less than `n_bytes` plus SPARE_BYTES free."""
    free = shutil.disk_usage(folder).free
    if free < n_bytes + SPARE_BYTES:
        raise UnableToSave(
            f"The disk is full: {what} needs {_size(n_bytes)} and {_size(free)} are left. "
            "Make room on the node or lower “keep checkpoints”, then start the run again."
        )


def _no_wait() -> None:
    """A single process waits for nobody."""


def _own_files_only(files: Mapping[str, bytes]) -> list[Mapping[str, bytes]]:
    """A single machine has no files of others to gather."""
    return [files]


@dataclass(frozen=True)
class RunFolder:
    """How the child writes its folder. Every write checks the attempt, and a stale one raises
    StaleAttempt.

    Of several processes only the one with `rank` 0 writes. `wait` is a barrier, and `from_first`
    broadcasts rank 0's value. Processes on other machines (`is_elsewhere`) have a folder of their
    own there; one per machine (`is_first_here`) writes to it, and `gather` sends its files to rank
    0.
    """

    path: Path
    attempt: int
    rank: int = 0
    is_first_here: bool = True
    is_elsewhere: bool = False
    wait: Callable[[], None] = _no_wait
    from_first: Callable[[bool], bool] = bool
    gather: Callable[[Mapping[str, bytes]], Sequence[Mapping[str, bytes]]] = _own_files_only
    on_point: Callable[[int, int, Mapping[str, float]], None] | None = None
    """gets every point that is written"""

    def is_stop_requested(self) -> bool:
        """The same answer in every process; it is a collective call, so each has to make it."""
        return self.from_first(is_stop_requested(self.path))

    def append_point(self, step: int, n_steps: int, values: Mapping[str, float]) -> None:
        """One point of the curves. Values that JSON cannot hold (NaN, infinity) are left out, and
        only their names stay.
        """
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        left_out = [name for name in values if name not in finite]
        self._append_progress(
            {
                "step": step,
                "n_steps": n_steps,
                "at": datetime.now(UTC).isoformat(),
                "values": finite,
            }
            | ({LEFT_OUT: left_out} if left_out else {})
        )
        if self.on_point is not None:
            self.on_point(step, n_steps, finite)

    def append_sample(
        self, step: int, prompt: str, response: str, scores: Mapping[str, object]
    ) -> None:
        self._append_progress(
            {
                "step": step,
                "sample": {"prompt": prompt, "response": response, "scores": dict(scores)},
            }
        )

    def append_note(self, note: str, **about: str) -> None:
        """A sentence on the run's page. In English, like the log beside it: the child has no
        translations, and a node may run another release than the site.
        """
        self._append_progress({"note": note, **about})

    def append_lines(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Appends all rows. A kill may leave a prefix with one partial line at the end; the next
        call closes that line, and readers skip it.
        """
        if self.rank:
            return
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with _locked(self.path):
            self._refuse_if_stale()
            _append(self.path / name, text.encode())

    def replace_lines(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Replaces the whole file atomically."""
        if self.rank:
            return
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with _locked(self.path):
            self._refuse_if_stale()
            write_atomically(self.path / name, text)

    def write_result(self, result: Result) -> None:
        """Any process may write a failure: the launcher then kills the others."""
        if self.rank and result.outcome != "failed":
            return
        with _locked(self.path):
            self._refuse_if_stale()
            write_json(self.path / RESULT, dataclasses.asdict(result))

    def refuse_if_stale(self) -> None:
        """Raises StaleAttempt if a newer attempt owns the folder."""
        self._refuse_if_stale()

    @contextlib.contextmanager
    def checkpoint(self, step: int, keep: int) -> Iterator[Path]:
        """Yields a folder to fill. If the block succeeds it becomes checkpoints/step-N, and all but
        the newest `keep` checkpoints are removed.

        A collective call: every process enters it, and writes its own files.
        """
        target = self.path / CHECKPOINTS / f"step-{step}"
        aside = self._aside(target)
        if self.is_first_here:
            _empty(aside)
        self.wait()
        yield aside
        self.wait()
        self._collect_from_machines(aside)
        if not self.rank:
            self._publish(aside, target)
            for old in sorted(target.parent.glob("step-*"), key=checkpoint_step)[:-keep]:
                remove(old)
        self.wait()

    def _collect_from_machines(self, aside: Path) -> None:
        """Copies files that processes on other machines wrote, such as their random states, to rank
        0's folder.
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
        """Yields a folder to fill. If the block succeeds it gets a manifest and replaces `target`.

        Files written by a process other than rank 0 are discarded.
        """
        aside = self._aside(target, self.rank)
        _empty(aside)
        yield aside
        if self.rank:
            remove(aside)
        else:
            self._publish(aside, target)

    def _publish(self, aside: Path, target: Path) -> None:
        _write_manifest(aside)
        with _locked(self.path):
            self._refuse_if_stale()
            remove(target)
            aside.rename(target)
            _sync(target.parent)

    def _aside(self, target: Path, rank: int = 0) -> Path:
        of_process = f"{rank}-" if rank else ""
        return target.parent / f"{TEMPORARY}{self.attempt}-{of_process}{target.name}"

    def _append_progress(self, line: dict[str, object]) -> None:
        self.append_lines(PROGRESS, [{"attempt": self.attempt} | line])

    def _refuse_if_stale(self) -> None:
        owner = owning_attempt(self.path)
        if owner != self.attempt:
            raise StaleAttempt(
                f"Attempt {owner} owns {self.path.name}; attempt {self.attempt} is over."
            )


def counted(n: int, noun: str) -> str:
    """“1 prompt”, “3 prompts”; for nouns with a regular plural."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=1) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, even after a power failure."""
    aside = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    _sync(path.parent)


def remove(path: Path) -> None:
    """Removes a file or folder; does nothing if it does not exist."""
    while path.is_dir() and not path.is_symlink():
        with contextlib.suppress(FileNotFoundError):  # another process removes it too
            shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    remove(folder)
    folder.mkdir(parents=True)


def _write_manifest(folder: Path) -> None:
    """Flushes every file first: its folder is complete. The sums (SHA-256) show later changes."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    sums = {}
    for name, path in sorted(files.items()):
        _sync(path)
        with path.open("rb") as file:
            sums[name] = hashlib.file_digest(file, "sha256").hexdigest()
    sizes = {name: files[name].stat().st_size for name in sums}
    write_json(folder / MANIFEST, {"files": sizes, "sums": sums})


def _append(path: Path, line: bytes) -> None:
    with path.open("ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def _objects(lines: Iterable[bytes]) -> Iterator[Any]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError:
            continue  # torn by a kill in the middle of the write


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, so that no newer attempt takes over between check and write. The kernel
    releases the lock when its holder dies.
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
