"""Curation on documents with planted faults: what is found, what is wrongly removed, time, memory.

    python benchmarks/curation.py [--quick] [--documents 10000 | --megabytes 1000] [--seed 1]

The documents come from fixtures/corpus.py: ours, deterministic, and independent of the rules. They
are cleaned as a job cleans them, by curation.rules.child in two processes, with the recipe for
text; then again with a kill -9 in the middle, and the results must be the same bytes.
`--megabytes` makes longer documents up to that size. The last line is JSON:

    exact_precision, exact_recall   copies equal but for case, spacing and punctuation
    near_precision, near_recall     pairs with a Jaccard index of 0.8 to 0.95 over runs of five
                                    words; pairs of 0.3 to 0.6 must both stay
    language        share found of documents in another language
    pii_recall, pii_precision       personal data by place and kind, over all documents
    contamination_verbatim, contamination_edited   items found, whole and with one word changed
    leaked          planted keys and personal data that are still in what was kept or in the ledger
    clean_removed   share of clean documents that any rule removed
    seconds, peak_mb                of the unbroken cleaning; memory of all its processes together,
                                    read four times a second
    cpu_seconds     of all its processes: on two idle cores it takes a little more than half of them
    load            processes that wanted a core meanwhile, ours too
    resumed_equal   whether the killed and resumed cleaning gave the same bytes
"""

import argparse
import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fixtures import corpus
from training.snapshots.curation.rules import child, cleaning, recipe

