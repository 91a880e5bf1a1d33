"""Brings in a dataset by its name on a hub, from the command line, and prints the report."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labeling.data.hub import jobs
from labeling.importers import formats
from labeling.management.commands.import_prompts import run


class Command(BaseCommand):
    help = "Import a dataset from a hub, or from the local cache if the hub does not answer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("repository", help="owner/name")
        parser.add_argument("--config", default="", help="default: the usual one")
        parser.add_argument("--split", default="", help="default: all")
        parser.add_argument("--revision", default="", help="branch, tag or commit")
        parser.add_argument("--source", default="", help="default: the repository")
        parser.add_argument("--licence", default="", help="default: that of the dataset's card")
        parser.add_argument(
            "--format", choices=formats.FORMATS, help="default: found by looking at the file"
        )
        parser.add_argument(
            "--strict", action="store_true", help="publish nothing if any line has a problem"
        )
        parser.add_argument(
            "--with-judgments",
            action="store_true",
            help="import human replies as demonstrations and rankings as comparisons",
        )
        parser.add_argument(
            "--stores-responses",
            action="store_true",
            help="store answers beside columns that may say whether they are good as responses",
        )

    def handle(self, *args: object, **options: Any) -> None:
        try:
            queued = jobs.request_download(
                **{name: options[name] for name in ("repository", "config", "split", "revision")},
                is_rung=False,
                by=None,
                now=timezone.now(),
            )
        except jobs.UnableToDownload as refusal:
            raise CommandError(refusal.sentence) from refusal
        download = jobs.DOWNLOADS.run(queued.pk, clock=timezone.now)
        if download is None:
            raise CommandError(f"Another worker has taken download {queued.pk}.")
        if download.error:
            raise CommandError(download.error)
        run(
            self,
            path=settings.UPLOADS_DIR / "imports" / download.file_name,
            file_name=jobs.shown_name(download),
            file_format=options["format"],
            source_name=options["source"] or download.repository,
            licence=options["licence"] or download.licence,
            is_strict=options["strict"],
            with_judgments=options["with_judgments"],
            stores_responses=options["stores_responses"],
        )
