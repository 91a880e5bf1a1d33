"""PostgreSQL's own programs pg_dump, pg_restore and psql: which one to use, and how to call it."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _
from psycopg import conninfo, pq

DEBIAN = Path("/usr/lib/postgresql")
"""Debian and Ubuntu keep the programs of each version in a folder of its own."""
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


class ToolMissing(Exception):
    """No program of this name is new enough; the text says what to install."""


class ToolFailed(Exception):
    """The text is the end of what the program said."""


def find(name: str) -> str:
    """The path of a program that is as new as the server. Raises ToolMissing."""
    wanted = server_version()
    programs = {path: version for path in _candidates(name) if (version := _version(path))}
    for path, version in programs.items():
        if version >= wanted:
            return path
    sentence = _(
        "PostgreSQL's programs are needed: install the package postgresql-client-%(wanted)s, or"
        " put %(name)s of version %(wanted)s or newer on PATH."
    ) % {"name": name, "wanted": wanted}
    if programs:
        newest = max(programs.values())
        sentence += " " + _("The newest one here is of version %(newest)s.") % {"newest": newest}
    raise ToolMissing(sentence)


def server_version() -> int:
    """The first number: 18 for 18.1."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        return int(cursor.fetchone()[0])


def run(program: str, arguments: Sequence[str], *, password: str = "") -> None:
    """Raises ToolFailed. The password is in its environment, where other users of the machine do
    not see it.
    """
    done = subprocess.run(  # noqa: S603  # a program of PostgreSQL's, found above
        [program, *arguments],
        env=os.environ | {"PGPASSWORD": password},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise ToolFailed(done.stderr.strip()[-1000:])


def run_on_database(program: str, arguments: Sequence[str]) -> None:
    """Runs it on the site's database. Raises ToolFailed."""
    parameters = connection.get_connection_params()
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - {"password"}
    address = conninfo.make_conninfo(
        "", **{name: parameters[name] for name in known & set(parameters) if name != "options"}
    )
    run(
        program, [*arguments, f"--dbname={address}"], password=str(parameters.get("password") or "")
    )


def _candidates(name: str) -> list[str]:
    on_path = shutil.which(name)
    folders = DEBIAN.glob("*/bin") if DEBIAN.is_dir() else []
    newest_first = sorted(folders, key=lambda folder: _number(folder.parent.name), reverse=True)
    installed = [str(folder / name) for folder in newest_first if (folder / name).exists()]
    return [*([on_path] if on_path else []), *installed]


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0


def _version(program: str) -> int:
    """0 if it does not say."""
    answered = subprocess.run([program, "--version"], capture_output=True, text=True)  # noqa: S603
    match = _VERSION.search(answered.stdout)
    return int(match[1]) if match else 0
