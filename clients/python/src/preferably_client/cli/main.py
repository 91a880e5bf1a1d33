"""Arguments, exit codes and messages of the command."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import get_args

import httpx2

from preferably_client.cli import commands
from preferably_client.cli.credentials import NotConfigured, site_of, token_of
from preferably_client.cli.output import Output
from preferably_client.problem import MissingExtra, Problem
from preferably_client.rows import NewExportShapeEnum
from preferably_client.site import Preferably

COMMANDS = "preferably.commands"
"""The group of entry points in which the site and its client list their commands. Both packages
install `preferably`, and either one runs the commands of both.
"""
DONE, FAILED, MISUSED, REFUSED, UNREACHABLE = 0, 1, 2, 3, 4
CODES = """exit codes:
  0  done
  1  the run or the import ended, but not well
  2  wrong arguments, or no site, token or file
  3  the site refused the call
  4  no connection to the site
"""


def main(
    arguments: Sequence[str] | None = None, *, connect: Callable[..., Preferably] = Preferably
) -> int:
    """Runs one command and returns its exit code. `connect` makes the client."""
    if arguments is None:
        for of_site in entry_points(group=COMMANDS, name="".join(sys.argv[1:2])):
            if not of_site.module.startswith("preferably_client"):
                of_site.load()()
                return DONE
    given = parser().parse_args(arguments)
    out = Output(is_json=given.json)
    try:
        site = connect(
            site_of(given.site, os.environ),
            token=token_of(given.token_file, os.environ),
            verify=given.certificate or True,
            progress=sys.stderr.isatty() and find_spec("tqdm") is not None,
        )
        with site:
            return DONE if given.command(site, given, out) else FAILED
    except (NotConfigured, MissingExtra, OSError) as error:
        return out.error(str(error), code=MISUSED)
    except Problem as problem:
        return out.error(str(problem), code=REFUSED)
    except httpx2.TransportError as error:
        return out.error(f"No connection to the site: {error}", code=UNREACHABLE)
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="preferably",
        description="A Preferably site from the command line.",
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--site", help="its address; default: PREFERABLY_SITE")
    found.add_argument(
        "--token-file",
        help="default: PREFERABLY_TOKEN, PREFERABLY_TOKEN_FILE, then ~/.config/preferably/token",
    )
    found.add_argument("--certificate", help="trust the certificates in this file and no others")
    found.add_argument("--json", action="store_true", help="print one JSON object per line")
    kinds = found.add_subparsers(required=True, metavar="COMMAND")
    _add_import(kinds.add_parser("import", help="import a file and follow it to its end"))
    _add_export(
        kinds.add_parser(
            "export", help="write judgments to a file, as they are or in a shape for training"
        )
    )
    _add_runs(kinds.add_parser("runs", help="list runs"))
    _add_watch(kinds.add_parser("watch", help="follow a run to its end"))
    return found


def _add_import(found: argparse.ArgumentParser) -> None:
    found.add_argument("file")
    found.add_argument("--source", required=True, help="a name for the origin of the data")
    found.add_argument("--licence", required=True, help="SPDX, such as CC-BY-4.0")
    found.add_argument("--format", help="what to read it as; found by looking unless given")
    found.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=HEADING",
        help="the heading in the file of a name that is read, such as prompt=Question",
    )
    found.add_argument(
        "--with-judgments", action="store_true", help="import demonstrations and rankings too"
    )
    found.add_argument(
        "--stores-responses",
        action="store_true",
        help="store answers beside columns that may say whether they are good as responses",
    )
    found.add_argument("--campaign", help="put the answers of its raters into one of this name")
    found.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="HEADING=ROLE",
        help="what a column of a table of answers is; found by looking unless given",
    )
    found.add_argument(
        "--legend",
        action="append",
        default=[],
        metavar="VALUE=MEANING",
        help="what a value in a column of winners says: first, second, tie, all_bad or skip",
    )
    found.add_argument("--texts", help="a file with the texts of the items, by their ids")
    found.add_argument("--strict", action="store_true", help="publish nothing if a line is wrong")
    found.add_argument("--every", type=float, default=1.0, help="seconds between looks")
    found.set_defaults(command=commands.import_file)


def _add_export(found: argparse.ArgumentParser) -> None:
    found.add_argument("--campaign", type=int, help="default: all campaigns")
    found.add_argument(
        "--to",
        default="-",
        help="a .jsonl or .parquet file, or with --shape a .zip; default: print",
    )
    found.add_argument("--shape", choices=get_args(NewExportShapeEnum), help="for training")
    found.add_argument(
        "--format", choices=("jsonl", "parquet"), default="jsonl", help="inside the .zip"
    )
    found.add_argument(
        "--licence", action="append", help="with --shape: only texts under this licence; repeat it"
    )
    found.add_argument("--cursor", type=int, default=0, help="without --shape: after this id")
    found.add_argument("--includes-imports", action="store_true", help="imported ones too")
    found.add_argument("--every", type=float, default=1.0, help="seconds between looks")
    found.set_defaults(command=commands.export)


def _add_runs(found: argparse.ArgumentParser) -> None:
    found.add_argument("--kind")
    found.add_argument("--state", help="a state or an outcome")
    found.add_argument("--limit", type=int, default=20, help="how many, newest first")
    found.set_defaults(command=commands.list_runs)


def _add_watch(found: argparse.ArgumentParser) -> None:
    found.add_argument("run", type=int)
    found.add_argument("--every", type=float, default=2.0, help="seconds between looks")
    found.set_defaults(command=commands.watch_run)


if __name__ == "__main__":
    sys.exit(main())
