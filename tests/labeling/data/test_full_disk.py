"""Uploads on a disk that is full: a small file system of its own."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.models import Import
from tests.api.conftest import Caller
from tests.api.conftest import calling as calling
from tests.html import page_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SignedIn = Callable[[User], Client]
LARGE = b"prompt\n" + b"Name three rivers.\n" * 40_000
ABOUT = {"licence": "CC0-1.0", "source_name": "rivers", "file_format": ""}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB."""
    if os.getuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)])
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    # Lazily, or a file that is still open would keep it, and the folder, for later tests.
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(autouse=True)
def uploads(settings: Any, small_disk: Path) -> None:
    settings.UPLOADS_DIR = small_disk / "uploads"


def left_on(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("more", [{}, {"preview": "1"}], ids=["import", "preview"])
def test_a_page_says_that_the_disk_is_full(
    more: dict[str, str], alice: User, signed_in: SignedIn, small_disk: Path
) -> None:
    client = signed_in(alice)
    client.raise_request_exception = False
    file = SimpleUploadedFile("rivers.csv", LARGE)

    answer = client.post("/prompts/imports/new/", ABOUT | {"file": file} | more)

    assert answer.status_code == 507
    assert "The disk of the site is full" in page_of(answer)
    assert left_on(small_disk) == []
    assert not Import.objects.exists()


@pytest.mark.parametrize("as_rows", [True, False])
@pytest.mark.parametrize("call", ["imports", "imports/preview"])
def test_a_call_answers_with_a_problem(
    call: str,
    as_rows: bool,
    alice: User,
    calling: Caller,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    api = calling(alice)
    rows = [{"prompt": "Name three rivers."}] * 20_000
    about = {"source": "rivers", "licence": "CC0-1.0"} if call == "imports" else {}

    if as_rows:
        answer = api.post(
            f"/api/v1/{call}", about | {"rows": rows}, content_type="application/json"
        )
    else:
        file = SimpleUploadedFile("rivers.csv", LARGE)
        answer = api.post(f"/api/v1/{call}", about | {"file": file})

    assert answer.status_code == 507
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "disk of the site is full" in answer.json()["detail"]
    assert left_on(small_disk) == []
    assert not Import.objects.exists()
