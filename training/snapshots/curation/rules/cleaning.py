"""Applies a recipe to documents, with a ledger of what was removed or changed.

Two passes over files in one folder, with bounded memory:

    passed.jsonl     documents that every rule about one text let through, changed as they said
    records.bin      what the rules about all documents need to know of each (duplicates.RECORD)
    first.jsonl      the ledger of the first pass
    state.json       how far the first pass is; written last, after each batch
    kept.jsonl, ledger.jsonl, account.json      the result

The first pass goes on from state.json after it was killed. The second is short and starts again. A
killed and resumed cleaning gives the same bytes as one without a break, with any number of
processes.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from training.snapshots.curation.rules import duplicates
from training.snapshots.curation.rules.contamination import Against, Decontamination, Item, against
from training.snapshots.curation.rules.documents import (
    Document,
    Judge,
    JudgedBatch,
    LedgerRow,
    document_of,
    entry,
    line_of,
)
from training.snapshots.curation.rules.duplicates import (
    AuthorCap,
    ExactDuplicates,
    NearDuplicates,
    Records,
)
from training.snapshots.curation.rules.personal_data import shown
from training.snapshots.curation.rules.recipe import Recipe
from training.snapshots.curation.rules.verdicts import Verdict

KEPT, LEDGER, ACCOUNT, STATE = "kept.jsonl", "ledger.jsonl", "account.json", "state.json"
_PASSED, _RECORDS, _FIRST = "passed.jsonl", "records.bin", "first.jsonl"
_WRITTEN = (_PASSED, _RECORDS, _FIRST)
BATCH = 1_000
BATCH_CHARACTERS = 8_000_000


class StaleFolder(ValueError):
    """The folder holds the beginning of a cleaning with another recipe."""


@dataclass
class Account:
    """read = kept + changed + removed, always."""

    read: int = 0
    kept: int = 0
    changed: int = 0
    removed: int = 0
    rules: dict[str, dict[str, int]] = field(default_factory=dict)
    """rule → how many documents it removed and changed"""
    fingerprint: str = ""
    items_too_short: int = 0
    """items that decontamination could not look for"""


@dataclass
class _State:
    fingerprint: str
    n_read: int = 0
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_WRITTEN, 0))


def clean(
    documents: Iterable[Document],
    *,
    recipe: Recipe,
    folder: Path,
    items: Iterable[Item] = (),
    n_processes: int = 1,
    beat: Callable[[int], None] = lambda _n_read: None,
) -> Account:
    """Writes kept.jsonl, ledger.jsonl and account.json into `folder`. After a kill, call
    it again with the same documents to resume. `beat` gets the number of documents read so far,
    after each batch. Raises StaleFolder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    decontamination = next(
        (rule for rule in recipe.rules if isinstance(rule, Decontamination)), None
    )
    looked_for = against(items, decontamination) if decontamination else Against()
    state = _state(folder, recipe.fingerprint(items=looked_for.digest))
    _first_pass(documents, Judge(recipe, looked_for), folder, state, n_processes, beat)
    return _second_pass(recipe, folder, state, looked_for)


def kept(folder: Path) -> Iterator[tuple[str, Document]]:
    """The documents of a cleaned folder, each with its id: the key that it had as it was given."""
    with (folder / KEPT).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["id"], document_of(row)


def _first_pass(
    documents: Iterable[Document],
    judge: Judge,
    folder: Path,
    state: _State,
    n_processes: int,
    beat: Callable[[int], None],
) -> None:
    with ExitStack() as opened:
        files = {name: opened.enter_context((folder / name).open("ab")) for name in _WRITTEN}
        for name, file in files.items():
            file.truncate(state.sizes[name])
            file.seek(0, os.SEEK_END)
        batches = _batches(documents, state.n_read)
        for n, batch in opened.enter_context(_judging(judge, n_processes))(batches):
            _write(batch, files)
            state.n_read += n
            for name, file in files.items():
                file.flush()
                os.fsync(file.fileno())
                state.sizes[name] = file.tell()
            _save(folder / STATE, asdict(state))
            beat(state.n_read)


Batches = Iterator[tuple[int, list[Document]]]
"""the place of the first document, and the documents"""


@contextmanager
def _judging(
    judge: Judge, n_processes: int
) -> Iterator[Callable[[Batches], Iterator[tuple[int, JudgedBatch]]]]:
    """Judges batches in their order, in this process or in several. Gives the number of documents
    with each.
    """
    if n_processes == 1:
        yield lambda batches: ((len(b), judge.batch(place, b)) for place, b in batches)
        return
    # Forked, the processes share the items that they look for.
    pool = ProcessPoolExecutor(
        n_processes,
        mp_context=multiprocessing.get_context("fork"),
        initializer=_start_worker,
        initargs=(judge,),
    )
    with pool:
        yield lambda batches: _in_order(pool, batches, n_processes)


def _in_order(
    pool: ProcessPoolExecutor, batches: Batches, n_processes: int
) -> Iterator[tuple[int, JudgedBatch]]:
    """One batch more than there are processes is under way, so that memory stays bounded."""
    waiting: deque[tuple[int, Future[JudgedBatch]]] = deque()
    for place, batch in batches:
        waiting.append((len(batch), pool.submit(_judged, place, batch)))
        if len(waiting) > n_processes:
            n, first = waiting.popleft()
            yield n, first.result()
    for n, future in waiting:
        yield n, future.result()


_worker: list[Judge] = []
"""The judge of this worker process"""


