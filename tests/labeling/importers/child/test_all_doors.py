"""What comes from outside is parsed in a child: each door that takes a file is gone through with a
good one, while the libraries that parse files refuse to work in the process that serves it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import python_calamine
import yaml
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from rest_framework import serializers

from accounts.models import User
from labeling.data.hub import jobs as hub_jobs
from labeling.data.imports import services as imports_services
from labeling.importers import golds
from labeling.importers.files import rows, sheets
from labeling.models import Campaign, Gold, HubDownload, Import, Pool, Prompt
from labeling.people.invitations import csv_file
from tests.api.conftest import Caller
from tests.api.conftest import calling as calling
from tests.cast import NOON
from tests.labeling.data.dataset_hub import dataset_hub
from tests.labeling.data.formats.containers import jsonl, parquet
from tests.labeling.importers.hostile.packed import zipped
from training.benchmarks.suites.formats import items, public, uploads
from training.models import Snapshot, Suite
from training.snapshots.pretraining import documents

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]

JSON = "application/json"
PROMPTS = [{"prompt": f"Name {n} rivers."} for n in range(3)]
ANSWERS = [
    {"item": str(n), "prompt": "Why?", "response": f"So {n}", "rater": rater, "rating": str(n)}
    for n in range(4)
    for rater in ("ann", "ben")
]
GOLD = {"prompt": "What is 1 and 1?", "responses": ["2", "3", "4", "5"], "ranks": [1, 2, 2, 2]}
YAML = b'id: a\nversion: "1"\nname: A\nkind: choice\narea: capability\nlicence: CC0-1.0\n'
ITEMS = b'{"id": "q1", "prompt": "Capital of Chad?", "choices": ["Oslo", "Rome"], "answer": 1}\n'
TEXTS = jsonl([{"text": f"Document number {n} about the sky."} for n in range(40)])


class ParsedHere(BaseException):
    """The process that serves pages or runs jobs has parsed a file."""


@pytest.fixture(autouse=True)
def nothing_is_parsed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise ParsedHere

    for owner, name in (
        (sheets, "read"),
        (uploads, "sorted_out"),
        (pq.ParquetFile, "__init__"),
        (python_calamine.CalamineWorkbook, "from_filelike"),
        (yaml, "parse"),
        (yaml, "compose"),
        (csv_file, "parse"),
        (rows, "files"),
        (golds, "read_golds"),
        (items, "rows_of"),
        (public, "shape_of"),
        (documents, "_decoded"),
    ):
        monkeypatch.setattr(owner, name, refuse)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.SNAPSHOTS_DIR = tmp_path / "snapshots"


def uploaded(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def run_import() -> Import:
    batch = Import.objects.get()
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    assert batch.state == Import.State.PUBLISHED, batch.error
    return batch


ABOUT = {"source_name": "rivers", "licence": "CC0-1.0", "file_format": ""}


FILES = {
    "a.zip": zipped(("a.jsonl", jsonl(PROMPTS))),
    "a.parquet": parquet(PROMPTS),
    "a.csv": b"prompt\nName a river.\nName a lake.\nName a hill.\n",
}


@pytest.mark.parametrize("name", FILES)
def test_the_page_of_imports(name: str, alice: User, signed_in: SignedIn) -> None:
    client, page = signed_in(alice), "/prompts/imports/new/"

    previewed = client.post(page, ABOUT | {"file": uploaded(name, FILES[name]), "preview": "1"})
    started = client.post(page, ABOUT | {"file": uploaded(name, FILES[name])})

    assert b"Name" in previewed.content
    assert started.status_code == 302
    run_import()
    assert Prompt.objects.count() == 3


def test_the_page_of_imported_answers(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    file = uploaded("a.jsonl", jsonl(ANSWERS))
    fields = {"source_name": "crowd", "licence": "CC0-1.0", "campaign": "Votes"}

    page = client.post("/campaigns/import/", fields | {"file": file, "preview": "1"})

    assert b"rating" in page.content


def test_the_api_of_imports(alice: User, calling: Caller) -> None:
    api = calling(alice)
    about = {"source": "rivers", "licence": "CC0-1.0"}

    rows_ = api.post("/api/v1/imports/preview", {"rows": PROMPTS}, content_type=JSON)
    answers = api.post(
        "/api/v1/imports", about | {"rows": ANSWERS, "campaign": "Votes"}, content_type=JSON
    )

    assert len(rows_.json()["rows"]) == 3
    assert answers.status_code == 202, answers.content
    run_import()


def test_the_command_of_imports(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(PROMPTS))

    call_command("import_prompts", str(tmp_path / "a.jsonl"), source="a", licence="CC0-1.0")

    assert Prompt.objects.count() == 3


def test_a_data_set_of_a_hub(alice: User, settings: Any) -> None:
    with dataset_hub() as hub:
        settings.HUB_URL, settings.HUB_IS_OFFLINE = hub.url, False
        card = b"---\nlicense: cc-by-4.0\nconfigs:\n- config_name: default\n---\n"
        hub.files["team/rivers"] = {"README.md": card, "data/train.parquet": parquet(PROMPTS)}
        download = hub_jobs.request_download(
            repository="team/rivers", options={"source_name": "a"}, by=alice, now=NOON
        )
        hub_jobs.DOWNLOADS.run(download.pk, clock=lambda: NOON)

    assert HubDownload.objects.get().error == ""
    assert run_import().licence == "CC-BY-4.0"


def test_the_page_of_golds(alice: User, signed_in: SignedIn, comparison_campaign: Campaign) -> None:
    file = uploaded("a.jsonl", jsonl([GOLD]))

    answer = signed_in(alice).post(
        f"/campaigns/{comparison_campaign.pk}/gold/import", {"file": file}
    )

    assert answer.status_code == 302, answer.content
    assert Gold.objects.count() == 1


def test_the_api_of_golds(alice: User, calling: Caller, comparison_campaign: Campaign) -> None:
    body = {"campaign": comparison_campaign.pk, "golds": [GOLD]}

    answer = calling(alice).post("/api/v1/golds/import", body, content_type=JSON)

    assert answer.json() == {"n": 1}


def test_the_page_of_invitations(alice: User, signed_in: SignedIn, day_shift: Pool) -> None:
    file = uploaded("a.csv", b"email\nines@example.org\n")

    answer = signed_in(alice).post(f"/pools/{day_shift.pk}/invitations/", {"file": file})

    assert day_shift.invitations.count() == 1, answer.content


def test_the_page_of_suites(noor: User, signed_in: SignedIn) -> None:
    file = uploaded("a.zip", zipped(("suite.yaml", YAML), ("items.jsonl", ITEMS)))

    answer = signed_in(noor).post("/suites/new/", {"upload": [file]})

    assert b"Capital of Chad?" in answer.content


def test_the_api_of_suites(noor: User, calling: Caller) -> None:
    answer = calling(noor).post(
        "/api/v1/suites",
        {"suite": YAML.decode(), "items": ITEMS.decode()},
        content_type=JSON,
    )

    assert answer.status_code == 201, answer.content
    assert Suite.objects.get().items.count() == 1


def test_the_page_of_texts(noor: User, signed_in: SignedIn) -> None:
    given = {"name": "Skies", "licence": "CC0-1.0", "min_characters": "10"}

    signed_in(noor).post("/snapshots/new/?kind=text", given | {"file": uploaded("a.jsonl", TEXTS)})

    assert Snapshot.objects.get().n_rows == 40


KNOWN = {
    "labeling.data.imports.forms.ImportForm",
    "labeling.data.imports.answers.forms.AnswersForm",
    "labeling.data.imports.api.FileToImportSerializer",
    "labeling.data.imports.api.FileToPreviewSerializer",
    "labeling.people.invitations.forms.InviteForm",
    "labeling.queue.gold.forms.GoldFileForm",
    "training.benchmarks.suites.forms.SuiteForm",
    "training.snapshots.forms.TextForm",
}
"""What takes a file, with a test above."""


def test_whatever_takes_a_file_is_known_here() -> None:
    get_resolver().url_patterns  # imports every form  # noqa: B018
    takes_files = {
        f"{kind.__module__}.{kind.__qualname__}"
        for base in (forms.BaseForm, serializers.Serializer)
        for kind in _below(base)
        if kind.__module__.startswith(("accounts.", "labeling.", "training."))
        and not kind.__name__.startswith("_")
        and any(isinstance(field, _FILES) for field in _fields(kind).values())
    }

    assert takes_files == KNOWN


_FILES = (forms.FileField, serializers.FileField)


def _below(kind: Any) -> Iterator[Any]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _fields(kind: Any) -> dict[str, object]:
    return getattr(kind, "base_fields", None) or getattr(kind, "_declared_fields", {})
