"""Applies a recipe to documents, with a ledger of what was removed or changed.

Two passes over files in one folder, with bounded memory:

    passed.jsonl     documents that every rule about one text let through, changed as they said
    records.bin      what the rules about all documents need to know of each (duplicates.RECORD)
    first.jsonl      the ledger of the first pass
    state.json       how far the first pass is; written last, after each batch
    kept.jsonl, ledger.jsonl, account.json      the result

The first pass goes on from state.json after it was killed. The second is short and starts again. A
killed and resumed cleaning gives the same bytes as one without a break.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from labeling.curation import duplicates
from labeling.curation.contamination import Against, Decontamination, Item, against
from labeling.curation.duplicates import AuthorCap, ExactDuplicates, NearDuplicates, Records
from labeling.curation.personal_data import shown
from labeling.curation.recipe import Licences, Recipe
from labeling.curation.verdicts import Text, Verdict

KEPT, LEDGER, ACCOUNT = "kept.jsonl", "ledger.jsonl", "account.json"
_PASSED, _RECORDS, _FIRST, _STATE = "passed.jsonl", "records.bin", "first.jsonl", "state.json"
_WRITTEN = (_PASSED, _RECORDS, _FIRST)
BATCH = 1_000
BATCH_CHARACTERS = 8_000_000
MOST_SPANS = 200


class StaleFolder(ValueError):
    """The folder holds the beginning of a cleaning with another recipe."""


@dataclass(frozen=True)
class Document:
    text: str
    source: str = ""
    licence: str = ""
    author: str = ""
    created: str = ""
    """ISO 8601; "" if nobody knows"""

    @property
    def key(self) -> str:
        """Names the text as it was given. Equal texts have equal keys."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
    beat: Callable[[int], None] = lambda _n_read: None,
) -> Account:
    """Writes kept.jsonl, ledger.jsonl and account.json into `folder`. After a kill, call
    it again with the same documents to resume. `beat` gets the number of documents read so far,
    after each batch. Raises StaleFolder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = next((rule for rule in recipe.rules if isinstance(rule, Decontamination)), None)
    looked_for = against(items, found) if found else Against()
    fingerprint = recipe.fingerprint(items=looked_for.digest)
    state = _first_pass(documents, recipe, folder, looked_for, fingerprint, beat)
    return _second_pass(recipe, folder, state, looked_for)


def kept(folder: Path) -> Iterator[Document]:
    """The documents of a cleaned folder, in the order in which they were read."""
    with (folder / KEPT).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield Document(**{name: row[name] for name in Document.__dataclass_fields__})


def judge(document: Document, recipe: Recipe, looked_for: Against) -> tuple[Text, list[Verdict]]:
    """What the rules about one text say: the text as they changed it, and their findings. The
    last finding is the removal, if there is one.
    """
    findings: list[Verdict] = []
    text = Text(document.text)
    if recipe.restored and document.key in recipe.restored:
        return text, findings
    for rule in recipe.rules:
        verdict = _verdict(rule, text, document, looked_for)
        if verdict is None:
            continue
        findings.append(verdict)
        if verdict.is_removed:
            break
        if verdict.text is not None:
            text = Text(verdict.text)
    return text, findings


def _verdict(rule: Any, text: Text, document: Document, looked_for: Against) -> Verdict | None:
    if isinstance(rule, ExactDuplicates | NearDuplicates | AuthorCap):
        return None
    if isinstance(rule, Decontamination):
        return looked_for(text)
    if isinstance(rule, Licences):
        if rule.allows(document.licence):
            return None
        return Verdict(rule.NAME, document.licence or "none", ", ".join(rule.allowed))
    verdict: Verdict | None = rule(text)
    return verdict


def _first_pass(
    documents: Iterable[Document],
    recipe: Recipe,
    folder: Path,
    looked_for: Against,
    fingerprint: str,
    beat: Callable[[int], None],
) -> _State:
    state = _state(folder, fingerprint)
    files = {name: (folder / name).open("ab") for name in _WRITTEN}
    try:
        for name, file in files.items():
            file.truncate(state.sizes[name])
            file.seek(0, os.SEEK_END)
        rest = islice(documents, state.n_read, None)
        while batch := _batch(rest):
            for place, document in enumerate(batch, start=state.n_read):
                _write(place, document, recipe, looked_for, files)
            state.n_read += len(batch)
            for name, file in files.items():
                file.flush()
                os.fsync(file.fileno())
                state.sizes[name] = file.tell()
            _save(folder / _STATE, asdict(state))
            beat(state.n_read)
    finally:
        for file in files.values():
            file.close()
    return state


def _state(folder: Path, fingerprint: str) -> _State:
    path = folder / _STATE
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


def _write(
    place: int, given: Document, recipe: Recipe, looked_for: Against, files: Mapping[str, BinaryIO]
) -> None:
    text, findings = judge(given, recipe, looked_for)
    is_removed = bool(findings) and findings[-1].is_removed
    entries = [_entry(place, given, finding) for finding in findings]
    files[_FIRST].write("".join(map(_line, entries)).encode())
    if is_removed:
        return
    row = {
        "document": place,
        "id": given.key,
        "is_changed": text.text != given.text,
        **asdict(given),
        "text": text.text,
    }
    made = duplicates.record(
        text,
        near=recipe.near,
        document=place,
        offset=files[_PASSED].tell(),
        licence=given.licence,
        author=given.author,
        created=given.created,
    )
    files[_RECORDS].write(made.tobytes())
    files[_PASSED].write(_line(row).encode())


def _entry(place: int, document: Document, verdict: Verdict) -> dict[str, Any]:
    """A row of the ledger. Its excerpt and spans say nothing personal."""
    return {
        "document": place,
        "id": document.key,
        "outcome": "removed" if verdict.is_removed else "changed",
        "rule": verdict.rule,
        "value": verdict.value,
        "threshold": verdict.threshold,
        "twin": verdict.twin,
        "spans": [[span.start, span.end, span.kind] for span in verdict.spans[:MOST_SPANS]],
        "source": shown(document.source),
        "excerpt": shown(document.text, around=verdict.spans[0].start if verdict.spans else 0),
    }


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

    def row_at(place: int) -> dict[str, Any]:
        passed.seek(int(records["offset"][place]))
        row: dict[str, Any] = json.loads(passed.readline())
        return row

    for rule in recipe.rules:
        if isinstance(rule, ExactDuplicates | NearDuplicates | AuthorCap):
            found = rule.apply(records, is_kept, lambda place: str(row_at(place)["text"]))
            if restored:
                found = {at: why for at, why in found.items() if row_at(at)["id"] not in restored}
            removals.update(found)
            is_kept[list(found)] = False
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
    twins = _ids(records, removals, passed)
    ready = {name: folder / f".tmp-{name}" for name in (KEPT, LEDGER)}
    passed.seek(0)
    pending = next(first, None)
    with ready[KEPT].open("wb") as kept_file, ready[LEDGER].open("wb") as ledger:

        def write(entry: dict[str, Any]) -> None:
            rules.setdefault(entry["rule"], Counter())[entry["outcome"]] += 1
            ledger.write(_line(entry).encode())

        for place, line in enumerate(passed):
            row = json.loads(line)
            while pending is not None and pending["document"] <= row["document"]:
                write(pending)
                pending = next(first, None)
            if place in removals:
                twin, verdict = removals[place]
                write(_removal(row, verdict, twins.get(twin, "")))
                account.removed += 1
                continue
            account.changed += row["is_changed"]
            account.kept += not row["is_changed"]
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


def _removal(row: dict[str, Any], verdict: Verdict, twin: str) -> dict[str, Any]:
    fields = {name: row[name] for name in Document.__dataclass_fields__}
    # The text may have been changed before, but its id is that of the text as it was given.
    entry = _entry(row["document"], Document(**fields), verdict)
    return {**entry, "id": row["id"], "twin": twin}


def _ids(records: Records, removals: duplicates.Removals, passed: BinaryIO) -> dict[int, str]:
    """The ids of all twins, read in the order of the file."""
    ids = {}
    for place in sorted({twin for twin, _why in removals.values() if twin >= 0}):
        passed.seek(int(records["offset"][place]))
        ids[place] = str(json.loads(passed.readline())["id"])
    return ids


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=True, sort_keys=True) + "\n"


def _save(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_name(f".tmp-{path.name}")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(content, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
