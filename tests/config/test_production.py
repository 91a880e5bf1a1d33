"""The site as production serves it: hashed files, and an import map that leads to them."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.test import Client
settings.STATIC_ROOT = sys.argv[1]
call_command("collectstatic", verbosity=0, interactive=False)
print(Client().get("/account/login/", secure=True, headers={"host": "localhost"}).text)
"""
PLAIN = """
import django
django.setup()
from django.conf import settings
from django.test import Client
def ask(path, **headers):
    response = Client().get(path, headers={"host": "localhost"} | headers)
    print(response.status_code, response.headers.get("Location", ""))
print(settings.ALLOWED_HOSTS)
ask("/account/logout/?a=1")
ask("/account/logout/", **{"X-Forwarded-Proto": "https"})
ask("/healthz")
"""


@pytest.mark.slow
def test_every_file_of_a_page_is_there_under_its_hashed_name(tmp_path: Path) -> None:
    environment = os.environ | {
        "PREFERABLY_MODE": "production",
        "PREFERABLY_SECRET_KEY": "0123456789" * 5,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

    shown = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 0, shown.stderr
    files = re.findall(r'"/static/([^"]+)"', shown.stdout)
    [mapped] = re.findall(r'<script type="importmap"[^>]*>(.*?)</script>', shown.stdout)
    imports = json.loads(mapped)["imports"]
    assert [file for file in files if not (tmp_path / file).is_file()] == []
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", file) for file in files)
    assert re.fullmatch(r"/static/js/typing\.[0-9a-f]{12}\.js", imports["js/typing"])


@pytest.mark.slow
def test_http_leads_to_https_and_no_host_of_tests_is_served() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PREFERABLY_HOSTS"} | {
        "PREFERABLY_MODE": "production",
        "PREFERABLY_SECRET_KEY": secrets.token_urlsafe(40),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == [
        "['localhost', '127.0.0.1', '[::1]']",
        "301 https://localhost/account/logout/?a=1",
        "302 /account/login/",
        "200 ",
    ], done.stderr


def test_no_module_imports_another_by_a_path_that_hashing_would_break() -> None:
    relative = re.compile(r"""(?:from|import\()\s*["'`]\.{0,2}/""")

    assert [
        path.name
        for path in (ROOT / "static/js").rglob("*.js")
        if relative.search(path.read_text())
    ] == []
