"""The preview of an import, and the mapping of a file's own columns, through HTTP."""

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.data.imports import services as imports_services
from labeling.importers.files import lines
from labeling.models import Demonstration, Import, Prompt, Response
from labeling.people.accounts import services as accounts_services
from tests.cast import NOON, PASSWORD
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.data.formats.containers import parquet

SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db
OWN_NAMES = b"frage;antwort;wer\nName a river.;Elbe;anna\nName a hill.;Brocken;\n"


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def post(client: Client, content: bytes | None = None, **changes: Any) -> Any:
    fields: dict[str, Any] = {"source_name": "rivers", "licence": "CC0-1.0", "file_format": ""}
    if content is not None:
        fields["file"] = SimpleUploadedFile("rivers.csv", content)
    return client.post("/prompts/imports/new/", fields | changes)


def token_in(answer: Any) -> str:
    found = re.search(r'name="upload" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def preview_in(answer: Any) -> str:
    """The words of the page below the form."""
    return words(answer).partition("The first rows, as they will be stored")[2]


def run() -> Import:
    batch = Import.objects.get()
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    return batch


def test_a_preview_shows_rows_as_they_will_be_stored_and_stores_nothing(
    alice: User, signed_in: SignedIn
) -> None:
    row = b'{"prompt": "Name a river.", "completion": "Google it.", "label": false}\n'

    text = words(post(signed_in(alice), row, preview="1", with_judgments="on"))

    assert "Name a river." in text
    assert "response · label false" in text
    assert "TRL and OpenAI" in text
    assert not Import.objects.exists()
    assert not Prompt.objects.exists()


def test_a_demonstration_is_called_one(alice: User, signed_in: SignedIn) -> None:
    row = b'{"prompt": "Name a river.", "completion": "The Elbe."}\n'
    client = signed_in(alice)

    assert "demonstration" in preview_in(post(client, row, preview="1", with_judgments="on"))
    assert "demonstration" not in preview_in(post(client, row, preview="1"))


def test_source_and_licence_are_asked_beside_the_preview(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    blank: dict[str, Any] = {"source_name": "", "licence": ""}
    assert 'name="licence"' not in client.get("/prompts/imports/new/").text

    preview = post(client, b"prompt\nName a river.\n", preview="1", **blank)
    assert preview.status_code == 200
    assert "Name a river." in preview_in(preview)
    assert "This field is required." not in words(preview)

    started = post(client, upload=token_in(preview), **(blank | {"source_name": "rivers"}))
    assert started.status_code == 422
    assert words(started).count("This field is required.") == 1
    assert "Name a river." in preview_in(started)
    assert not Import.objects.exists()


def test_the_previewed_file_is_imported_without_being_sent_again(
    alice: User, signed_in: SignedIn, uploads: Path
) -> None:
    client = signed_in(alice)
    token = token_in(post(client, b"prompt\nName a river.\n", preview="1"))

    answer = post(client, upload=token)

    batch = run()
    assert answer.url == f"/prompts/imports/{batch.pk}/"
    assert (batch.file_name, batch.state) == ("rivers.csv", Import.State.PUBLISHED)
    assert [path.name for path in uploads.rglob("preview-*")] == []


def test_columns_with_other_names_are_mapped(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    first = post(client, OWN_NAMES, preview="1")
    chosen: dict[str, Any] = {
        "upload": token_in(first),
        "column-prompt": "frage",
        "column-response": "antwort",
        "column-model": "wer",
        "with_judgments": "on",
    }

    second = post(client, preview="1", **chosen)
    post(client, **chosen)
    batch = run()

    assert "No row can be used" in words(first)
    assert '<option value="frage">' in page_of(first)
    assert "response · anna" in words(second)
    assert batch.columns == {"prompt": "frage", "response": "antwort", "model": "wer"}
    assert Prompt.objects.count() == 2
    assert Response.objects.get(text="Elbe").source.name == "rivers / anna"
    assert list(Demonstration.objects.values_list("text", flat=True)) == ["Brocken"]


def test_two_columns_can_be_the_better_and_the_worse_response(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    token = token_in(post(client, b"q,good,poor\nName a river.,Elbe,No.\n", preview="1"))

    chosen: dict[str, Any] = {
        "column-prompt": "q",
        "column-chosen": "good",
        "column-rejected": "poor",
    }

    post(client, upload=token, with_judgments="on", **chosen)

    batch = run()
    assert (batch.format, batch.counts["comparisons"]) == ("hf", 1)


def test_the_first_problems_are_shown(alice: User, signed_in: SignedIn) -> None:
    text = words(post(signed_in(alice), b"prompt,points\nHi,3\n,2\n", preview="1"))

    assert "The field points is not imported" in text
    assert "Line 3: `prompt` is empty" in text


def test_a_format_can_be_chosen_against_the_guess(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    token = token_in(post(client, b'{"prompt": "Hi", "completion": "Ho"}\n', preview="1"))

    text = words(post(client, preview="1", upload=token, file_format="plain"))

    assert "The field completion is not imported" in text


def test_nobody_can_use_the_file_of_somebody_else(alice: User, signed_in: SignedIn) -> None:
    token = token_in(post(signed_in(alice), b"prompt\nSecret\n", preview="1"))
    other = accounts_services.create_person(
        email="other@example.org",
        name="Other",
        roles=["admin"],
        password=PASSWORD,
        by=None,
        now=NOON,
    )

    answer = post(signed_in(other), upload=token, preview="1")

    assert answer.status_code == 422
    assert "Secret" not in page_of(answer)


@pytest.mark.parametrize("token", ["", "x", "../../etc/passwd"])
def test_a_token_that_is_none_asks_for_the_file(
    token: str, alice: User, signed_in: SignedIn
) -> None:
    assert post(signed_in(alice), upload=token).status_code == 422


def test_a_refused_source_keeps_the_file(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    token = token_in(post(client, b"prompt\nHi\n", preview="1"))

    refused = post(client, upload=token, source_name=alice.email, licence=" ")
    again = post(client, upload=token)

    assert refused.status_code == 422
    assert again.status_code == 302


def test_files_of_old_previews_are_deleted(alice: User, signed_in: SignedIn, uploads: Path) -> None:
    client = signed_in(alice)
    post(client, b"prompt\nHi\n", preview="1")
    [old] = uploads.rglob("preview-*")
    os.utime(old, (0, 0))

    post(client, b"prompt\nHo\n", preview="1")

    assert not old.exists()
    assert len(list(uploads.rglob("preview-*"))) == 1


def test_a_file_too_large_to_look_at_is_left_to_the_worker(
    alice: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LOOKED_AT", 1_000)
    rows = [{"instruction": f"Name {n} rivers.", "output": "The Elbe."} for n in range(50)]
    client = signed_in(alice)
    previewed = post(client, gzip.compress(parquet(rows)), preview="1")
    assert "too large to show its first rows" in words(previewed)

    page = post(client, upload=token_in(previewed)).url

    assert "read as" not in words(client.get(page))
    batch = run()
    assert (batch.format, batch.counts["prompts"]) == ("alpaca", 50)
    assert "read as Alpaca" in words(client.get(page))


# --- columns that may say that an answer is bad ---------------------------------------------------

JUDGED = b"prompt;response;urteil\nName a river.;Elbe;gut\nName a hill.;Google it.;schlecht\n"


def test_columns_that_may_judge_stop_the_import_until_a_person_says_what_they_mean(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    answer = post(client, JUDGED, with_judgments="on")

    assert answer.status_code == 422
    assert "Nothing is imported yet. Say what the columns named below mean" in words(answer)
    assert "urteil (gut, schlecht)" in preview_in(answer)
    assert 'name="stores_responses"' in answer.text
    assert not Import.objects.exists()

    answer = post(client, upload=token_in(answer), with_judgments="on", stores_responses="on")

    assert answer.status_code == 302
    run()
    assert Response.objects.count() == 2
    assert not Demonstration.objects.exists()


def test_choosing_the_column_says_what_it_means(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    answer = post(
        client, JUDGED.replace(b"gut", b"true").replace(b"schlecht", b"false"), preview="1"
    )
    chosen: dict[str, Any] = {"with_judgments": "on", "column-label": "urteil"}

    assert post(client, upload=token_in(answer), with_judgments="on").status_code == 422
    assert post(client, upload=token_in(answer), **chosen).status_code == 302

    run()
    assert {"Elbe", "Google it."} == set(Response.objects.values_list("text", flat=True))


def test_without_judgments_nothing_is_asked(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)

    assert 'name="stores_responses"' not in post(client, JUDGED, preview="1").text
    assert post(client, JUDGED).status_code == 302
