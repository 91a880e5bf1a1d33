"""Exports as jobs: requested by page or API, written by a worker, downloaded with a card."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from labeling.data.exports import jobs, shapes
from labeling.data.exports.columns import FIELDS
from labeling.models import Campaign, Export, Invitation, Judgment, Rater
from labeling.pay import services as pay_services
from labeling.people.withdrawals import withdrawal
from labeling.quality import services as quality_services
from tests.api.conftest import Caller
from tests.api.conftest import calling as calling
from tests.cast import NOON
from tests.labeling.data.exports.exporting import downloaded, exported_rows, requested, rows_in
from tests.labeling.data.exports.test_exports import ranked, written

SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.EXPORTS_DIR = tmp_path / "exports"
    return tmp_path / "exports"


@pytest.fixture
def campaign(comparison_campaign: Campaign, rosa: Rater, raul: Rater) -> Campaign:
    """Two raters on the same items, who do not quite agree."""
    for _ in range(3):
        ranked(comparison_campaign, rosa, {0: 1, 1: 2, 2: 3, 3: 4})
    ranked(comparison_campaign, raul, {0: 1, 1: 1, 2: 2, 3: 3})
    return comparison_campaign


def card_of(export: Export) -> tuple[dict[str, Any], str]:
    front, body = export.card.removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(front), body


def test_an_archive_has_a_card_and_a_file_for_each_split_with_rows(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    splits = {row["split"] for row in shapes.records("rankings")}

    export = requested(signed_in(alice), campaign, shape="rankings", file_format="parquet")

    with zipfile.ZipFile(io.BytesIO(downloaded(signed_in(alice), export))) as archive:
        names = set(archive.namelist())
        assert archive.read("README.md").decode() == export.card
    assert names == {"README.md", *(f"data/{split}.parquet" for split in splits)}
    assert (export.state, export.n_rows, export.error) == ("done", 4, "")


def test_the_card_says_where_the_data_is_from(
    campaign: Campaign, alice: User, rosa: Rater, settings: LazySettings, signed_in: SignedIn
) -> None:
    settings.DATA_CONTACT = "data@example.org"
    Invitation.objects.create(
        pool=campaign.pool,
        email="rosa@example.org",
        secret_sha256="x",
        created_at=NOON,
        sent_at=NOON,
        expires_at=NOON,
        accepted_at=NOON,
        rater=rosa,
    )
    pay_services.set_rate(
        pool=campaign.pool,
        kind="comparison",
        basis="hour",
        amount=Decimal(1500),
        currency="EUR",
        valid_from=NOON,
        by=alice,
        now=NOON,
    )
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    export = requested(signed_in(alice), campaign, shape="preferences")
    front, body = card_of(export)

    assert front["pretty_name"] == campaign.name
    assert front["size_categories"] == ["n<1K"]
    assert "preference" in front["tags"]
    assert {file["split"] for file in front["configs"][0]["data_files"]} <= {
        "train",
        "validation",
        "test",
    }
    assert "- 1 invited by e-mail" in body
    assert "15.00 EUR per hour" in body
    assert "Helpful answers v1" in body
    assert "Krippendorff" in body
    assert "data@example.org" in body
    assert "| pairs of responses with the same rank | 1 |" in body


def test_the_card_explains_every_column_of_every_shape() -> None:
    unexplained = {
        name
        for shape, about in shapes.SHAPES.items()
        if about.schema
        for style in about.styles
        for name in shapes.schema(shape, style).names
        if name not in FIELDS
    }

    assert unexplained == set()


def test_late_answers_and_repeats_come_only_when_asked_for_and_marked(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    late = Judgment.of_people.filter(campaign=campaign).latest("pk")
    Judgment.of_people.filter(pk=late.pk).update(is_extra=True)
    client = signed_in(alice)

    usual = exported_rows(client, campaign, shape="rankings")
    with_late = exported_rows(client, campaign, shape="rankings", includes_extra="on")

    assert late.pk not in {row["judgment"] for row in usual}
    assert {row["judgment"] for row in with_late if row["is_extra"]} == {late.pk}


def test_an_export_without_rows_says_so(
    demonstration_campaign: Campaign, alice: User, signed_in: SignedIn, folder: Path
) -> None:
    export = requested(signed_in(alice), demonstration_campaign, shape="demonstrations")

    assert (export.state, export.file_name) == ("failed", "")
    assert "no rows" in export.error
    assert list(folder.glob("*")) == []


def test_no_export_is_downloaded_after_somebody_has_withdrawn(
    campaign: Campaign, alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    export = requested(client, campaign, shape="rankings")
    withdrawal.withdraw_rater(rater=rosa, by=None, now=export.created_at)

    answer = client.get(f"/exports/{export.pk}/file", follow=True)

    assert "Somebody has withdrawn since" in answer.content.decode()
    later = exported_rows(client, campaign, shape="rankings")
    assert rosa.alias not in {row["rater"] for row in later}


def test_old_files_are_deleted_and_their_cards_stay(
    campaign: Campaign, alice: User, signed_in: SignedIn, folder: Path
) -> None:
    export = requested(signed_in(alice), campaign, shape="rankings")

    jobs.delete_old(now=NOON + timedelta(days=30, minutes=1))

    export.refresh_from_db()
    assert (export.file_name, bool(export.card)) == ("", True)
    assert list(folder.glob("*")) == []
    assert signed_in(alice).get(f"/exports/{export.pk}/file").status_code == 302


@pytest.mark.parametrize(("keep_days", "is_left"), [(31, True), (0, True), (1, False)])
def test_a_setting_says_how_long_files_are_kept(
    campaign: Campaign,
    alice: User,
    signed_in: SignedIn,
    folder: Path,
    settings: LazySettings,
    keep_days: int,
    is_left: bool,
) -> None:
    settings.KEEP_EXPORTS_DAYS = keep_days
    requested(signed_in(alice), campaign, shape="rankings")

    jobs.delete_old(now=NOON + timedelta(days=30, minutes=1))

    assert bool(list(folder.glob("*"))) is is_left


def test_the_page_lists_exports_and_shows_a_card(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    export = requested(client, campaign, shape="unpaired", style="standard")

    listed = client.get(f"/campaigns/{campaign.pk}/export/list").content.decode()
    page = client.get(f"/exports/{export.pk}/").content.decode()

    assert f"/exports/{export.pk}/" in listed
    assert "data-polls" not in listed
    assert "responses between the best and the worst" in page
    assert ">Licences</h" in page


# --- by API ---------------------------------------------------------------------------------------


def test_a_researcher_exports_by_api(campaign: Campaign, noor: User, calling: Caller) -> None:
    client = calling(noor)
    body = {"campaign": campaign.pk, "shape": "preferences", "format": "parquet"}

    made = client.post("/api/v1/exports", body, content_type="application/json")
    address = f"/api/v1/exports/{made.json()['id']}"
    early = client.get(f"{address}/file")
    jobs.EXPORTS.run(made.json()["id"], clock=lambda: NOON)
    found = client.get(address).json()
    file: Any = client.get(f"{address}/file")

    assert (made.status_code, made.json()["state"], early.status_code) == (201, "queued", 409)
    assert (found["state"], found["style"]) == ("done", "conversational")
    assert found["card"].startswith("---\n")
    rows = rows_in(b"".join(file.streaming_content))
    assert len(rows) == found["n_rows"] == len(list(shapes.records("preferences")))


def test_all_judgments_are_exported_by_api_with_imports(
    campaign: Campaign, demonstration_campaign: Campaign, rosa: Rater, noor: User, calling: Caller
) -> None:
    written(demonstration_campaign, rosa, "Four.")
    client = calling(noor)

    made = client.post(
        "/api/v1/exports", {"shape": "demonstrations"}, content_type="application/json"
    ).json()
    jobs.EXPORTS.run(made["id"], clock=lambda: NOON)

    found = client.get(f"/api/v1/exports/{made['id']}").json()
    assert (found["campaign"], found["options"]["includes_imports"]) == (None, True)
    assert found["n_rows"] == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"shape": "stepwise", "style": "conversational"}, "exported as standard"),
        ({"shape": "argilla", "format": "parquet"}, "json, jsonl"),
        ({"shape": "demonstrations"}, "no such shape"),
    ],
)
def test_what_a_shape_does_not_have_is_refused_with_what_it_has(
    body: dict[str, str], words: str, campaign: Campaign, noor: User, calling: Caller
) -> None:
    answer = calling(noor).post(
        "/api/v1/exports", {"campaign": campaign.pk} | body, content_type="application/json"
    )

    assert answer.status_code == 409
    assert words in answer.json()["detail"]
