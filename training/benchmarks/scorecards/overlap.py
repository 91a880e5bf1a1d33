"""Looks for a suite's items in the data that a model was trained on, and notes them on its scores.

Each pair of suite and snapshot is read once: neither ever changes, and what was found stays in the
scores' details. Of a base model's own training data nothing is known here.
"""

from collections.abc import Iterable

from django.db import transaction

from training.benchmarks.scorecards.shared_words import SharedWords, texts_in
from training.models import Run, Snapshot, Suite, SuiteScore, TrainedModel
from training.processes import run_dir
from training.snapshots.contents.files import DEMONSTRATIONS
from training.storage import artifacts, store

N_ANCESTORS = 20
_TRAINED_ON = ("train.jsonl", DEMONSTRATIONS)


def note_overlap(*, run: Run) -> None:
    """Notes on every score of the run which items its model was trained on. May be repeated.

    A snapshot whose files are not here, or cannot be read now, is noted as not checked.
    """
    snapshots = snapshots_behind(model=run.base_model)
    for suite in Suite.objects.filter(suite_scores__run=run).distinct():
        known = {snapshot.pk: _known(suite, snapshot) for snapshot in snapshots}
        unknown = [snapshot for snapshot in snapshots if known[snapshot.pk] is None]
        shared = _shared_words(suite) if unknown else None
        for snapshot in unknown:
            assert shared is not None
            known[snapshot.pk] = _read(shared, snapshot)
        _store(run, suite, known)


def snapshots_behind(*, model: TrainedModel) -> list[Snapshot]:
    """What the model and those that it descends from were trained on, newest first."""
    snapshots: dict[int, Snapshot] = {}
    parents = TrainedModel.objects.select_related("run__snapshot", "run__ptx_snapshot")
    current: TrainedModel | None = parents.get(pk=model.pk)
    for _step in range(N_ANCESTORS):
        if current is None:
            break
        run = current.run
        for snapshot in (run.snapshot, run.ptx_snapshot) if run else ():
            if snapshot is not None:
                snapshots.setdefault(snapshot.pk, snapshot)
        current = parents.get(pk=current.parent_id) if current.parent_id else None
    return list(snapshots.values())


def _known(suite: Suite, snapshot: Snapshot) -> list[int] | None:
    """What an earlier score of this suite says of the snapshot."""
    key = str(snapshot.pk)
    earlier = SuiteScore.objects.filter(suite=suite, details__overlap__by_snapshot__has_key=key)
    details = earlier.values_list("details", flat=True).first()
    items: list[int] | None = details["overlap"]["by_snapshot"][key] if details else None
    return items


def _shared_words(suite: Suite) -> SharedWords:
    items = suite.items.values_list("pk", "prompt", "content").iterator(1000)
    return SharedWords({pk: list(texts_in([prompt, content])) for pk, prompt, content in items})


def _read(shared: SharedWords, snapshot: Snapshot) -> list[int] | None:
    """The items that are in the snapshot; None if its files cannot be read."""
    try:
        folder = artifacts.fetch_snapshot(snapshot.folder)
    except (store.StoreUnavailable, store.Damaged):
        return None
    files = [folder / name for name in _TRAINED_ON if (folder / name).is_file()]
    if not files:
        return None
    items: set[int] = set()
    for file in files:
        items |= _items_in(shared, run_dir.read_lines(file))
    return sorted(items)


def _items_in(shared: SharedWords, rows: Iterable[dict[str, object]]) -> set[int]:
    return {item for row in rows for text in texts_in(row) for item in shared.items_in(text)}


def _store(run: Run, suite: Suite, known: dict[int, list[int] | None]) -> None:
    read = {str(pk): items for pk, items in known.items() if items is not None}
    note = {
        "n": len({item for items in read.values() for item in items}),
        "by_snapshot": read,
        "not_checked": [pk for pk, items in known.items() if items is None],
    }
    with transaction.atomic():
        scores = SuiteScore.objects.select_for_update().filter(run=run, suite=suite)
        for score in scores:
            score.details = score.details | {"overlap": note}
            score.save(update_fields=["details"])
