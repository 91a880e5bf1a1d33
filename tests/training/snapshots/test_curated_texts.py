"""Text that a recipe cleaned before it was frozen: the card, the ledger, and their pages."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.models import Gold, Prompt, Source
from tests.training.conftest import NOW
from training.models import Snapshot, Suite, SuiteItem
from training.snapshots import curated, freeze, selectors, texts
from training.snapshots import services as snapshots_services
from training.snapshots.freeze import UnableToCreate
from training.snapshots.texts import Document

_WORDS = (
    "river stone lamp garden letter winter bridge cloud engine paper island forest mirror ladder"
    " pepper copper ribbon castle basket hammer"
)
WORDS = _WORDS.split()
EMAIL = "anna.k@posteo.net"


def text_of(seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(60)) + "."


def documents() -> list[Document]:
    """40 good ones; one with an address; and a copy."""
    made = [Document(text_of(n), "s") for n in range(40)]
    return [*made, Document(f"{text_of(90)} {EMAIL}", "s"), Document(text_of(3).upper(), "s")]


def test_the_card_says_what_the_recipe_did_and_the_ledger_why(tmp_path: Path) -> None:
    frozen = texts.freeze(
        documents(),
        folder=tmp_path / "frozen",
        licence="CC0-1.0",
        min_characters=10,
        recipe=curated.RECIPES["light"],
    )

    about = frozen.card["curation"]
    assert (about["read"], about["kept"], about["changed"], about["removed"]) == (42, 40, 1, 1)
    assert about["rules"] == {"exact_duplicate": {"removed": 1}, "personal_data": {"changed": 1}}
    assert about["recipe"] == curated.RECIPES["light"].as_json()
    assert frozen.n_rows == 41
    assert freeze.is_intact(tmp_path / "frozen", frozen.fingerprint)
    [removed] = curated.entries(tmp_path / "frozen", rule="exact_duplicate", skip=0, n=5)
    [changed] = curated.entries(tmp_path / "frozen", rule="personal_data", skip=0, n=5)
    assert (removed.document, removed.outcome, changed.n_findings) == (41, "removed", 1)
    assert not [path for path in (tmp_path / "frozen").iterdir() if path.is_dir()]
    assert EMAIL not in "".join(path.read_text() for path in (tmp_path / "frozen").iterdir())


def test_the_same_documents_and_recipe_give_the_same_files(tmp_path: Path) -> None:
    one, other = (
        texts.freeze(
            documents(),
            folder=tmp_path / name,
            licence="",
            min_characters=10,
            recipe=curated.RECIPES["light"],
        )
        for name in ("a", "b")
    )

    assert one.fingerprint == other.fingerprint
    assert one.card == other.card
    assert (tmp_path / "a" / "ledger.jsonl").read_bytes() == (
        tmp_path / "b" / "ledger.jsonl"
    ).read_bytes()


def test_a_recipe_that_leaves_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UnableToCreate, match="No documents remain"):
        texts.freeze(
            [Document("Too short.", "s")],
            folder=tmp_path / "frozen",
            licence="",
            min_characters=1,
            recipe=curated.RECIPES["text"],
        )

    assert list(tmp_path.glob("*frozen*")) == []


@pytest.mark.django_db
def test_what_people_and_models_are_tested_with_is_kept_out(noor: User) -> None:
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

    snapshot = snapshots_services.create_text_snapshot(
        name="x",
        documents=[
            *documents(),
            Document(f"{text_of(91)} {question}", "s"),
            Document(f"{text_of(92)} {item}", "s"),
        ],
        licence="",
        min_characters=10,
        recipe="light",
        by=noor,
        now=NOW,
    )

    entries = selectors.ledger_entries(
        snapshot=snapshot, rule="decontamination.verbatim", skip=0, n=5
    )
    assert [entry.twin for entry in entries or []] == [f"gold {gold.pk}", "s 1: k"]
    assert snapshot.filters["recipe"] == "light"


@pytest.mark.django_db
def test_a_recipe_is_chosen_in_the_form_and_its_ledger_has_a_page(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(noor)
    content = "".join(json.dumps({"text": one.text}) + "\n" for one in documents()).encode()
    given = {"name": "x", "licence": "CC0-1.0", "min_characters": "10", "recipe": "light"}

    client.post(
        "/snapshots/new/?kind=text", given | {"file": SimpleUploadedFile("x.jsonl", content)}
    )

    snapshot = Snapshot.objects.get()
    card = client.get(f"/snapshots/{snapshot.pk}/").content.decode()
    assert "exact_duplicate" in card
    assert f"/snapshots/{snapshot.pk}/ledger/" in card
    ledger = client.get(f"/snapshots/{snapshot.pk}/ledger/").content.decode()
    assert "42 documents read: 40 kept, 1 changed, 1 removed." in ledger
    assert "&lt;EMAIL&gt;" in ledger
    one = client.get(f"/snapshots/{snapshot.pk}/ledger/?rule=exact_duplicate").content.decode()
    assert "&lt;EMAIL&gt;" not in one
    assert text_of(3)[:20].upper() in one
    (Path(settings.SNAPSHOTS_DIR) / snapshot.folder / "ledger.jsonl").unlink()
    assert "not on this machine" in client.get(f"/snapshots/{snapshot.pk}/ledger/").content.decode()


@pytest.mark.django_db
def test_a_snapshot_without_a_recipe_has_no_ledger(
    noor: User, signed_in: Callable[..., Client]
) -> None:
    snapshot = snapshots_services.create_text_snapshot(
        name="x", documents=documents(), licence="", min_characters=10, by=noor, now=NOW
    )

    assert "recipe" not in snapshot.filters
    answer = signed_in(noor).get(f"/snapshots/{snapshot.pk}/ledger/")
    assert (answer.status_code, answer["Location"]) == (302, f"/snapshots/{snapshot.pk}/")
