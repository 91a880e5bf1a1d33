"""What a worker does with a curation: writes down the documents, lets a child process apply the
recipe, and freezes what it kept.

A worker that takes over from a dead one goes on where that one was. Documents are written once, and
the child resumes.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from jobs.protocol import Clock
from training.models import Curation, Snapshot
from training.processes import environment, linux
from training.snapshots import freeze as snapshots_freeze
from training.snapshots import services
from training.snapshots.contents.filters import Filters
from training.snapshots.curation import ledger, rows
from training.snapshots.curation.ledger import Curated
from training.snapshots.curation.rules import child, cleaning
from training.snapshots.curation.rules.cleaning import Account
from training.snapshots.curation.rules.documents import Document
from training.snapshots.curation.rules.recipe import Recipe, from_json
from training.snapshots.curation.services import CURATIONS, UPLOAD, UnableToCurate, folder_of
from training.snapshots.freeze import FrozenFolder
from training.snapshots.pretraining import documents as pretraining_documents
from training.snapshots.pretraining import kept_out, texts

BEAT_EVERY = 5_000
LOOK_EVERY_S = 1.0
PREVIEWS_KEPT = timedelta(days=14)
_LOG = "child.log"
T = TypeVar("T")


def delete_old_previews(*, now: datetime) -> int:
    """Deletes the files of previews that nobody made a snapshot of. Returns how many."""
    old = Curation.objects.filter(
        state__in=(Curation.State.READY, Curation.State.FAILED),
        created_at__lt=now - PREVIEWS_KEPT,
    )
    previews = list(old)
    for curation in previews:
        if old.filter(pk=curation.pk).update(state=Curation.State.DISCARDED, finished_at=now):
            shutil.rmtree(folder_of(curation=curation), ignore_errors=True)
    return len(previews)


@CURATIONS
def _run(curation: Curation, clock: Clock) -> None:
    """Makes the preview or the snapshot."""
    work = _cleaned(curation, clock)
    if curation.makes_snapshot:
        _freeze(curation, work, clock)
        shutil.rmtree(folder_of(curation=curation), ignore_errors=True)
    else:
        curation.end(Curation.State.READY, now=clock())


def _cleaned(curation: Curation, clock: Clock) -> Path:
    """The folder in which the recipe was applied. Stores the account."""
    recipe = from_json(curation.recipe)
    # A recipe with other restored documents is another one, and begins again.
    work = folder_of(curation=curation) / f"work-{_digest(recipe)}"
    for other in folder_of(curation=curation).glob("work-*"):
        if other != work:
            shutil.rmtree(other, ignore_errors=True)
    child.prepare(
        work,
        documents=_beating(_documents(curation), curation, clock),
        items=kept_out.test_items(),
        recipe=recipe,
    )
    if curation.n_documents is None:
        with (work / child.DOCUMENTS).open("rb") as file:
            curation.change(n_documents=sum(1 for _line in file))
    if not (work / cleaning.ACCOUNT).exists():
        _let_child_clean(curation, work, clock)
    account = Account(**json.loads((work / cleaning.ACCOUNT).read_text()))
    curation.change(account=ledger.about(account, recipe), n_read=account.read)
    shutil.copyfile(work / cleaning.LEDGER, folder_of(curation=curation) / cleaning.LEDGER)
    return work


def _digest(recipe: Recipe) -> str:
    whole = json.dumps(recipe.as_json(), sort_keys=True)
    return sha256(whole.encode()).hexdigest()[:12]


def _documents(curation: Curation) -> Iterator[Document]:
    if curation.kind == Snapshot.Kind.TEXT:
        return _uploaded(curation)
    filters = Filters.from_json(curation.filters)
    judged = snapshots_freeze.rows_of(kind=curation.kind, filters=filters, left_out=Counter())
    if curation.kind != Snapshot.Kind.COMPARISONS:
        return rows.documents(judged)
    return rows.documents(chain(judged, snapshots_freeze.demonstrations_beside(filters)))


def _uploaded(curation: Curation) -> Iterator[Document]:
    with (folder_of(curation=curation) / UPLOAD).open("rb") as file:
        licence = curation.filters["licence"]
        for document in texts.Documents(curation.file_name.lower(), file):
            yield Document(document.text, document.source, licence)


def _let_child_clean(curation: Curation, work: Path, clock: Clock) -> None:
    with (folder_of(curation=curation) / _LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 our own interpreter and module
            [sys.executable, "-m", "training.snapshots.curation.rules.child", str(work)],
            cwd=settings.BASE_DIR,
            env=environment.without_secrets(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: linux.die_with_parent(signal.SIGKILL),
        )
        try:
            _wait(process, curation, work, clock)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise UnableToCurate(
            _("The process that applies the recipe ended with code %(code)s: %(why)s")
            % {"code": process.returncode, "why": _last_line(folder_of(curation=curation) / _LOG)}
        )


def _wait(process: "subprocess.Popen[bytes]", curation: Curation, work: Path, clock: Clock) -> None:
    shown_at = 0.0
    while process.poll() is None:
        if time.monotonic() - shown_at >= LOOK_EVERY_S:
            curation.beat(now=clock(), n_read=child.n_read(work))
            shown_at = time.monotonic()
        time.sleep(LOOK_EVERY_S / 20)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "–"


def _freeze(curation: Curation, work: Path, clock: Clock) -> None:
    curated = Curated(curation.account, work / cleaning.LEDGER)

    def freeze(folder: Path) -> FrozenFolder:
        if curation.kind == Snapshot.Kind.TEXT:
            return _freeze_text(curation, work, curated, folder, clock)
        return snapshots_freeze.freeze(
            kind=curation.kind,
            filters=Filters.from_json(curation.filters),
            folder=folder,
            curation=rows.curated_rows(work, curated),
        )

    def finish(snapshot: Snapshot) -> None:
        curation.end(Curation.State.DONE, now=clock(), snapshot=snapshot)

    services.create_frozen(
        kind=curation.kind,
        name=curation.name,
        filters=curation.filters,
        freeze=freeze,
        by=curation.created_by,
        now=clock(),
        finish=finish,
    )


def _freeze_text(
    curation: Curation, work: Path, curated: Curated, folder: Path, clock: Clock
) -> FrozenFolder:
    kept = _beating(cleaning.kept(work), curation, clock)
    return texts.freeze(
        (pretraining_documents.Document(document.text, document.source) for _id, document in kept),
        folder=folder,
        licence=curation.filters["licence"],
        min_characters=curation.filters["min_characters"],
        curation=curated,
    )


def _beating(things: Iterable[T], curation: Curation, clock: Clock) -> Iterator[T]:
    for place, thing in enumerate(things):
        if place % BEAT_EVERY == 0:
            curation.beat(now=clock())
        yield thing
