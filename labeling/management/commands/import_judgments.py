"""Brings in the answers of several raters from the command line."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.importers.annotations import legends, roles
from labeling.management.commands.import_prompts import run


class Command(BaseCommand):
    help = (
        "Import rankings, votes, ratings, flags or texts by several raters into a campaign of their"
        " own. Columns are found by their names; --column and --legend say what is not clear."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--pairs", type=Path, help="a second file with the texts of the items, by their id"
        )
        parser.add_argument("--source", required=True, help="name of the data's source")
        parser.add_argument("--licence", required=True, help="an SPDX identifier such as CC-BY-4.0")
        parser.add_argument(
            "--campaign", help="name of the campaign to create; default: that of the source"
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="HEADING=ROLE",
            help="what a column is; all others are then not imported. Roles: "
            + ", ".join(roles.ROLES),
        )
        parser.add_argument(
            "--legend",
            action="append",
            default=[],
            metavar="VALUE=MEANING",
            help=f"what a value of the winner means: {', '.join(legends.MEANINGS)}",
        )
        parser.add_argument(
            "--strict", action="store_true", help="publish nothing if any line has a problem"
        )

    def handle(self, *args: object, **options: Any) -> None:
        pairs: Path | None = options["pairs"]
        run(
            self,
            path=options["file"].resolve(),
            pairs_path=Path(pairs).resolve() if pairs else None,
            file_name=options["file"].name,
            file_format=None,
            source_name=options["source"],
            licence=options["licence"],
            campaign=options["campaign"] or options["source"],
            roles=_mapping(options["column"], "--column", roles.ROLES),
            legend=_mapping(options["legend"], "--legend", legends.MEANINGS),
            is_strict=options["strict"],
        )


def _mapping(options: Sequence[str], option: str, known: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for text in options:
        name, sign, value = text.rpartition("=")
        if not sign or value not in known:
            raise CommandError(
                f"{option} {text}: write NAME=VALUE, where VALUE is one of {', '.join(known)}."
            )
        mapping[name] = value
    return mapping
