"""Backs up the database and every file that belongs to it."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.utils import OperationalError
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from training.storage.backups import services
from training.storage.backups.pool import Pool
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore


class Command(BaseCommand):
    help = (
        "Backs up the database, the artifacts, uploads, exports, snapshots and registered models to"
        " a folder or URL, while people work. Sends only what is new there, and reads it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place", nargs="?", default="", help="folder or URL; default: PREFERABLY_BACKUP_URL"
        )
        parser.add_argument(
            "--keep", type=int, default=0, help="delete all but this many of the newest backups"
        )
        parser.add_argument("--list", action="store_true", help="list the backups, newest first")
        parser.add_argument(
            "--check", action="store_true", help="read the newest backup and verify every file"
        )

    def handle(self, *, place: str, keep: int, check: bool, **options: object) -> None:
        place = place or settings.BACKUP_URL
        if not place:
            raise CommandError("Name a folder or URL, or set PREFERABLY_BACKUP_URL.")
        try:
            if options["list"]:
                self.stdout.write("\n".join(Pool(place).names()) or "No complete backup.")
            elif check:
                self._check(place)
            else:
                self._back_up(place, keep)
        except (UnableToBackUp, UnableToRestore) as problem:
            raise CommandError(problem.sentence) from problem
        except OperationalError as problem:
            raise CommandError(
                f"The database does not answer, so nothing was backed up: {problem}"
            ) from None

    def _back_up(self, place: str, keep: int) -> None:
        made = services.back_up(place=place, keep=keep, clock=timezone.now)
        for sentence in made.missing:
            self.stderr.write(self.style.WARNING(sentence))
        self.stdout.write(
            f"{made.name}: {made.n_rows} rows and {made.n_files} files"
            f" ({filesizeformat(made.n_bytes)}, {filesizeformat(made.n_new_bytes)} new)."
        )

    def _check(self, place: str) -> None:
        manifest, damaged = services.check(place=place)
        if damaged:
            raise CommandError(
                f"{manifest.name}: {len(damaged)} files are missing or damaged:\n"
                + "\n".join(damaged)
            )
        self.stdout.write(f"{manifest.name}: all {len(manifest.files) + 1} files are whole.")
