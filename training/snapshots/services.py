"""Creates snapshots. A snapshot never changes afterwards."""

import errno
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from labeling.models import Judgment
from training.models import Snapshot, SnapshotJudgment, SnapshotPrompt
from training.processes import run_dir
from training.snapshots import freeze as snapshots_freeze
from training.snapshots.contents.files import DEMONSTRATIONS
from training.snapshots.contents.filters import Filters
from training.snapshots.freeze import FrozenFolder, UnableToCreate
from training.snapshots.pretraining import texts
from training.snapshots.pretraining.documents import Document
from training.storage import artifacts, store

__all__ = [
    "Filters",
    "UnableToCreate",
    "UnableToWrite",
    "create_frozen",
    "create_snapshot",
    "create_text_snapshot",
    "trace_demonstrations",
]


class UnableToWrite(UnableToCreate):
    """The disk is full, or the store is not available."""


def create_snapshot(
    *, kind: str, name: str, filters: Filters, by: User | None, now: datetime
) -> Snapshot:
    """Creates the frozen folder and its row, both or neither. Raises UnableToCreate."""

    def freeze(folder: Path) -> FrozenFolder:
        return snapshots_freeze.freeze(kind=kind, filters=filters, folder=folder)

    return create_frozen(
        kind=kind, name=name, filters=filters.as_json(), freeze=freeze, by=by, now=now
    )


def create_text_snapshot(
    *,
    name: str,
    documents: Iterable[Document],
    licence: str,
    min_characters: int,
    by: User,
    now: datetime,
) -> Snapshot:
    """Creates a snapshot of uploaded documents (see pretraining.texts). With a recipe,
    snapshots.curation creates it. Raises UnableToCreate.
    """

    def freeze(folder: Path) -> FrozenFolder:
        return texts.freeze(
            documents, folder=folder, licence=licence, min_characters=min_characters
        )

    return create_frozen(
        kind=Snapshot.Kind.TEXT,
        name=name,
        filters={"licence": licence, "min_characters": min_characters},
        freeze=freeze,
        by=by,
        now=now,
    )


def trace_demonstrations(*, snapshot: Snapshot) -> int:
    """Makes the demonstrations beside a snapshot's comparisons members.
    Returns how many were new. Raises OSError if the files are not here.
    """
    lines = run_dir.read_lines(artifacts.fetch_snapshot(snapshot.folder) / DEMONSTRATIONS)
    beside = Judgment.versions_of_everyone.filter(pk__in={line["judgment"] for line in lines})
    new = list(beside.exclude(memberships__snapshot=snapshot).values_list("pk", flat=True))
    SnapshotJudgment.objects.bulk_create(
        (SnapshotJudgment(snapshot=snapshot, judgment_id=pk) for pk in new), ignore_conflicts=True
    )
    return len(new)


def create_frozen(
    *,
    kind: str,
    name: str,
    filters: dict[str, object],
    freeze: Callable[[Path], FrozenFolder],
    by: User | None,
    now: datetime,
    finish: Callable[[Snapshot], None] = lambda _snapshot: None,
) -> Snapshot:
    """Creates the folder that `freeze` writes and its row, both or neither. `finish` is called in
    the same transaction. Raises UnableToCreate.
    """
    folder = Path(settings.SNAPSHOTS_DIR) / f"{kind}-{uuid4().hex[:12]}"
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        frozen = _freeze_and_store(freeze, folder)
        with transaction.atomic():
            snapshot = Snapshot.objects.create(
                name=name,
                kind=kind,
                filters=filters,
                fingerprint=frozen.fingerprint,
                card=frozen.card,
                folder=folder.name,
                n_rows=frozen.n_rows,
                created_by=by,
                created_at=now,
            )
            audit_log.record(
                by,
                "cut",
                snapshot,
                after={"kind": kind, "fingerprint": frozen.fingerprint},
                now=now,
            )
            SnapshotJudgment.objects.bulk_create(
                (SnapshotJudgment(snapshot=snapshot, judgment_id=pk) for pk in frozen.judgment_ids),
                batch_size=1000,
            )
            SnapshotPrompt.objects.bulk_create(
                (SnapshotPrompt(snapshot=snapshot, prompt_id=pk) for pk in frozen.prompt_ids),
                batch_size=1000,
            )
            finish(snapshot)
        undo.pop_all()
    return snapshot


def _freeze_and_store(freeze: Callable[[Path], FrozenFolder], folder: Path) -> FrozenFolder:
    """Writes the folder, and copies it to the store if nodes share one. Raises UnableToCreate."""
    try:
        frozen = freeze(folder)
        artifacts.store_snapshot(folder)
    except store.StoreUnavailable as problem:
        raise UnableToWrite(
            _("The artifact store is not responding. Create the snapshot again later.")
        ) from problem
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UnableToWrite(
                _(
                    "The disk for snapshots is full. Free some space, then create the snapshot"
                    " again."
                )
            ) from problem
        words = _("The snapshot could not be written: %(reason)s. Fix that, then create it again.")
        raise UnableToWrite(words % {"reason": problem.strerror or problem}) from problem
    return frozen
