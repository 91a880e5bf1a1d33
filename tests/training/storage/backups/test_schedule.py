"""Backups by schedule, failures, and PostgreSQL's programs."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import Backup, Notice, User
from tests.cast import NOON
from tests.training.storage.backups import sites
from training.storage.backups import services, tools, writing
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToBackUp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("programs")]


def back_up(place: Path) -> Backup:
    return services.back_up(place=str(place), clock=lambda: NOON)


@pytest.fixture
def scheduled(folders: sites.Folders, place: Path, settings: LazySettings) -> None:
    settings.BACKUP_URL, settings.BACKUP_EVERY_HOURS, settings.BACKUP_KEEP = str(place), 24, 2


def when_due(now: datetime) -> int:
    services.back_up_when_due(clock=lambda: now)
    return Backup.objects.count()


def test_a_backup_is_made_when_the_last_one_is_old_enough(scheduled: None) -> None:
    assert when_due(NOON) == 1
    assert when_due(NOON + timedelta(hours=23)) == 1
    assert when_due(NOON + timedelta(hours=24)) == 2


def test_without_a_place_none_is_made(scheduled: None, settings: LazySettings) -> None:
    settings.BACKUP_URL = ""

    assert when_due(NOON) == 0


def test_a_failure_is_recorded_and_tried_again_an_hour_later(
    scheduled: None, place: Path, alice: User, noor: User
) -> None:
    place.write_text("in the way")

    assert when_due(NOON) == 1
    assert when_due(NOON + timedelta(minutes=59)) == 1
    assert when_due(NOON + timedelta(minutes=61)) == 2
    place.unlink()
    assert when_due(NOON + timedelta(minutes=130)) == 3

    failed, again, made = Backup.objects.order_by("pk")
    assert str(place) in failed.problem
    assert failed.problem == again.problem
    assert made.problem == ""
    (notice,) = Notice.objects.all()  # one for both failures, and only for the admin
    assert notice.person == alice
    assert notice.sentence.startswith("The site was not backed up: ")


def test_two_backups_at_once_are_refused(site: sites.Folders, place: Path) -> None:
    with services._alone(), pytest.raises(UnableToBackUp, match="Another backup"):
        back_up(place)


def test_a_backup_whose_files_another_machine_has_deleted_is_not_finished(
    site: sites.Folders, place: Path
) -> None:
    pool = Pool(str(place))
    manifest = pool.manifest(back_up(place).name)
    next((place / "files").rglob(manifest.files[0].sha256)).unlink()

    with pytest.raises(UnableToBackUp, match="were deleted from"):
        writing._make_sure_of(manifest, pool)


# --- PostgreSQL's programs ------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without PostgreSQL's programs: its PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(tools, "DEBIAN", tmp_path / "debian")
    return path


def program(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pg_dump"
    file.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
    file.chmod(0o755)
    return file


def test_without_pg_dump_the_sentence_says_what_to_install(bare: Path, place: Path) -> None:
    wanted = tools.server_version()

    with pytest.raises(UnableToBackUp, match=f"install the package postgresql-client-{wanted}"):
        back_up(place)


def test_a_pg_dump_that_is_older_than_the_server_is_not_used(bare: Path) -> None:
    program(bare, "9.6.1")

    with pytest.raises(tools.ToolMissing, match="The newest one here is of version 9"):
        tools.find("pg_dump")


def test_debians_folders_are_searched_for_one_that_is_new_enough(
    bare: Path, tmp_path: Path
) -> None:
    program(bare, "9.6.1")
    program(tmp_path / "debian" / "15" / "bin", "15.4")
    new = program(tmp_path / "debian" / "99" / "bin", "99.1")

    assert tools.find("pg_dump") == str(new)
