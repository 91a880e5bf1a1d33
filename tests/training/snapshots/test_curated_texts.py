"""Text that a recipe cleans before it is frozen: the preview, the card, the ledger, their pages."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from accounts.models import User
from labeling.models import Gold, Prompt, Source
from tests.html import page_of
from tests.pages.stale.two_tabs import Tab, differences, stored
from tests.training.conftest import NOW
from tests.training.snapshots.curating import EMAIL, documents, text_of, upload_of
from training.models import Curation, RestoredDocument, Snapshot, Suite, SuiteItem
from training.snapshots import freeze
from training.snapshots import services as snapshots_services
from training.snapshots.curation import ledger, rule_words, selectors, services, worker
from training.snapshots.curation.rules import recipe
from training.snapshots.pretraining.documents import Document


def lines_of(snapshot: Snapshot) -> list[str]:
    folder = Path(site.SNAPSHOTS_DIR) / snapshot.folder
    names = ("train", "validation", "test")
    return [line for name in names for line in (folder / f"{name}.jsonl").read_text().splitlines()]


pytestmark = [pytest.mark.slow, pytest.mark.django_db]
Start = Callable[..., Curation]


def test_a_preview_says_what_the_recipe_would_do_and_freezes_nothing(start: Start) -> None:
    curation = start()

    assert (curation.state, curation.error) == ("ready", "")
    summary = selectors.summary_of_curation(curation=curation)
    assert summary is not None
    assert (summary.read, summary.kept, summary.changed, summary.removed) == (42, 40, 1, 1)
    assert (curation.n_documents, curation.n_read) == (42, 42)
    [shown] = selectors.entries(source=curation, rule="exact_duplicate", skip=0, n=5) or []
    assert (shown.entry.document, shown.entry.is_removed) == (41, True)
    assert shown.entry.twin_excerpt == text_of(3)[: len(shown.entry.twin_excerpt) - 1] + "…"
    assert not Snapshot.objects.exists()


def test_the_card_says_what_the_recipe_did_and_the_ledger_why(start: Start) -> None:
    curation = start(makes_snapshot=True)

    assert curation.state == "done"
    snapshot = curation.snapshot
    assert snapshot is not None
    folder = Path(site.SNAPSHOTS_DIR) / snapshot.folder
    about = snapshot.card["curation"]
    assert (about["read"], about["kept"], about["changed"], about["removed"]) == (42, 40, 1, 1)
    assert about["rules"] == {"exact_duplicate": {"removed": 1}, "personal_data": {"changed": 1}}
    assert about["recipe"] == curation.recipe
    assert (snapshot.n_rows, snapshot.filters["recipe"]) == (41, "light")
    assert freeze.is_intact(folder, snapshot.fingerprint)
    [changed] = ledger.entries(folder, rule="personal_data", skip=0, n=5)
    assert changed.n_findings == 1
    assert not [path for path in folder.iterdir() if path.is_dir()]
    assert EMAIL not in "".join(path.read_text() for path in folder.iterdir())
    assert not services.folder_of(curation=curation).exists()


def test_a_preview_and_then_its_snapshot_are_what_a_snapshot_at_once_is(
    noor: User, start: Start
) -> None:
    at_once = start(makes_snapshot=True)
    preview = start()

    services.make_snapshot(curation=preview, by=noor, now=NOW)
    services.CURATIONS.run(preview.pk, clock=lambda: NOW)

    one, other = at_once.snapshot, Curation.objects.get(pk=preview.pk).snapshot
    assert one is not None
    assert other is not None
    assert one.fingerprint == other.fingerprint
    assert one.card == other.card
    ledgers = [(Path(site.SNAPSHOTS_DIR) / s.folder / "ledger.jsonl") for s in (one, other)]
    assert ledgers[0].read_bytes() == ledgers[1].read_bytes()


def test_a_restored_document_is_in_the_next_snapshot_and_it_can_be_undone(
    noor: User, start: Start
) -> None:
    long, copy = Document(text_of(1), "s"), Document(text_of(1).upper(), "s")
    preview = start(long, copy)
    [shown] = selectors.entries(source=preview, rule="", skip=0, n=5) or []

    for _twice in range(2):
        services.restore_document(source=preview, document=shown.entry.id, by=noor, now=NOW)

    assert selectors.is_outdated(curation=preview)
    [again] = selectors.entries(source=preview, rule="", skip=0, n=5) or []
    assert again.is_restored
    restored = start(long, copy)
    assert (restored.account["kept"], restored.account["removed"]) == (2, 0)
    services.update_preview(curation=preview, by=noor, now=NOW)
    services.CURATIONS.run(preview.pk, clock=lambda: NOW)
    preview.refresh_from_db()
    assert preview.account["removed"] == 0
    assert not selectors.is_outdated(curation=preview)
    services.undo_restore(recipe="light", document=shown.entry.id, by=noor, now=NOW)
    assert start(long, copy).account["removed"] == 1


def test_only_what_was_removed_can_be_restored(noor: User, start: Start) -> None:
    preview = start()
    [changed] = selectors.entries(source=preview, rule="personal_data", skip=0, n=5) or []

    for document in (changed.entry.id, "0" * 16, "x\0"):
        with pytest.raises(services.UnableToCurate, match="not in the ledger"):
            services.restore_document(source=preview, document=document, by=noor, now=NOW)

    assert not RestoredDocument.objects.exists()


def test_a_recipe_that_leaves_nothing_fails_with_a_sentence(start: Start) -> None:
    curation = start(makes_snapshot=True, min_characters=10_000)

    assert (curation.state, curation.snapshot) == ("failed", None)
    assert "No documents remain" in curation.error
    assert list(Path(site.SNAPSHOTS_DIR).iterdir()) == []


def test_what_people_and_models_are_tested_with_is_kept_out(start: Start) -> None:
    question, item = text_of(200), text_of(201)
    suite = Suite.objects.create(
        slug="s", version="1", name="S", kind="generate", area="safety", scorer="x", n_items=1
    )
    SuiteItem.objects.create(
        suite=suite, position=0, key="k", prompt=[{"role": "user", "content": item}]
    )
    prompt = Prompt.objects.create(
        messages=[{"role": "user", "content": question}],
        messages_sha256="0" * 64,
        source=Source.objects.create(kind=Source.Kind.IMPORT, name="golds"),
    )
    gold = Gold.objects.create(prompt=prompt, origin="expert", n_responses=2)

    curation = start(
        *documents(),
        Document(f"{text_of(91)} {question}", "s"),
        Document(f"{text_of(92)} {item}", "s"),
    )

    found = selectors.entries(source=curation, rule="decontamination.verbatim", skip=0, n=5)
    assert [shown.entry.twin for shown in found or []] == [f"gold {gold.pk}", "s 1: k"]


def test_a_worker_that_takes_over_from_a_dead_one_goes_on_where_it_was(start: Start) -> None:
    curation = start(runs=False)
    services.CURATIONS.claim(curation.pk, now=NOW)
    Curation.objects.filter(pk=curation.pk).update(n_documents=42)
    later = NOW + timedelta(minutes=6)

    done = services.CURATIONS.run(curation.pk, clock=lambda: later)

    assert done is not None
    assert (done.state, done.attempt, done.n_lost) == ("ready", 2, 1)


def test_a_discarded_curation_leaves_no_files_and_stops(
    noor: User,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    curation = start(runs=False)
    n_beats = 0

    def clock() -> Any:
        nonlocal n_beats
        n_beats += 1
        if n_beats == 2:
            services.discard_curation(curation=curation, by=noor, now=NOW)
        return NOW

    with django_capture_on_commit_callbacks(execute=True):
        assert services.CURATIONS.run(curation.pk, clock=clock) is None

    assert Curation.objects.get(pk=curation.pk).state == "discarded"
    assert not services.folder_of(curation=curation).exists()
    with pytest.raises(services.UnableToCurate):
        services.make_snapshot(curation=curation, by=noor, now=NOW)


def test_previews_that_nobody_uses_are_deleted(start: Start) -> None:
    old, later = start(), NOW + timedelta(days=15)

    assert worker.delete_old_previews(now=NOW) == 0
    assert worker.delete_old_previews(now=later) == 1
    assert Curation.objects.get(pk=old.pk).state == "discarded"
    assert not services.folder_of(curation=old).exists()


def test_a_recipe_is_previewed_restored_from_and_frozen_on_its_pages(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(noor)
    given = {"name": "web", "licence": "CC0-1.0", "min_characters": "10", "recipe": "light"}

    answer = client.post(
        "/snapshots/new/?kind=text", given | {"file": upload_of(*documents()), "preview": "1"}
    )

    curation = Curation.objects.get()
    page = f"/curations/{curation.pk}/"
    assert answer["Location"] == page
    assert "Waiting for a worker" in client.get(page).text
    assert page in client.get("/snapshots/").text
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)
    shown = client.get(page).text
    assert "Nothing is frozen yet" in shown
    assert "&lt;EMAIL&gt;" in shown
    one = client.get(f"{page}?rule=exact_duplicate").text
    assert "&lt;EMAIL&gt;" not in one
    assert text_of(3)[:20].upper() in one
    document = ledger.entries(
        services.folder_of(curation=curation), rule="exact_duplicate", skip=0, n=1
    )
    posted = client.post(f"{page}restore/?rule=exact_duplicate", {"document": document[0].id})
    assert posted["Location"] == f"{page}?rule=exact_duplicate"
    assert "Undo" in client.get(f"{page}?rule=exact_duplicate").text
    assert document[0].id in client.get("/recipes/light/").text
    client.post(f"{page}snapshot/")
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)
    snapshot = Snapshot.objects.get()
    assert client.get(page)["Location"] == f"/snapshots/{snapshot.pk}/"
    assert (snapshot.card["curation"]["removed"], snapshot.n_rows) == (0, 42)
    ids = [json.loads(line)["id"] for line in lines_of(snapshot)]
    assert len(set(ids)) == 42
    client.post("/recipes/light/undo/", {"document": document[0].id})
    assert not RestoredDocument.objects.exists()


def test_a_snapshot_is_not_made_of_another_preview_than_the_page_showed(
    noor: User, start: Start, signed_in: Callable[..., Client]
) -> None:
    curation = start()
    stale = Tab.opened(signed_in(noor), f"/curations/{curation.pk}/", "curation_snapshot")
    [removed] = selectors.entries(source=curation, rule="exact_duplicate", skip=0, n=5) or []
    services.restore_document(source=curation, document=removed.entry.id, by=noor, now=NOW)
    services.update_preview(curation=curation, by=noor, now=NOW)
    services.CURATIONS.run(curation.pk, clock=lambda: NOW)
    before = stored()

    answer = stale.send({})

    assert differences(before, stored()) == {}
    assert "Nothing was done: this was changed after you opened the page." in answer.text
    fresh = Tab.opened(signed_in(noor), f"/curations/{curation.pk}/", "curation_snapshot")
    fresh.send({})
    assert Curation.objects.get().makes_snapshot


def test_the_ledger_of_a_snapshot_has_a_page(
    noor: User, start: Start, signed_in: Callable[..., Client]
) -> None:
    client, snapshot = signed_in(noor), start(makes_snapshot=True).snapshot
    assert snapshot is not None

    card = client.get(f"/snapshots/{snapshot.pk}/").text
    page = client.get(f"/snapshots/{snapshot.pk}/ledger/").text

    assert f"/snapshots/{snapshot.pk}/ledger/" in card
    assert "Exact duplicate" in card
    assert "42 documents read: 40 kept, 1 changed, 1 removed." in page
    assert ">identical<" in page_of(client.get(f"/snapshots/{snapshot.pk}/ledger/"))
    folder = Path(site.SNAPSHOTS_DIR) / snapshot.folder
    [removed] = ledger.entries(folder, rule="exact_duplicate", skip=0, n=5)
    assert f">{removed.id}" not in page
    for undo, expected in ({}, 1), ({"undo": "1"}, 0):
        client.post(f"/snapshots/{snapshot.pk}/ledger/restore/", {"document": removed.id, **undo})
        assert RestoredDocument.objects.count() == expected
    (folder / "ledger.jsonl").unlink()
    assert "not on this machine" in client.get(f"/snapshots/{snapshot.pk}/ledger/").text


def test_a_preview_needs_a_recipe(noor: User, signed_in: Callable[..., Client]) -> None:
    given = {"name": "web", "licence": "CC0-1.0", "min_characters": "10", "preview": "1"}

    answer = signed_in(noor).post(
        "/snapshots/new/?kind=text", given | {"file": upload_of(*documents())}
    )

    assert answer.status_code == 422
    assert "Choose a recipe to preview." in answer.text
    assert not Snapshot.objects.exists()


def test_a_snapshot_without_a_recipe_has_no_ledger(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    snapshot = snapshots_services.create_text_snapshot(
        name="x", documents=documents(), licence="", min_characters=10, by=noor, now=NOW
    )

    assert "recipe" not in snapshot.filters
    answer = signed_in(noor).get(f"/snapshots/{snapshot.pk}/ledger/")
    assert (answer.status_code, answer["Location"]) == (302, f"/snapshots/{snapshot.pk}/")


def test_every_rule_has_words_for_its_pages() -> None:
    assert rule_words.WORDS.keys() == recipe.RULES.keys()
