"""The proxies let through what the site takes, and the site takes what its forms take."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from config.performance import upload_limits
from labeling.people.invitations import forms as invitations_forms
from labeling.queue.gold import forms as gold_forms
from tests.house.test_permissions import API_NAMES, URLS, path_of

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs/operators.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["configs"]["caddyfile"]["content"]
MB = 1024**2
SignedIn = Callable[[User], Client]
SMALL = {
    "campaign_gold_import": gold_forms.BIGGEST_FILE,
    "invitations": invitations_forms.BIGGEST_CSV,
}
"""Pages whose files have a limit of their own, below that of a form."""


def takes_files(name: str) -> bool:
    return "request.FILES" in inspect.getsource(inspect.unwrap(URLS[name].callback))


def test_every_page_that_takes_files_has_a_limit() -> None:
    ours = ("accounts.", "labeling.", "training.")
    taking = {
        name
        for name, pattern in URLS.items()
        if pattern.callback.__module__.startswith(ours) and takes_files(name)
    }

    assert taking == set(upload_limits.LARGE) - API_NAMES | set(SMALL)
    assert max(SMALL.values()) < upload_limits.FORM


def test_every_call_that_takes_files_has_a_limit(db: None) -> None:
    paths = Client().get("/api/v1/schema").json()["paths"]
    taking = {
        path
        for path, methods in paths.items()
        for call in methods.values()
        if "requestBody" in call and "multipart/form-data" in call["requestBody"]["content"]
    }

    assert taking == {path_of(name) for name in upload_limits.LARGE if name in API_NAMES}


@pytest.mark.parametrize("caddyfile", [GUIDE, COMPOSE], ids=["guide", "compose"])
def test_caddy_lets_through_what_the_site_takes(caddyfile: str) -> None:
    matchers = re.findall(r"^ *@(?:imports|others not) path (.*)$", caddyfile, re.MULTILINE)
    sizes = re.findall(r"max_size (\d+)(MiB|GiB)$", caddyfile, re.MULTILINE)

    assert matchers
    for paths in matchers:
        assert sorted(paths.split()) == sorted(map(path_of, upload_limits.LARGE))
    assert [_bytes(*size) for size in sizes] == [
        max(limit.n_bytes for limit in upload_limits.LARGE.values()),
        upload_limits.FORM,
    ]


def test_nginx_lets_through_what_the_site_takes() -> None:
    lines = re.findall(r"location = (\S+) \{ client_max_body_size 4g; proxy_pass", GUIDE)

    assert sorted(lines) == sorted(map(path_of, upload_limits.LARGE))
    assert upload_limits.IMPORT_FILE == 4 * 1024 * MB
    assert re.findall(r"^    client_max_body_size (\d+)m;", GUIDE, re.MULTILINE) == ["32"]
    assert upload_limits.FORM == 32 * MB
    assert "proxy-body-size: 4g" in (ROOT / "deploy/chart/README.md").read_text()


def _bytes(number: str, unit: str) -> int:
    return int(number) * MB * (1024 if unit == "GiB" else 1)


def test_a_suite_of_the_size_that_its_form_takes_arrives(noor: User, signed_in: SignedIn) -> None:
    file = SimpleUploadedFile("items.jsonl", bytes(63 * MB))

    sent = signed_in(noor).post("/suites/new/", {"upload": file})

    assert sent.status_code != 413


@pytest.mark.parametrize(
    ("path", "n_mb", "most"),
    [("/suites/new/", 66, 65), ("/prompts/imports/new/", 2, 1), ("/nowhere/", 2, 1)],
)
def test_who_is_signed_in_reads_how_much_they_may_send(
    noor: User, signed_in: SignedIn, path: str, n_mb: int, most: int
) -> None:
    sent = signed_in(noor).post(path, {"file": SimpleUploadedFile("a", bytes(n_mb * MB))})

    assert sent.status_code == 413
    assert sent.text == f"This is too large. You can send at most {most} MB here.\n"


@pytest.mark.parametrize("path", sorted(map(path_of, upload_limits.LARGE)))
def test_an_admin_sends_no_more_than_the_proxies_let_through(alice: User, path: str) -> None:
    client = Client()
    client.force_login(alice)

    sent = client.generic(
        "POST",
        path,
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(upload_limits.IMPORT_FILE + 1),
    )

    assert sent.status_code == 413
