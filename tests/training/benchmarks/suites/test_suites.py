"""Suites as they are stored and frozen."""

import json
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from tests.training.benchmarks.tiny_suites import NOW, tiny_draft, tiny_suite
from training.benchmarks.suites import services as suites_services
from training.benchmarks.suites.services import UnableToStore
from training.models import Snapshot, Suite
from training.snapshots import freeze as snapshots_freeze
from training.snapshots.freeze import UnableToCreate

pytestmark = pytest.mark.django_db


def rows_of(snapshot: Snapshot, settings: LazySettings) -> list[dict[str, object]]:
    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    return snapshots_freeze.rows(folder, "test", skip=0, n=100)


def test_a_suite_is_stored_with_its_items_in_order(noor: User) -> None:
    suite = suites_services.create_suite(draft=tiny_draft("choice"), by=noor, now=NOW)
    assert (suite.n_items, suite.licence, suite.created_by) == (2, "Apache-2.0", noor)
    assert [(item.position, item.key) for item in suite.items.order_by("position")] == [
        (0, "q1"),
        (1, "q2"),
    ]
    assert AuditEvent.objects.get(target_type="training.suite").action == "create"


def test_a_version_is_stored_once(noor: User) -> None:
    suites_services.create_suite(draft=tiny_draft(), by=noor, now=NOW)
    with pytest.raises(UnableToStore, match="another version"):
        suites_services.create_suite(draft=tiny_draft(), by=noor, now=NOW)
    suites_services.create_suite(draft=tiny_draft(version="2"), by=noor, now=NOW)
    assert Suite.objects.count() == 2


def test_a_snapshot_has_a_row_for_each_item_of_its_suites(
    noor: User, settings: LazySettings
) -> None:
    choice, flip = tiny_suite("choice"), tiny_suite("flip", options={"challenge": "Really?"})
    snapshot = suites_services.suites_snapshot(suites=[flip, choice], by=noor, now=NOW)
    rows = rows_of(snapshot, settings)
    assert [row["suite"] for row in rows] == [choice.pk, choice.pk, flip.pk, flip.pk]
    item = choice.items.get(key="q1")
    assert rows[0] == {
        "id": f"item-{item.pk}",
        "item": item.pk,
        "suite": choice.pk,
        "kind": "choice",
        "options": {},
        "key": "q1",
        "prompt": [{"role": "user", "content": "Question 1 of choice?"}],
        "choices": ["blue", "red"],
        "answer": 0,
    }
    assert rows[2]["options"] == {"challenge": "Really?"}
    assert snapshot.n_rows == 4
    assert snapshot.card["splits"] == {"train": 0, "validation": 0, "test": 4}
    assert [one["slug"] for one in snapshot.card["suites"]] == ["tiny-choice", "tiny-flip"]


def test_the_same_suites_are_one_snapshot(noor: User) -> None:
    choice, flip = tiny_suite("choice"), tiny_suite("flip")
    first = suites_services.suites_snapshot(suites=[choice, flip], by=noor, now=NOW)
    assert suites_services.suites_snapshot(suites=[flip, choice], by=noor, now=NOW) == first
    assert suites_services.suites_snapshot(suites=[flip], by=noor, now=NOW) != first


def test_a_run_without_suites_has_no_snapshot(noor: User) -> None:
    with pytest.raises(UnableToCreate, match="at least one suite"):
        suites_services.suites_snapshot(suites=[], by=noor, now=NOW)


def test_the_fingerprint_covers_the_items(noor: User, settings: LazySettings) -> None:
    snapshot = suites_services.suites_snapshot(suites=[tiny_suite("pairs")], by=noor, now=NOW)
    folder = Path(settings.SNAPSHOTS_DIR) / snapshot.folder
    assert snapshots_freeze.is_intact(folder, snapshot.fingerprint)
    file = folder / "test.jsonl"
    row = json.loads(file.read_text().splitlines()[0])
    file.chmod(0o644)
    file.write_text(json.dumps(row | {"better": "Berlin."}))
    assert not snapshots_freeze.is_intact(folder, snapshot.fingerprint)


@pytest.mark.parametrize("kind", ["choice", "best-of-k", "flip"])
def test_the_pages_of_a_snapshot_of_suites(kind: str, client: Client, noor: User) -> None:
    client.force_login(noor)
    suite = tiny_suite(kind)
    snapshot = suites_services.suites_snapshot(suites=[suite], by=noor, now=NOW)
    page = client.get(f"/snapshots/{snapshot.pk}/?verify").content.decode()
    assert "2 items of one suite" in page
    assert f'href="/suites/{suite.pk}/"' in page
    assert "The files are unchanged" in page
    rows = client.get(f"/snapshots/{snapshot.pk}/rows/").content.decode()
    assert f"Question 2 of {kind}?" in rows


def test_people_do_not_create_snapshots_of_suites(client: Client, noor: User) -> None:
    client.force_login(noor)
    page = client.get("/snapshots/new/?kind=suites").content.decode()
    assert 'href="?kind=suites"' not in page
