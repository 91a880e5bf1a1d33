"""Who may send a large body, and that nobody else has a byte of it read: every URL, as every kind
of person, by session and by token.
"""

import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import access as accounts_access
from accounts.models import User
from config.api_permissions import API_TABLE, Scope
from tests.api.conftest import secret_of
from tests.house.test_permissions import API_NAMES, URLS, path_of

pytestmark = pytest.mark.slow

LARGE = 200 * 1024**2
ABOVE_A_FORM = {"multipart/form-data; boundary=x", "application/x-www-form-urlencoded"}
METHODS = ("POST", "PUT", "PATCH", "DELETE")
ROLES = {"rater": ["rater"], "researcher": ["researcher"], "admin": ["admin"]}
FILE_DOORS = {"POST api_imports", "POST api_import_preview"}
"""Calls that take files."""
PROBES = {"healthz", "livez", "readyz", "metrics"}
"""Answered before anything is looked at."""


class BodyRead(Exception):
    pass


class Unread(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise BodyRead

    readline = read


def send(client: Client, method: str, path: str, kind: str, **headers: str) -> int:
    """The status; 0 if the body was read."""
    body: dict[str, Any] = {
        "wsgi.input": Unread(),
        "CONTENT_LENGTH": str(LARGE),
        "CONTENT_TYPE": kind,
    }
    try:
        sent = client.generic(method, path, headers=headers, **body)
    except BodyRead:
        return 0
    return sent.status_code


def browser(csrf_checked: bool = True) -> Client:
    """With the cookie and the origin that the site's own pages have."""
    client = Client(enforce_csrf_checks=csrf_checked)
    client.cookies["csrftoken"] = "a" * 32
    return client


def walk(client: Client, **headers: str) -> Iterator[tuple[str, str, int]]:
    """(method, URL's name, status) of every URL and every method that has a body."""
    for name in URLS:
        for method in METHODS:
            for kind in sorted(ABOVE_A_FORM):
                yield (
                    method,
                    name,
                    send(
                        client, method, path_of(name), kind, origin="http://testserver", **headers
                    ),
                )


@pytest.mark.django_db
def test_no_url_reads_a_large_body_of_nobody() -> None:
    statuses = list(walk(browser()))

    assert len(statuses) > 1000
    assert [line for line in statuses if line[2] == 0 or line[2] >= 500] == []


@pytest.mark.django_db
@pytest.mark.parametrize("secret", ["pfb_wrong", "", "pfb_" + "x" * 43])
def test_no_url_reads_a_large_body_of_a_wrong_token(secret: str) -> None:
    for _method, name, status in walk(Client(), authorization=f"Bearer {secret}"):
        if name not in PROBES:
            assert status == 401 if name in API_NAMES else status in (401, 413), name


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_a_large_body_of_a_person_is_read_only_where_they_may_send_it(role: str) -> None:
    person = User.objects.create(email="p@example.org", name="P", **{f"is_{role}": True})
    client = browser()
    client.force_login(person)
    opened = accounts_access.roles_of(person)

    read = {(method, name) for method, name, status in walk(client) if status == 0}

    pages = {name for _method, name in read if name not in API_NAMES}
    calls = {f"{method} {name}" for method, name in read if name in API_NAMES}
    assert [name for name in pages if not accounts_access.may_open(name, opened)] == []
    assert bool(pages) == (role == "admin"), "of others it is larger than a form"
    assert calls <= FILE_DOORS
    assert bool(calls) == (role == "admin")


@pytest.mark.django_db
@pytest.mark.parametrize("scope", Scope)
def test_a_large_file_of_a_token_is_read_only_with_its_scope(alice: User, scope: Scope) -> None:
    if scope not in accounts_access.scopes_of(alice.roles):
        return
    read = set()
    for method, name, status in walk(Client(), authorization=f"Bearer {secret_of(alice, scope)}"):
        if status == 0:
            read.add(f"{method} {name}")

    assert read == {
        call for call, grant in API_TABLE.items() if grant.scope == scope and call in FILE_DOORS
    }


def test_nothing_is_left_in_the_folder_of_uploads(db: None, tmp_path: Any, settings: Any) -> None:
    """As a browser sends it, with a token that it made up itself."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    file = io.BytesIO(bytes(4 * 1024**2))
    file.name = "a.bin"

    refused = browser().post(
        "/api/v1/docs/", {"file": file}, headers={"Origin": "http://testserver"}
    )

    assert refused.status_code == 413
    assert os.listdir(tmp_path) == []
