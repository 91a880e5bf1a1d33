"""Migrates, and says that models have changed only if their tables have."""

from django.core.management.commands import migrate

from accounts.management.commands import makemigrations


class Command(migrate.Command):
    autodetector = makemigrations.Autodetector
