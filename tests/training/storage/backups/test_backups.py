"""A backup restores everything, and says what it cannot do."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import fsspec
import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from accounts.models import Backup, User
from config.monitoring import release
from labeling.data.imports import services as imports_services
from labeling.models import Import
from tests.cast import NOON
from tests.training.storage.backups import sites
from training.models import Run, Snapshot, TrainedModel
from training.registry.archive import export
from training.runs import lost_runs
from training.snapshots import freeze
from training.storage import selectors as storage_selectors
from training.storage import store
from training.storage.backups import database, services
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("programs"),
]


def back_up(place: Path, *, keep: int = 0, now: datetime = NOON) -> Backup:
    return services.back_up(place=str(place), keep=keep, clock=lambda: now)


def restore(place: Path, *, name: str = "", is_forced: bool = False) -> services.Restored:
    return services.restore(place=str(place), name=name, is_forced=is_forced, now=NOON)


def move_away(folders: sites.Folders, tmp_path: Path, settings: LazySettings) -> sites.Folders:
    """The site's machine is gone; the new one has other folders. Returns these."""
    folders.home.rename(tmp_path / "gone")
    if (tmp_path / "artifacts").exists():
        (tmp_path / "artifacts").rename(tmp_path / "gone-artifacts")
    new = folders.artifacts.replace(str(tmp_path), f"{tmp_path}/new")
    return sites.use(settings, sites.Folders(tmp_path / "new" / "home", new))