ROOT = Path(__file__).resolve().parent.parent
BYTES_PER_LONG_DOCUMENT = 3_400
LOOK_EVERY_S = 0.25


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(_measured(Path(name), options)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 documents")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    if options.megabytes:
        n = options.megabytes * 10**6 // BYTES_PER_LONG_DOCUMENT
        corpus.write(folder, n=n, seed=options.seed, n_sentences=(25, 60))
    else:
        n = 10_000 if options.quick else options.documents
        corpus.write(folder, n=n, seed=options.seed)
    megabytes = round((folder / "documents.jsonl").stat().st_size / 10**6, 1)
    print(f"Wrote {megabytes} MB.", file=sys.stderr)
    for name in ("unbroken", "resumed"):
        _prepare(folder, folder / name)
    cost = _cleaned(folder / "unbroken")
    figures = {**_figures(folder), "megabytes": megabytes, **cost}
    print(json.dumps(figures), file=sys.stderr, flush=True)
    _cleaned(folder / "resumed", kill_after=max(1_000, n // 2))
    assert not (folder / "resumed" / cleaning.ACCOUNT).exists(), "the cleaning was to be killed"
    _cleaned(folder / "resumed")
    is_equal = all(
        filecmp.cmp(folder / "unbroken" / name, folder / "resumed" / name, shallow=False)
        for name in (cleaning.KEPT, cleaning.LEDGER, cleaning.ACCOUNT)
    )
    return {**figures, "resumed_equal": is_equal}


def _prepare(given: Path, folder: Path) -> None:
    folder.mkdir()
    for name in (child.DOCUMENTS, child.ITEMS):
        os.link(given / name, folder / name)
    (folder / child.RECIPE).write_text(json.dumps(recipe.PRESETS["text"].as_json()))


def _cleaned(folder: Path, kill_after: int = 0) -> dict[str, float]:
    """What it cost. With `kill_after`, the child is killed once it has read that many documents."""
    started, used_before, peak, load = time.monotonic(), _cpu_seconds(), 0.0, 0.0
    command = [sys.executable, "-m", "training.snapshots.curation.rules.child", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT)
    while process.poll() is None:
        peak, load = max(peak, _megabytes(process.pid)), max(load, os.getloadavg()[0])
        if kill_after and child.n_read(folder) >= kill_after:
            process.kill()
        time.sleep(LOOK_EVERY_S)
    if not kill_after and process.returncode:
        raise SystemExit(f"The cleaning failed: {process.returncode}")
    seconds, used = time.monotonic() - started, _cpu_seconds() - used_before
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used, 1),
        "peak_mb": round(peak),
        "load": round(load, 1),
    }


def _cpu_seconds() -> float:
    """Of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _megabytes(pid: int) -> float:
    """Of a process and its children, what they share counted once (PSS)."""
    total = 0.0
    for one in (pid, *_children(pid)):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _children(pid: int) -> list[int]:
    try:
        names = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(name) for name in names]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


class Outcome:
    """What happened to one document."""

    def __init__(self, truth: dict[str, Any]) -> None:
        self.truth = truth
        self.removed_by = ""
        self.spans: set[tuple[int, int, str]] = set()


def _figures(folder: Path) -> dict[str, Any]:
    outcomes = [Outcome(truth) for truth in _rows(folder / "truth.jsonl")]
    for entry in _rows(folder / "unbroken" / cleaning.LEDGER):
        outcome = outcomes[entry["document"]]
        if entry["outcome"] == "removed":
            outcome.removed_by = entry["rule"]
        if entry["rule"] == "personal_data":
            outcome.spans = {(start, end, kind) for start, end, kind in entry["spans"]}
    of_kind = defaultdict(list)
    for outcome in outcomes:
        of_kind[outcome.truth["kind"]].append(outcome)
    account = json.loads((folder / "unbroken" / cleaning.ACCOUNT).read_text())
    parts = account["kept"] + account["changed"] + account["removed"]
    assert account["read"] == len(outcomes) == parts
    clean = of_kind["clean"]
    return {
        "documents": len(outcomes),
        **_pairs(outcomes, "exact", "exact_duplicate"),
        **_pairs(outcomes, "near", "near_duplicate"),
        "language": _share(of_kind["language"], "language"),
        **_personal(outcomes),
        "contamination_verbatim": _share(of_kind["verbatim"], "decontamination"),
        "contamination_edited": _share(of_kind["edited"], "decontamination"),
        "repetition": _share(of_kind["repetition"], "repetition"),
        "boilerplate": _share(of_kind["boilerplate"], "llm_boilerplate"),
        "leaked": _leaked(folder, outcomes),
        "clean_removed": round(sum(bool(one.removed_by) for one in clean) / len(clean), 5),
    }


def _pairs(outcomes: list[Outcome], kind: str, rule: str) -> dict[str, float]:
    """Found: of a pair exactly one was removed, by the rule. Wrong: the rule removed something
    else, or both.
    """
    removed: Counter[str | int] = Counter()
    groups = {one.truth["group"] for one in outcomes if one.truth["kind"] == kind}
    for one in outcomes:
        if one.removed_by == rule:
            removed[one.truth["group"] if one.truth["kind"] == kind else id(one)] += 1
    n_right = sum(removed.get(group, 0) == 1 for group in groups)
    n_removed = sum(removed.values())
    return {
        f"{kind}_precision": round(n_right / max(1, n_removed), 4),
        f"{kind}_recall": round(n_right / len(groups), 4),
    }


def _share(planted: list[Outcome], rule: str) -> float:
    """By the rule; a document that an earlier rule had removed counts as missed."""
    n = sum(one.removed_by.split(".")[0] == rule for one in planted)
    return round(n / len(planted), 4)


def _personal(outcomes: list[Outcome]) -> dict[str, float]:
    planted = found = right = 0
    for one in outcomes:
        truth = {(start, end, kind) for start, end, kind in one.truth["spans"] if kind != "key"}
        planted, found = planted + len(truth), found + len(one.spans)
        right += len(truth & one.spans)
    return {
        "pii_recall": round(right / max(1, planted), 4),
        "pii_precision": round(right / max(1, found), 4),
    }


def _leaked(folder: Path, outcomes: list[Outcome]) -> int:
    """In the rows of the document that held it: what was kept is too long to search whole."""
    planted = {
        number: [row["text"][start:end] for start, end, _kind in one.truth["spans"]]
        for number, (row, one) in enumerate(
            zip(_rows(folder / "documents.jsonl"), outcomes, strict=True)
        )
        if one.truth["spans"]
    }
    return sum(
        value in written
        for name in (cleaning.KEPT, cleaning.LEDGER)
        for row in _rows(folder / "unbroken" / name)
        for written in [f"{row.get('text')} {row.get('excerpt')} {row.get('source')}"]
        for value in planted.get(row["document"], ())
    )


if __name__ == "__main__":
    main()
