"""Writes of curations: start one, ask for its snapshot, discard it; restore a document."""

import shutil
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from jobs.protocol import Kind
from training.models import Curation, RestoredDocument, Snapshot
from training.snapshots.curation import ledger, recipes, rule_words
from training.snapshots.freeze import UnableToCreate

UPLOAD = "upload"
_OPEN = (Curation.State.QUEUED, Curation.State.RUNNING, Curation.State.READY, Curation.State.FAILED)


class UnableToCurate(Refusal):
    """The curation cannot do what was asked now; the text says why."""


CURATIONS = Kind(
    Curation,
    task="training.snapshots.curation.tasks.run_curation",
    limit=timedelta(hours=6),
    silent_after=timedelta(minutes=5),  # the longest is while a snapshot is copied to the store
    crashed=gettext_lazy("The worker crashed three times on these documents."),
    n_lost="n_lost",  # one can be queued again by a person
    max_lost=2,
    refusals=(UnableToCurate, UnableToCreate),
    os_error=gettext_lazy(
        "The documents could not be curated: %(reason)s. Fix that, then try again."
    ),
    every=timedelta(seconds=30),
)


def folder_of(*, curation: Curation) -> Path:
    """Where its upload and its work are, until it is done or discarded."""
    return Path(settings.UPLOADS_DIR) / "curations" / curation.folder


def start_curation(
    *,
    name: str,
    kind: str,
    recipe: str,
    filters: dict[str, object],
    upload: "File[bytes] | None" = None,
    makes_snapshot: bool,
    by: User,
    now: datetime,
) -> Curation:
    """Queues a recipe (a name of recipes.NAMES) for an uploaded text, or for the rows that
    `filters` choose. Without `makes_snapshot` it stops at a preview.
    """
    folder = uuid.uuid4().hex
    curation = Curation(
        name=name,
        kind=kind,
        recipe=recipes.recipe(name=recipe).as_json(),
        filters=filters | {"recipe": recipe},
        folder=folder,
        file_name=Path(upload.name or "–").name[:255] if upload else "",
        makes_snapshot=makes_snapshot,
        created_by=by,
        created_at=now,
    )
    if upload is not None:
        _store(upload, folder_of(curation=curation))
    with transaction.atomic():
        curation.save()
        audit_log.record(by, "create", curation, after={"recipe": recipe, "kind": kind}, now=now)
        CURATIONS.wake_on_commit(curation.pk)
    return curation


def make_snapshot(*, curation: Curation, by: User, now: datetime) -> None:
    """Queues the snapshot of what a preview kept. Documents restored meanwhile are kept too. Raises
    UnableToCurate.
    """
    recipe = recipes.recipe(name=curation.filters["recipe"]).as_json()
    _queue_again(curation, makes_snapshot=True, recipe=recipe, by=by, now=now)


def update_preview(*, curation: Curation, by: User, now: datetime) -> None:
    """Queues the recipe again, with what was restored since. Raises UnableToCurate."""
    recipe = recipes.recipe(name=curation.filters["recipe"]).as_json()
    _queue_again(curation, makes_snapshot=False, recipe=recipe, by=by, now=now)


def _queue_again(curation: Curation, *, by: User, now: datetime, **changes: object) -> None:
    with transaction.atomic():
        again = Curation.objects.filter(
            pk=curation.pk, state__in=(Curation.State.READY, Curation.State.FAILED)
        )
        if not guard.update_one(
            again, state=Curation.State.QUEUED, error="", n_lost=0, n_read=0, **changes
        ):
            raise UnableToCurate(
                _("This curation is running, done or discarded. Open it again to see its state.")
            )
        audit_log.record(
            by, "queue", curation, after={"makes_snapshot": changes["makes_snapshot"]}, now=now
        )
        CURATIONS.wake_on_commit(curation.pk)
    curation.refresh_from_db()


def discard_curation(*, curation: Curation, by: User | None, now: datetime) -> None:
    """Deletes its files; a running one stops. Raises UnableToCurate."""
    with transaction.atomic():
        mine = Curation.objects.filter(pk=curation.pk, state__in=_OPEN)
        if not guard.update_one(mine, state=Curation.State.DISCARDED, finished_at=now):
            raise UnableToCurate(_("This curation is done or was discarded already."))
        audit_log.record(by, "discard", curation, now=now)
        transaction.on_commit(
            lambda: shutil.rmtree(folder_of(curation=curation), ignore_errors=True)
        )
    curation.refresh_from_db()


def restore_document(
    *, source: Curation | Snapshot, document: str, by: User, now: datetime
) -> RestoredDocument:
    """Records that a document in the ledger of `source` is to be kept by the next curation with its
    recipe. Restoring it twice changes nothing. Raises UnableToCurate.
    """
    recipe = str(source.filters.get("recipe", ""))
    folder = (
        folder_of(curation=source)
        if isinstance(source, Curation)
        else Path(settings.SNAPSHOTS_DIR) / source.folder
    )
    try:
        entry = ledger.removal(folder, document)
    except OSError:
        entry = None
    if entry is None or not recipe:
        raise UnableToCurate(_("This document is not in the ledger as removed."))
    with transaction.atomic():
        restored, is_new = RestoredDocument.objects.get_or_create(
            recipe=recipe,
            document=document,
            defaults={
                "rule": entry.rule,
                "excerpt": entry.excerpt,
                "restored_by": by,
                "restored_at": now,
            },
        )
        if is_new:
            after = {"recipe": recipe, "rule": rule_words.in_english(entry.rule)}
            audit_log.record(by, "bring_back", restored, after=after, now=now)
    return restored


def undo_restore(*, recipe: str, document: str, by: User, now: datetime) -> None:
    """Lets the recipe remove the document again. Does nothing if it is not restored."""
    with transaction.atomic():
        stored = RestoredDocument.objects.filter(recipe=recipe, document=document).first()
        if stored is None:
            return
        audit_log.record(
            by, "take_back", stored, before={"recipe": recipe, "rule": stored.rule}, now=now
        )
        stored.delete()


def _store(upload: "File[bytes]", folder: Path) -> None:
    folder.mkdir(parents=True)
    with (folder / UPLOAD).open("wb") as copy:
        for chunk in upload.chunks():
            copy.write(chunk)
