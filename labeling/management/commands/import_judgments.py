"""Brings in votes between two responses, each by a known worker, from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from labeling.management.commands.import_prompts import run


class Command(BaseCommand):
    help = (
        "Import votes (id, worker, winner) on pairs of responses (id, text, model_x, result_x,"
        " model_y, result_y)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--pairs", type=Path, required=True)
        parser.add_argument("--source", required=True, help="name of the data's source")
        parser.add_argument("--licence", required=True, help="an SPDX identifier such as CC-BY-4.0")
        parser.add_argument(
            "--strict", action="store_true", help="publish nothing if any line has a problem"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run(
            self,
            path=options["file"].resolve(),
            pairs_path=options["pairs"].resolve(),
            file_name=options["file"].name,
            file_format="votes",
            source_name=options["source"],
            licence=options["licence"],
            is_strict=options["strict"],
            with_judgments=True,
        )
