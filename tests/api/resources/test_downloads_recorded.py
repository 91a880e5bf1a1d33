"""Who took what out of the site is in the audit log."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.models import Campaign, Export
from tests.api.conftest import Caller
from tests.labeling.answers import downloaded

pytestmark = pytest.mark.django_db


def downloads() -> list[tuple[int | None, str, int | None]]:
    events = AuditEvent.objects.filter(action__in=["download", "read_feed"]).order_by("pk")
    return [(event.by_id, event.target_type, event.target_id) for event in events]


@pytest.fixture
def export(
    comparison_campaign: Campaign, alice: User, settings: LazySettings, tmp_path: Path
) -> Export:
    settings.EXPORTS_DIR = tmp_path
    (tmp_path / "made.zip").write_bytes(b"PK")
    return Export.objects.create(
        campaign=comparison_campaign,
        shape="judgments",
        style="",
        file_format="jsonl",
        options={},
        created_by=alice,
        created_at=timezone.now(),
        state=Export.State.DONE,
        file_name="made.zip",
    )


def test_a_download_of_an_export_is_recorded_on_the_page_and_in_the_api(
    export: Export, alice: User, signed_in: Callable[..., Client], calling: Caller
) -> None:
    page = signed_in(alice).get(f"/exports/{export.pk}/file")
    call = calling(alice).get(f"/api/v1/exports/{export.pk}/file")

    assert [downloaded(page), downloaded(call)] == [b"PK", b"PK"]
    assert downloads() == [(alice.pk, "labeling.campaign", export.campaign_id)] * 2
    event = AuditEvent.objects.filter(action="download")[0]
    assert event.after["shape"] == "judgments"


def test_a_file_that_is_not_there_is_no_download(
    export: Export, alice: User, signed_in: Callable[..., Client]
) -> None:
    Export.objects.update(file_name="")

    signed_in(alice).get(f"/exports/{export.pk}/file")

    assert downloads() == []


def test_reading_the_feed_is_recorded_once_an_hour_for_each_token(
    alice: User, calling: Caller, comparison_campaign: Campaign
) -> None:
    one, other = calling(alice), calling(alice)

    statuses = [client.get("/api/v1/judgments").status_code for client in (one, one, other, one)]
    seen: list[Any] = downloads()
    cache.clear()  # as an hour later
    one.get("/api/v1/judgments?cursor=7")

    assert statuses == [200] * 4
    tokens = list(alice.api_tokens.order_by("pk").values_list("pk", flat=True))
    assert seen == [(alice.pk, "accounts.apitoken", pk) for pk in tokens]
    assert downloads()[2:] == [(alice.pk, "accounts.apitoken", tokens[0])]


@pytest.mark.parametrize("words", ["responses", "attacks", "conversations"])
def test_reading_peoples_words_is_recorded_once_an_hour(
    alice: User, calling: Caller, words: str
) -> None:
    client = calling(alice)

    statuses = [client.get(f"/api/v1/{words}{asked}").status_code for asked in ("", "?x=1", "")]

    token = alice.api_tokens.get()
    (event,) = AuditEvent.objects.filter(action=f"read_{words}")
    assert statuses == [200, 400, 200]
    assert (event.by, event.target_type, event.target_id) == (alice, "accounts.apitoken", token.pk)
    assert event.after == {"from": 0}


def test_a_refused_reading_of_words_is_not_recorded(client: Client) -> None:
    assert client.get("/api/v1/responses").status_code == 401

    assert not AuditEvent.objects.filter(action="read_responses").exists()
