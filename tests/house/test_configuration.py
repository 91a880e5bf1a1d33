"""docs/configuration.md lists every environment variable that the code reads, and no other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

SECRET = "0123456789" * 5
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()


def test_the_page_has_the_knobs_of_the_settings_with_their_defaults() -> None:
    table = subprocess.run(
        [sys.executable, "scripts/configuration_table.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert table.stdout in PAGE, "Run: .venv/bin/python scripts/configuration_table.py --write"


def test_the_page_has_every_variable_that_a_script_reads() -> None:
    read = re.compile(r"""environ(?:\.get\(|\[)["']([A-Z_]+)["']""")
    scripts = [script.read_text() for script in (ROOT / "scripts").glob("*.py")]
    names = {name for script in scripts for name in read.findall(script)} - {
        "PATH",
        "PYTEST_XDIST_WORKER",
    }

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_the_site_reads_the_environment_in_one_place_only() -> None:
    """The trainer is a separate program: its child process gets its settings in a file, and sets
    its own variables.
    """
    rooms = [ROOT / room for room in ("accounts", "config", "jobs", "labeling", "training")]
    modules = [path for room in rooms for path in room.rglob("*.py") if "trainer" not in path.parts]
    readers = {
        str(path.relative_to(ROOT))
        for path in modules
        if re.search(r"environ\.get\(|getenv\(|environ\[", path.read_text())
    }

    assert readers == {"config/env.py"}


def test_production_without_a_secret_key_does_not_start() -> None:
    started = start(PREFERABLY_MODE="production")

    assert started.returncode != 0
    assert "PREFERABLY_SECRET_KEY is not set. Fifty random characters" in started.stderr


@pytest.mark.parametrize("key", ["", "x", "changeme", "x" * 50, "secret" * 3])
def test_production_with_a_weak_secret_key_does_not_start(key: str) -> None:
    started = start(PREFERABLY_MODE="production", PREFERABLY_SECRET_KEY=key)

    assert started.returncode != 0
    assert "PREFERABLY_SECRET_KEY is too short or too uniform" in started.stderr
    assert not key or repr(key) not in started.stderr


def test_the_site_passes_its_own_checks() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.slow
def test_production_without_a_mail_server_is_told_where_mail_goes() -> None:
    mail = ("manage.py", "check", "--tag", "mail")  # the other checks take seconds
    production = {"PREFERABLY_MODE": "production", "PREFERABLY_SECRET_KEY": SECRET}

    without = python(*mail, **production)
    with_one = python(*mail, **production, EMAIL_URL="smtp+tls://a:b@mail.example.org:587")
    demo = python(*mail, PREFERABLY_MODE="demo")

    assert (without.returncode, with_one.returncode, demo.returncode) == (0, 0, 0)
    assert "Mail goes to the log" in without.stderr
    assert "EMAIL_URL" in without.stderr
    assert "Mail goes" not in with_one.stderr + demo.stderr


def test_production_with_debug_pages_does_not_start() -> None:
    started = start(
        PREFERABLY_MODE="production", PREFERABLY_SECRET_KEY=SECRET, PREFERABLY_DEBUG="1"
    )

    assert started.returncode != 0
    assert "PREFERABLY_DEBUG=1 shows secrets to visitors" in started.stderr


def test_a_number_that_is_none_is_named_with_its_variable() -> None:
    started = start(PREFERABLY_MODE="demo", PREFERABLY_RUN_HEARTBEAT_S="soon")

    assert started.returncode != 0
    assert "PREFERABLY_RUN_HEARTBEAT_S='soon' is not a whole number." in started.stderr


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return python("-c", "import config.settings", **environment)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
