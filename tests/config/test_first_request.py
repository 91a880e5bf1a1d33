"""A new web process serves its first page as fast as the next ones: everything is loaded before it
accepts requests. Otherwise each restart would make people wait.
"""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import services
from django.db import connection

from accounts.models import User
from tests.cast import cookies_of

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "preferably-web@.service"
MOST_BYTES = 200_000  # for the connection to the database
pytestmark = pytest.mark.slow


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """A site that the command of its unit has started, with one worker of one thread."""
    port = services.free_port()
    (command,) = re.findall(r"^ExecStart=\S+/bin/(.*)$", UNIT.read_text(), re.MULTILINE)
    command = command.replace("%i", str(port)) + " --workers 1 --threads 1 --log-level error"
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    database = f"{server}/{connection.settings_dict['NAME']}"
    with subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database},
        preexec_fn=services.die_with_parent,
    ) as site:
        services.wait(lambda: services.listens(port), site)
        yield port
        site.terminate()


def bytes_read() -> int:
    """What the workers have read from files: the children of gunicorn, which is a child of this."""
    n = 0
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and parent(parent(int(process.name))) == os.getpid():
            (line,) = re.findall(r"^rchar: (\d+)$", (process / "io").read_text(), re.MULTILINE)
            n += int(line)
    return n


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's /proc")
def test_the_first_request_loads_next_to_nothing(alice: User, port: int) -> None:
    """Bytes, not seconds: they are the same on a busy machine. Without loading everything before,
    the first request reads 24 MB of modules and templates, and takes a hundred times as long.
    """
    cookies = cookies_of(alice).output(header="", sep=";")
    reads = []
    for _time in range(3):
        page = urllib.request.Request(
            f"http://127.0.0.1:{port}/campaigns/", headers={"Cookie": cookies.strip()}
        )
        before = bytes_read()
        with urllib.request.urlopen(page, timeout=60) as answer:  # noqa: S310
            assert "Campaigns" in answer.read().decode()
        reads.append(bytes_read() - before)

    first, *others = reads
    assert first <= MOST_BYTES, f"{reads} bytes"
    assert others == [0, 0]
