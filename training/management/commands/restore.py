"""Restores a backup into this site."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from training.storage.backups import services
from training.storage.backups.refusals import UnableToBackUp, UnableToRestore


class Command(BaseCommand):
    help = (
        "Restores a backup: its database, artifacts and files. The site must be empty, and none of"
        " its processes may run."
    )
    # The database may be of another version, or have no tables yet.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "place", nargs="?", default="", help="folder or URL; default: PREFERABLY_BACKUP_URL"
        )
        parser.add_argument(
            "--name", default="", help="which backup, from `backup --list`; default: the newest"
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="restore over a site: replace its tables, and move its folders aside",
        )

    def handle(self, *, place: str, name: str, force: bool, **options: object) -> None:
        place = place or settings.BACKUP_URL
        if not place:
            raise CommandError("Name a folder or URL, or set PREFERABLY_BACKUP_URL.")
        try:
            done = services.restore(
                place=place,
                name=name,
                is_forced=force,
                now=timezone.now(),
            )
        except (UnableToBackUp, UnableToRestore) as problem:
            raise CommandError(problem.sentence) from problem
        for folder in done.moved:
            self.stderr.write(f"What was there before is in {folder}. Delete it when all is well.")
        for sentence in done.manifest.missing:
            self.stderr.write(self.style.WARNING(sentence))
        self.stdout.write(
            f"{done.manifest.name} is restored: {done.manifest.n_rows} rows and"
            f" {len(done.manifest.files)} files. Run `preferably manage migrate`, then start the"
            " site with an empty Redis."
        )
