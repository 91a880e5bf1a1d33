"""Freezes suites into a folder, as a node fetches them: a row of test.jsonl for each item."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from training.models import Snapshot, Suite, SuiteItem
from training.processes import run_dir
from training.snapshots import freeze as snapshots_freeze
from training.snapshots.contents.snapshot_card import text_key
from training.snapshots.freeze import FrozenFolder


def freeze(*, suites: Sequence[Suite], folder: Path) -> FrozenFolder:
    """Writes the folder atomically; train.jsonl and validation.jsonl are empty. The items of a
    suite never change, so the same suites give the same bytes and the same fingerprint.
    """
    aside = folder.with_name(f"{run_dir.TEMPORARY}{folder.name}")
    aside.mkdir(parents=True)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, aside, ignore_errors=True)
        prompts: set[str] = set()
        categories: Counter[str] = Counter()
        lines = []
        for suite, item in _items(suites):
            prompts.add(text_key(item.prompt))
            categories[item.category] += 1
            row = json.dumps(row_of(suite, item), ensure_ascii=False, sort_keys=True)
            lines.append(row + "\n")
        for split in run_dir.SPLITS:
            text = "".join(lines) if split == "test" else ""
            run_dir.write_atomically(aside / f"{split}.jsonl", text)
        card = _card(suites, len(lines), len(prompts), categories)
        run_dir.write_json(aside / run_dir.SNAPSHOT_CARD, card)
        for path in aside.iterdir():
            path.chmod(0o444)
        aside.rename(folder)
        undo.pop_all()
    return FrozenFolder(snapshots_freeze.fingerprint(folder), len(lines), card, [])


def row_of(suite: Suite, item: SuiteItem) -> dict[str, object]:
    """An item as the child process reads it."""
    return {
        **item.content,
        "id": f"item-{item.pk}",
        "item": item.pk,
        "suite": suite.pk,
        "kind": suite.kind,
        "options": suite.options,
        "key": item.key,
        "prompt": item.prompt,
    }


def _items(suites: Sequence[Suite]) -> Iterator[tuple[Suite, SuiteItem]]:
    for suite in suites:
        for item in suite.items.order_by("position").iterator(chunk_size=1000):
            yield suite, item


def _card(
    suites: Sequence[Suite], n_rows: int, n_prompts: int, categories: Counter[str]
) -> dict[str, object]:
    licences: Counter[str] = Counter()
    for suite in suites:
        licences[suite.licence] += suite.n_items
    return {
        "kind": Snapshot.Kind.SUITES.value,
        "rows": n_rows,
        "prompts": n_prompts,
        "splits": {split: n_rows if split == "test" else 0 for split in run_dir.SPLITS},
        "filters": filters_of(suites),
        "left_out": {},
        "licences": dict(licences.most_common()),
        "suites": [
            {
                "suite": suite.pk,
                "slug": suite.slug,
                "version": suite.version,
                "name": suite.name,
                "kind": suite.kind,
                "n_items": suite.n_items,
            }
            for suite in suites
        ],
    }


def filters_of(suites: Sequence[Suite]) -> dict[str, object]:
    return {"suites": [suite.pk for suite in suites]}
