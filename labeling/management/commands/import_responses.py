"""Brings in responses that models wrote elsewhere, with the prompts they answer, from the command
line.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from labeling.importers import formats
from labeling.management.commands.import_prompts import run


class Command(BaseCommand):
    help = (
        "Import responses: a prompt a line with `responses`, each a text or {text, model, sampling,"
        " is_ended}. A prompt that is there already is not made twice. Each model named becomes a"
        " source that campaigns can compare."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format", choices=formats.FORMATS, help="default: found by looking at the file"
        )
        parser.add_argument("--source", required=True, help="name of the responses' source")
        parser.add_argument(
            "--licence",
            required=True,
            help="licence of the responses, such as CC-BY-4.0",
        )
        parser.add_argument(
            "--strict", action="store_true", help="publish nothing if any line has a problem"
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
            with_judgments=False,
        )
