"""Migrates, and says that models have changed only if their tables have. Refuses a database between
two releases: a release's migrations are one for each app, and replace those it was developed with.
"""

import gc

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.management.commands import makemigrations


class Command(migrate.Command):
    autodetector = makemigrations.Autodetector

    def handle(self, *args: object, database: str, **options: object) -> None:
        gc.set_threshold(*settings.GARBAGE_PACE)
        refuse_between_releases(connections[database])
        super().handle(*args, database=database, **options)


def refuse_between_releases(connection: BaseDatabaseWrapper) -> None:
    """Django would leave out a migration that replaces some that are applied and some that are not,
    if they are gone, and say nothing. Raises CommandError.
    """
    applied = MigrationRecorder(connection).applied_migrations().keys()
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for (app, name), migration in loader.replacements.items():
        missing = [key for key in migration.replaces if key not in applied]
        is_partly_applied = 0 < len(missing) < len(migration.replaces)
        if is_partly_applied and not loader.disk_migrations.keys() >= set(missing):
            raise CommandError(
                f"This database is between two releases: {app}.{missing[0][1]} is not applied, and"
                f" {app}.{name} has replaced it. First run `migrate` of a version that still has"
                f" {app}.{missing[-1][1]}."
            )