@pytest.mark.parametrize("store_kind", ["home", "folder", "url"])
def test_a_backup_restores_every_row_and_file_into_an_empty_site(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    back_up(place)
    rows = sites.rows()
    new = move_away(site, tmp_path, settings)

    with sites.in_empty_database():
        restore(place)
        restored = sites.rows()
        seen = what_works()

    rows.pop("accounts_backup")  # this backup was recorded after it was finished
    assert {name: list_ for name, list_ in restored.items() if name != "accounts_backup"} == (
        as_in_new_store(rows, site.artifacts, new.artifacts)
    )
    # Runs' folders stay on their machine. The import and the models were read in the new site.
    for name in ("snapshots", "uploads", "exports", "models"):
        assert sites.files(new.home / name) == sites.files(tmp_path / "gone" / name)
    assert seen == WORKS


def as_in_new_store(rows: dict[str, list[str]], old: str, new: str) -> dict[str, list[str]]:
    """Rows with the URL of a store get its new one."""
    if not store.is_url(old):
        return rows
    moved = rows["training_trainedmodel"]
    return rows | {"training_trainedmodel": sorted(row.replace(old, new) for row in moved)}


@pytest.mark.slow
@pytest.mark.parametrize("store_kind", ["bucket"])
def test_a_backup_in_a_bucket_restores_the_artifacts_of_a_bucket(
    site: sites.Folders, s3: str, tmp_path: Path, settings: LazySettings
) -> None:
    place = f"{s3}/{tmp_path.name}-backups"
    services.back_up(place=place, clock=lambda: NOON)
    services.back_up(place=place, keep=1, clock=lambda: NOON + timedelta(days=1))
    assert len(Pool(place).names()) == 1
    assert services.check(place=place)[1] == []
    new = sites.Folders(tmp_path / "new", f"{site.artifacts}-new")
    sites.use(settings, new)

    with sites.in_empty_database():
        services.restore(place=place, now=NOON)
        seen = what_works()

    assert seen == WORKS
    bucket = fsspec.filesystem("s3")
    old, moved = (
        {key.removeprefix(folder): bucket.cat(key) for key in bucket.find(folder)}
        for folder in (name.removeprefix("s3://") for name in (site.artifacts, new.artifacts))
    )
    assert len(old) > 5
    assert {key.removeprefix("-new"): content for key, content in moved.items()} == old


WORKS = {
    "snapshot is whole": True,
    "run": ("queued", 1),
    "import": ("published", 1),
    "weights": [True, True],
    "held": [True, True],
    "unregistered": 0,
}


def what_works() -> dict[str, object]:
    """What a site does with what was restored."""
    snapshot = Snapshot.objects.get()
    lost_runs.reap_runs(now=timezone.now() + timedelta(days=1))
    going = Run.objects.get(name="going")
    batch = imports_services.IMPORTS.run(Import.objects.get().pk, clock=timezone.now)
    assert batch is not None
    models = list(TrainedModel.objects.order_by("pk"))
    held = {one.key: one for one in storage_selectors.overview().holdings}
    return {
        "snapshot is whole": freeze.is_intact(
            sites.snapshots_folder() / snapshot.folder, snapshot.fingerprint
        ),
        "run": (going.state, going.attempt),
        "import": (batch.state, batch.counts["prompts"]),
        "weights": [f"weights of {model.name}".encode() in archive(model) for model in models],
        "held": [held[f"model-{model.pk}"].total > 0 for model in models],
        "unregistered": sum(len(one.unregistered) for one in held.values()),
    }


def archive(model: TrainedModel) -> bytes:
    return b"".join(export.archive(model=model).chunks())


def test_the_manifest_counts_every_row_and_has_the_checksum_of_every_file(
    site: sites.Folders, place: Path
) -> None:
    made = back_up(place)

    manifest = json.loads((place / "backups" / f"{made.name}.json").read_text())
    counted = {name: len(rows) for name, rows in sites.rows().items()}
    assert manifest["rows"] == counted | {"accounts_backup": 0}
    assert manifest["version"] == release.running()
    by_path = {file["path"]: file["sha256"] for file in manifest["files"]}
    for path, digest in sites.files(site.home / "uploads").items():
        assert by_path[f"home/uploads/{path}"] == digest
    assert (made.n_rows, made.n_files) == (sum(manifest["rows"].values()), len(manifest["files"]))
    assert services.check(place=str(place))[1] == []


def test_what_is_written_while_the_database_is_copied_is_not_in_the_copy(
    site: sites.Folders, tmp_path: Path
) -> None:
    """The rows are counted, and files named, at the moment of the copy."""

    def written_meanwhile() -> int:
        with ThreadPoolExecutor(1) as other:
            other.submit(write_and_close).result()
        return User.objects.count()

    def write_and_close() -> None:
        User.objects.create_user(email="meanwhile@example.org", name="Meanwhile")
        connection.close()

    before = User.objects.count()
    copied = database.copy(tmp_path / "copy", look=written_meanwhile)

    assert (copied.seen, copied.rows["accounts_user"]) == (before, before)
    assert User.objects.count() == before + 1
    with sites.in_empty_database():
        database.restore(tmp_path / "copy")
        assert not User.objects.filter(name="Meanwhile").exists()


def test_a_copy_that_came_out_different_is_no_part_of_a_backup(place: Path) -> None:
    """Linux gives this file another content each time it is read."""
    changing = Path("/proc/sys/kernel/random/uuid")

    with pytest.raises(UnableToBackUp, match="came out different in the backup 5 times"):
        Pool(str(place)).add(changing, but_not=())

    assert [file for file in place.rglob("*") if file.is_file()] == []


def test_the_next_backup_sends_only_what_is_new(site: sites.Folders, place: Path) -> None:
    back_up(place)
    before = set(Pool(str(place)).contents())
    (site.home / "uploads" / "more").write_text("new")

    made = back_up(place, now=NOON + timedelta(days=1))

    new = set(Pool(str(place)).contents()) - before
    assert len(new) == 2  # the file and the database
    assert made.n_new_bytes == sum(Pool(str(place)).contents()[digest] for digest in new)


def test_a_file_that_is_as_it_was_is_not_read_again(site: sites.Folders, place: Path) -> None:
    """Size and time of change tell, or a backup of models would read all of them every day."""
    upload = site.home / "uploads" / "more"
    upload.write_text("old")
    first = back_up(place)
    about = upload.stat()
    upload.write_text("new")
    os.utime(upload, ns=(about.st_atime_ns, about.st_mtime_ns))

    unread = back_up(place, now=NOON + timedelta(days=1))
    os.utime(upload, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    read = back_up(place, now=NOON + timedelta(days=2))

    digests = [digest_in(place, made, "home/uploads/more") for made in (first, unread, read)]
    assert digests[0] == digests[1] != digests[2]


def digest_in(place: Path, made: Backup, path: str) -> str:
    files = Pool(str(place)).manifest(made.name).files
    return next(file.sha256 for file in files if file.path == path)


def test_a_damaged_manifest_is_refused_and_does_not_stop_the_next_backup(
    site: sites.Folders, place: Path
) -> None:
    first = back_up(place)
    (place / "backups" / f"{first.name}.json").write_text("{")

    with pytest.raises(UnableToRestore, match="is damaged, or a later version"):
        restore(place, is_forced=True)
    made = back_up(place, now=NOON + timedelta(days=1))

    assert Pool(str(place)).names() == [made.name, first.name]


def test_a_table_with_too_few_rows_is_noticed(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    made = back_up(place)
    file = place / "backups" / f"{made.name}.json"
    manifest = json.loads(file.read_text())
    manifest["rows"]["labeling_judgment"] += 1
    file.write_text(json.dumps(manifest))
    move_away(site, tmp_path, settings)

    with (
        sites.in_empty_database(),
        pytest.raises(UnableToRestore, match=r"Not every row .*: labeling_judgment \(1/2\)"),
    ):
        restore(place)


def test_a_backup_that_was_interrupted_is_none(site: sites.Folders, place: Path) -> None:
    """The disk fails when everything but the manifest is written."""
    place.mkdir()
    (place / "backups").write_text("in the way")
    with pytest.raises(UnableToBackUp):
        back_up(place)
    (place / "backups").unlink()

    with pytest.raises(UnableToRestore, match="There is no complete backup"):
        restore(place)
    made = back_up(place, now=NOON + timedelta(minutes=1))

    assert Pool(str(place)).names() == [made.name]
    assert made.n_new_bytes < made.n_bytes  # the files of the first attempt are used


def test_a_site_that_is_not_empty_is_not_restored_over(site: sites.Folders, place: Path) -> None:
    back_up(place)
    User.objects.filter(name="Noor").update(name="Later")

    with pytest.raises(UnableToRestore, match="The database has accounts"):
        restore(place)

    assert User.objects.filter(name="Later").exists()


def test_files_that_are_in_the_way_are_not_overwritten(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    back_up(place)
    new = move_away(site, tmp_path, settings)
    (new.home / "uploads" / "of-another-site").write_text("!")

    with (
        sites.in_empty_database(),
        pytest.raises(UnableToRestore, match="of-another-site is not of this backup"),
    ):
        restore(place)


def test_force_replaces_the_tables_and_moves_the_folders_aside(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    first = back_up(place)
    rows = sites.rows()
    second = back_up(place, now=NOON + timedelta(days=1))
    move_away(site, tmp_path, settings)
    with sites.in_empty_database():
        restore(place, name=second.name)
        later = tmp_path / "new" / "home" / "uploads" / "later"
        later.write_text("later")

        done = restore(place, name=first.name, is_forced=True)

        assert sites.rows() == rows | {"accounts_backup": []}
    assert not later.exists()
    assert tmp_path / "new" / "home" / "uploads.before-20260302T120000Z" in done.moved
    assert (later.parent.with_name("uploads.before-20260302T120000Z") / "later").exists()


def test_a_restore_by_force_that_fails_leaves_the_site_as_it_was(
    site: sites.Folders, place: Path
) -> None:
    """A view has the name of a table of the backup, so PostgreSQL refuses in the middle."""
    back_up(place)
    User.objects.filter(name="Noor").update(name="Later")
    (site.home / "uploads" / "later").write_text("later")
    files = sites.files(site.home)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_notice RENAME TO kept")
        cursor.execute("CREATE VIEW accounts_notice AS SELECT 1")
    rows = sites.rows()

    with pytest.raises(UnableToRestore, match='"accounts_notice" already exists'):
        restore(place, is_forced=True)

    assert sites.rows() == rows
    assert sites.files(site.home) == files
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW accounts_notice")
        cursor.execute("ALTER TABLE kept RENAME TO accounts_notice")


def test_a_restore_that_was_interrupted_can_be_run_again(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    """The copy of the database is damaged, so only the files were restored."""
    back_up(place)
    manifest = Pool(str(place)).manifest(Pool(str(place)).names()[0])
    stored = next((place / "files").rglob(manifest.database.sha256))
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1] + b"!")
    move_away(site, tmp_path, settings)
    with sites.in_empty_database():
        with pytest.raises(UnableToRestore, match="database is damaged in the backup"):
            restore(place)
        stored.write_bytes(whole)

        restore(place)

        assert Snapshot.objects.count() == 1


def test_damage_is_found_by_a_check_and_before_anything_is_restored(
    site: sites.Folders, place: Path
) -> None:
    back_up(place)
    (upload,) = [file for file in (site.home / "uploads").rglob("*") if file.is_file()]
    digest = sites.files(site.home)[upload.relative_to(site.home).as_posix()]
    stored = next((place / "files").rglob(digest))
    path = f"home/{upload.relative_to(site.home).as_posix()}"

    stored.write_bytes(b"x" * upload.stat().st_size)
    assert services.check(place=str(place))[1] == [path]

    stored.unlink()
    assert services.check(place=str(place))[1] == [path]
    with pytest.raises(UnableToRestore, match=f"lacks 1 files: {path}"):
        restore(place, is_forced=True)
    assert Snapshot.objects.count() == 1


def test_a_backup_of_a_later_version_says_which_one_it_needs(
    site: sites.Folders, place: Path
) -> None:
    made = back_up(place)
    file = place / "backups" / f"{made.name}.json"
    manifest = json.loads(file.read_text())
    manifest |= {"version": "9.1.0"}
    manifest["migrations"] += ["labeling.9999_later", "allauth.9999_merged_by_others"]
    file.write_text(json.dumps(manifest))

    with pytest.raises(UnableToRestore) as refused:
        restore(place, is_forced=True)

    assert refused.value.sentence == (
        f"Version 9.1.0 made this backup, and this is version {release.running()}. It needs a"
        " version with the migration labeling.9999_later."
    )


def test_a_backup_of_another_kind_of_store_is_not_restored(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    back_up(place)
    settings.ARTIFACT_STORE = f"file://{tmp_path}/artifacts"

    with pytest.raises(UnableToRestore, match="Set it to a folder"):
        restore(place, is_forced=True)


def test_a_manifest_cannot_make_files_elsewhere(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    made = back_up(place)
    file = place / "backups" / f"{made.name}.json"
    manifest = json.loads(file.read_text())
    manifest["files"][0]["path"] = "home/uploads/../../../outside"
    file.write_text(json.dumps(manifest))
    move_away(site, tmp_path, settings)

    with sites.in_empty_database(), pytest.raises(UnableToRestore, match="damaged"):
        restore(place)

    assert not list(tmp_path.rglob("outside"))


def test_weights_that_nobody_has_are_named(site: sites.Folders, place: Path) -> None:
    shutil.rmtree(site.home / "models" / "base")

    made = back_up(place)

    assert made.missing == ["The weights of the model “base” are not there."]
    assert made.problem == ""


@pytest.mark.parametrize("store_kind", ["url"])
def test_checkpoints_of_runs_that_the_backup_does_not_know_are_discarded(
    site: sites.Folders, place: Path, tmp_path: Path, settings: LazySettings
) -> None:
    back_up(place)
    new = move_away(site, tmp_path, settings)
    known = Run.objects.get(name="going").pk
    (new.home / "weights").write_text("!")
    for run_id in (known, 999_999):
        folder = f"{new.artifacts}/checkpoints/run-{run_id}/step-1-1"
        store.put(new.home / "models", folder)

    with sites.in_empty_database():
        restore(place)

    left = store.list_folders(f"{new.artifacts}/checkpoints")
    assert [one.url.rpartition("/")[2] for one in left] == [f"run-{known}"]
