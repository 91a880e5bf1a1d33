"""The pages of imports, through HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.data.imports import agreement as imports_agreement
from labeling.data.imports import services as imports_services
from labeling.data.imports import uploads as imports_uploads
from labeling.models import Import, Prompt, Source
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.answers import words

SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db

GOOD = b'{"prompt": "Name three rivers."}\n'
BAD = b'{"prompt": ""}\n'


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def sent(client: Client, content: bytes, **changes: Any) -> Any:
    fields = {
        "source_name": "rivers",
        "licence": "CC0-1.0",
        "file_format": "",
        "file": SimpleUploadedFile("rivers.jsonl", content),
    }
    return client.post("/prompts/imports/new/", fields | changes)


def run(batch: Import) -> Import:
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    return batch


def test_an_admin_uploads_a_file_and_lands_on_its_progress(
    alice: User, signed_in: SignedIn
) -> None:
    answer = sent(signed_in(alice), GOOD)

    batch = Import.objects.get()
    assert answer.url == f"/prompts/imports/{batch.pk}/"
    assert (batch.state, batch.created_by, batch.format) == (Import.State.QUEUED, alice, "jsonl")


def test_the_page_asks_for_itself_until_the_import_has_ended(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    page = sent(client, GOOD).url
    waiting = page_of(client.get(page, headers={"hx-request": "true"}))

    run(Import.objects.get())

    ended = page_of(client.get(page, headers={"hx-request": "true"}))
    assert 'hx-trigger="load' in waiting
    assert 'hx-trigger="load' not in ended
    assert "<html" not in ended


def test_the_report_lists_each_problem_with_its_line(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    page = sent(client, GOOD + BAD + BAD).url
    run(Import.objects.get())

    text = page_of(client.get(page))

    assert "2 problems" in text
    assert text.count("`prompt` is empty.") == 2
    assert '<th scope="row" class="number">3</th>' in text


def test_a_strict_import_with_a_problem_can_be_published_after_all(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    sent(client, GOOD + BAD, is_strict="on")
    batch = run(Import.objects.get())
    assert batch.state == Import.State.REFUSED

    client.post(f"/prompts/imports/{batch.pk}/publish")

    batch.refresh_from_db()
    assert batch.state == Import.State.PUBLISHED


def test_discarding_asks_first(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    sent(client, GOOD)
    batch = run(Import.objects.get())

    asked = client.get(f"/prompts/imports/{batch.pk}/discard/")
    batch.refresh_from_db()

    assert "Discard import" in page_of(asked)
    assert batch.state == Import.State.PUBLISHED


def test_a_discarded_import_is_gone_from_the_prompts(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    sent(client, GOOD)
    batch = run(Import.objects.get())

    client.post(f"/prompts/imports/{batch.pk}/discard/")
    imports_services.clear_import(import_id=batch.pk)

    batch.refresh_from_db()
    assert batch.state == Import.State.DISCARDED
    assert not Prompt.objects.filter(import_batch=batch).exists()


def test_a_source_that_is_a_person_is_refused_with_a_sentence(
    alice: User, signed_in: SignedIn, uploads: Path
) -> None:
    client = signed_in(alice)
    Source.objects.create(name=alice.email, kind=Source.Kind.PERSON)

    answer = sent(client, GOOD, source_name=alice.email)

    assert answer.status_code == 422
    assert "can't be used as a source name" in words(answer)
    assert not [path for path in uploads.rglob("*") if path.is_file()]
    assert not Import.objects.exists()


def test_an_empty_file_is_refused_with_a_sentence(alice: User, signed_in: SignedIn) -> None:
    answer = sent(signed_in(alice), b"")

    assert "The file is empty." in page_of(answer)


def test_a_name_with_markup_is_shown_and_not_run(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    answer = sent(client, GOOD, file=SimpleUploadedFile("<script>x.jsonl", GOOD))

    assert "<script>x" not in page_of(client.get(answer.url))


def test_the_list_shows_what_came_in(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    sent(client, GOOD)
    run(Import.objects.get())

    text = page_of(client.get("/prompts/imports/"))

    assert "rivers.jsonl" in text
    assert "Published" in text


def test_the_list_says_what_to_do_when_it_is_empty(alice: User, signed_in: SignedIn) -> None:
    assert "Import file" in page_of(signed_in(alice).get("/prompts/imports/"))


@pytest.mark.parametrize(
    "address", ["/prompts/imports/", "/prompts/imports/new/", "/prompts/imports/1/"]
)
def test_only_an_admin_may_look(address: str, noor: User, signed_in: SignedIn) -> None:
    assert signed_in(noor).get(address).status_code == 403


PAIRS = b"""{"prompt": "Two plus two?", "chosen": "Four.", "rejected": "Five."}
{"prompt": "Name a river.", "chosen": "The Elbe.", "rejected": "Berlin."}
"""


def test_an_import_of_comparisons_shows_rater_agreement(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    sent(client, PAIRS, with_judgments="on")
    batch = run(Import.objects.get())

    page = words(client.get(f"/prompts/imports/{batch.pk}/"))
    agreement = words(client.get(f"/prompts/imports/{batch.pk}/agreement/"))

    assert f"/prompts/imports/{batch.pk}/agreement/" in page
    # One vote a pair: every number is a sentence.
    assert "2 comparisons" in agreement
    assert agreement.count("so there is nothing to compare") >= 4
    assert "better in 2 pairs, the second in 0, and 0 tie" in agreement
    assert not re.search(r"\bnan\b", agreement)


def test_an_import_without_comparisons_has_no_agreement_to_tell(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    sent(client, GOOD)
    batch = run(Import.objects.get())

    assert "/agreement/" not in words(client.get(f"/prompts/imports/{batch.pk}/"))
    assert "No one has compared two responses" in words(
        client.get(f"/prompts/imports/{batch.pk}/agreement/")
    )


def test_more_votes_than_a_page_can_compute_from_are_said_to_be(
    alice: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports_agreement, "MOST_JUDGED", 1)
    client = signed_in(alice)
    sent(client, PAIRS, with_judgments="on")
    batch = run(Import.objects.get())

    assert "There are 2 comparisons, too many to compute on this page" in words(
        client.get(f"/prompts/imports/{batch.pk}/agreement/")
    )


def test_only_an_admin_sees_an_import_s_agreement(
    noor: User, alice: User, signed_in: SignedIn
) -> None:
    sent(signed_in(alice), GOOD)

    assert (
        signed_in(noor).get(f"/prompts/imports/{Import.objects.get().pk}/agreement/").status_code
        == 403
    )


def test_uploaded_files_go_after_the_days_that_the_setting_says(
    alice: User, signed_in: SignedIn, uploads: Path, tmp_path: Path, settings: Any
) -> None:
    """What they brought in stays, and so do a file that waits and one that a command named."""
    own = tmp_path.parent / f"{tmp_path.name}-own.jsonl"
    own.write_bytes(GOOD)
    named = imports_services.start_import(
        path=own,
        file_name="own",
        file_format=None,
        source_name="own",
        licence="CC0-1.0",
        by=alice,
        now=NOON,
    )
    run(named)
    sent(signed_in(alice), b'{"prompt": "Name three lakes."}\n')
    done = run(Import.objects.latest("pk"))
    sent(signed_in(alice), b'{"prompt": "Name three seas."}\n')
    waiting = Import.objects.latest("pk")
    later = NOON + timedelta(days=8)

    imports_uploads.delete_old(now=later)
    assert Path(done.path).exists()  # 0 days: never
    settings.KEEP_UPLOADS_DAYS = 8
    imports_uploads.delete_old(now=later)
    assert Path(done.path).exists()
    settings.KEEP_UPLOADS_DAYS = 7
    imports_uploads.delete_old(now=later)

    assert not Path(done.path).exists()
    assert Path(waiting.path).exists()
    assert own.exists()
    assert Prompt.objects.count() == 2
