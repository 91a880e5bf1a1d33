"""Backing up and restoring: one at a time, each backup recorded, admins notified of failures."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Backup, Notice, User
from accounts.notices import services as notices_services
from training.storage import store
from training.storage.backups import restoring, selectors, writing
from training.storage.backups.manifest import Manifest
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore

LOCK = ".backup.lock"
TRY_AGAIN_AFTER = timedelta(hours=1)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    moved: list[Path]
    """Folders that were in the way, where they are now."""


def back_up(*, place: str, keep: int = 0, clock: Clock) -> Backup:
    """Writes a backup to a folder or URL, and removes all but the `keep` newest there (0: none).

    Raises UnableToBackUp; admins are notified of the first failure in a row.
    """
    with _alone():
        started_at = clock()
        try:
            pool = Pool(place)
            name = f"{started_at:%Y%m%dT%H%M%SZ}"
            written = writing.write(pool=pool, name=name, now=started_at)
            if keep:
                pool.remove_older(keep=keep, now=started_at)
        except UnableToBackUp as problem:
            _record_failure(place, problem.sentence, started_at, clock())
            raise
        except (store.StoreUnavailable, store.Missing, UnableToRestore, OSError) as problem:
            sentence = _("%(place)s or the artifact store does not work: %(why)s") % {
                "place": place,
                "why": problem,
            }
            _record_failure(place, sentence, started_at, clock())
            raise UnableToBackUp(sentence) from problem
        return Backup.objects.create(
            place=place,
            name=name,
            started_at=started_at,
            ended_at=clock(),
            n_files=len(written.manifest.files),
            n_rows=written.manifest.n_rows,
            n_bytes=written.manifest.n_bytes,
            n_new_bytes=written.n_new_bytes,
            missing=list(written.manifest.missing),
        )


def back_up_when_due(*, clock: Clock) -> None:
    """Does what PREFERABLY_BACKUP_URL, _EVERY and _KEEP say. A failure is recorded and tried again
    an hour later; a backup that somebody else makes at this moment is enough.
    """
    if not settings.BACKUP_URL or not selectors.is_due(now=clock(), again_after=TRY_AGAIN_AFTER):
        return
    try:
        back_up(place=settings.BACKUP_URL, keep=settings.BACKUP_KEEP, clock=clock)
    except UnableToBackUp:
        return


def check(*, place: str, name: str = "") -> tuple[Manifest, list[str]]:
    """Reads a whole backup, by default the newest. Returns the paths of what is missing or damaged.
    Raises UnableToRestore and UnableToBackUp.
    """
    pool = Pool(place)
    with _store_answers(place):
        manifest = _chosen(pool, name)
        return manifest, pool.damage(manifest)


def restore(*, place: str, name: str = "", is_forced: bool = False, now: datetime) -> Restored:
    """Restores a backup, by default the newest. Every other process of the site must be stopped.

    With `is_forced`, also over a site: its tables are replaced and its folders moved aside; if that
    fails, they are as before. Raises UnableToRestore.
    """
    pool = Pool(place)
    with _alone(), _store_answers(place):
        manifest = _chosen(pool, name)
        restoring.check(manifest, pool=pool)
        if not is_forced and (why := restoring.in_the_way(manifest)):
            raise UnableToRestore(
                _(
                    "This site is not empty: %(why)s With --force, its tables are replaced and its"
                    " folders moved aside."
                )
                % {"why": why}
            )
        moved = restoring.move_aside(now=now) if is_forced else {}
        restoring.restore(manifest, pool=pool, moved=moved)
    return Restored(manifest, [*moved.values()])


def _chosen(pool: Pool, name: str) -> Manifest:
    names = [name] if name else pool.names()
    if not names:
        raise UnableToRestore(
            _("There is no complete backup in %(place)s.") % {"place": pool.address}
        )
    return pool.manifest(names[0])


def _record_failure(place: str, sentence: str, started_at: datetime, now: datetime) -> None:
    last = selectors.last_success()
    with transaction.atomic():
        Backup.objects.create(place=place, started_at=started_at, ended_at=now, problem=sentence)
        notices_services.notify(
            people=User.objects.filter(is_admin=True, is_active=True),
            key=f"backup-failed-after-{last.pk if last else 0}",
            kind=Notice.Kind.FAILED,
            words=lambda: _("The site was not backed up: %(why)s") % {"why": sentence},
            path=reverse("operations"),
            now=now,
        )


@contextmanager
def _alone() -> Iterator[None]:
    """One backup or restore at a time on this PREFERABLY_HOME. The kernel releases the lock when
    its holder dies. Raises UnableToBackUp.
    """
    Path(settings.HOME).mkdir(parents=True, exist_ok=True)
    with (Path(settings.HOME) / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise UnableToBackUp(
                _("Another backup or restore of this site is running.")
            ) from problem
        yield


@contextmanager
def _store_answers(place: str) -> Iterator[None]:
    try:
        yield
    except (store.StoreUnavailable, OSError) as problem:
        raise UnableToRestore(
            _("%(place)s or the artifact store does not work: %(why)s")
            % {"place": place, "why": problem}
        ) from problem
