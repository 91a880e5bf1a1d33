"""Brings in a file of prompts from the command line and prints its report."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from labeling.data.imports import services as imports_services
from labeling.data.imports.services import UnableToImport
from labeling.importers import drafts, formats
from labeling.models import Import


class Command(BaseCommand):
    help = "Import prompts, and the responses and judgments that come with them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format", choices=formats.FORMATS, help="default: found by looking at the file"
        )
        parser.add_argument("--source", required=True, help="name of the data's source")
        parser.add_argument(
            "--licence", required=True, help="an SPDX identifier such as Apache-2.0"
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
        run(
            self,
            path=options["file"].resolve(),
            file_name=options["file"].name,
            file_format=options["format"],
            source_name=options["source"],
            licence=options["licence"],
            is_strict=options["strict"],
            with_judgments=options["with_judgments"],
            stores_responses=options["stores_responses"],
        )


def run(command: BaseCommand, **wanted: Any) -> None:
    """Start an import, run it here and print the result; CommandError unless it was
    published.
    """
    try:
        queued = imports_services.start_import(**wanted, is_rung=False, by=None, now=timezone.now())
    except UnableToImport as error:
        raise CommandError(error.sentence) from error
    batch = imports_services.IMPORTS.run(queued.pk, clock=timezone.now)
    if batch is None:
        raise CommandError(
            f"Import {queued.pk} waits until another import has ended. A worker will run it then."
        )
    for problem in batch.problems:
        command.stderr.write(str(drafts.ImportProblem(problem["line"], problem["sentence"])))
    if unlisted := batch.counts.get("problems", 0) - len(batch.problems):
        command.stderr.write(f"… and {unlisted} problems more.")
    counted = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in batch.counts.items())
    command.stdout.write(
        f"Import {batch.pk} of {batch.file_name} ({batch.format}): {batch.get_state_display()}."
        f" {counted}."
    )
    if batch.state != Import.State.PUBLISHED:
        raise CommandError(
            batch.error or "Problems were found and --strict was given, so nothing was published."
        )