def _start_worker(judge: Judge) -> None:
    _worker.append(judge)
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A worker whose parent was killed would wait for its next batch forever.
    threading.Thread(target=_die_after, args=[parent.sentinel], daemon=True).start()


def _die_after(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _judged(place: int, batch: list[Document]) -> JudgedBatch:
    return _worker[0].batch(place, batch)


def _batches(documents: Iterable[Document], n_done: int) -> Batches:
    rest, place = islice(documents, n_done, None), n_done
    while batch := _batch(rest):
        yield place, batch
        place += len(batch)


def _write(batch: JudgedBatch, files: Mapping[str, BinaryIO]) -> None:
    batch.records["offset"] += np.uint64(files[_PASSED].tell())
    files[_FIRST].write(batch.ledger)
    files[_RECORDS].write(batch.records.tobytes())
    files[_PASSED].write(batch.passed)


def _state(folder: Path, fingerprint: str) -> _State:
    path = folder / STATE
    if not path.exists():
        return _State(fingerprint)
    state = _State(**json.loads(path.read_text()))
    if state.fingerprint != fingerprint:
        raise StaleFolder("This folder was begun with another recipe. Use an empty one.")
    return state


def _batch(documents: Iterator[Document]) -> list[Document]:
    batch: list[Document] = []
    n_characters = 0
    for document in islice(documents, BATCH):
        batch.append(document)
        n_characters += len(document.text)
        if n_characters >= BATCH_CHARACTERS:
            break
    return batch


def _second_pass(recipe: Recipe, folder: Path, state: _State, looked_for: Against) -> Account:
    records: Records = np.empty(0, dtype=duplicates.RECORD)
    if state.sizes[_RECORDS]:
        records = np.memmap(folder / _RECORDS, dtype=duplicates.RECORD, mode="r")
    with (folder / _PASSED).open("rb") as passed:
        removals = _removals(recipe, records, passed)
        account = _finish(folder, state, records, removals, passed)
    account.fingerprint, account.items_too_short = state.fingerprint, looked_for.n_too_short
    _save(folder / ACCOUNT, asdict(account))
    return account


def _removals(recipe: Recipe, records: Records, passed: BinaryIO) -> duplicates.Removals:
    """Whom the rules about all documents remove, by place in `records`."""
    is_kept = np.ones(len(records), dtype=bool)
    removals: duplicates.Removals = {}
    restored = set(recipe.restored)

    def row_at(place: int) -> dict[str, object]:
        passed.seek(int(records["offset"][place]))
        row: dict[str, object] = json.loads(passed.readline())
        return row

    for rule in recipe.rules:
        if isinstance(rule, ExactDuplicates | NearDuplicates | AuthorCap):
            removed = rule.apply(records, is_kept, lambda place: str(row_at(place)["text"]))
            if restored:
                removed = {
                    at: why for at, why in removed.items() if row_at(at)["id"] not in restored
                }
            removals.update(removed)
            is_kept[list(removed)] = False
    return removals


def _finish(
    folder: Path,
    state: _State,
    records: Records,
    removals: duplicates.Removals,
    passed: BinaryIO,
) -> Account:
    account = Account(read=state.n_read, removed=state.n_read - len(records))
    rules: dict[str, Counter[str]] = {}
    first = _entries(folder / _FIRST)
    twins = _twins(records, removals, passed)
    ready = {name: folder / f".tmp-{name}" for name in (KEPT, LEDGER)}
    passed.seek(0)
    pending = next(first, None)
    with ready[KEPT].open("wb") as kept_file, ready[LEDGER].open("wb") as ledger:

        def write(row: LedgerRow) -> None:
            rules.setdefault(row["rule"], Counter())[row["outcome"]] += 1
            ledger.write(line_of(row))

        for place, line in enumerate(passed):
            document = int(records["document"][place])
            while pending is not None and pending["document"] <= document:
                write(pending)
                pending = next(first, None)
            if place in removals:
                twin, verdict = removals[place]
                write(_removal(json.loads(line), verdict, twins.get(twin, _NO_TWIN)))
                account.removed += 1
                continue
            is_changed = bool(records["is_changed"][place])
            account.changed += is_changed
            account.kept += not is_changed
            kept_file.write(line)
        while pending is not None:
            write(pending)
            pending = next(first, None)
        for file in (kept_file, ledger):
            file.flush()
            os.fsync(file.fileno())
    for name, path in ready.items():
        path.replace(folder / name)
    account.rules = {rule: dict(counts) for rule, counts in sorted(rules.items())}
    return account


_Twin = tuple[str, str]
"""the id of the document that stays, and its beginning"""
_NO_TWIN: _Twin = ("", "")


def _removal(row: dict[str, Any], verdict: Verdict, twin: _Twin) -> LedgerRow:
    removal = entry(row["document"], document_of(row), verdict)
    # The text may have been changed before, but its id is that of the text as it was given.
    removal["id"], (removal["twin"], removal["twin_excerpt"]) = row["id"], twin
    return removal


def _twins(records: Records, removals: duplicates.Removals, passed: BinaryIO) -> dict[int, _Twin]:
    """All twins, read in the order of the file."""
    twins = {}
    for place in sorted({twin for twin, _why in removals.values() if twin >= 0}):
        passed.seek(int(records["offset"][place]))
        row = json.loads(passed.readline())
        twins[place] = (str(row["id"]), shown(row["text"]))
    return twins


def _entries(path: Path) -> Iterator[LedgerRow]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _save(path: Path, content: Mapping[str, object]) -> None:
    aside = path.with_name(f".tmp-{path.name}")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(content, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
