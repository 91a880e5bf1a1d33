"""A site whose Redis stops and comes back: people go on, and what waited is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config import broker
from config.performance import cache
from labeling.data.imports import services
from labeling.models import Campaign, Import, Judgment, Rater
from tests.cast import PASSWORD
from tests.config.own_redis import Redis
from tests.labeling.desk.posting import comparison, slot_of, start

SignedIn = Callable[..., Client]
WAITS = "The broker is not responding."
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process asks a Redis that is back after five and ten seconds. Here, it does not wait."""
    monkeypatch.setattr(broker, "AWAY_S", 0.0)
    monkeypatch.setattr(cache, "AWAY_S", 0.0)


def test_a_rater_signs_in_answers_and_sees_the_answer_without_redis(
    own_redis: Redis, client: Client, rosa: Rater, comparison_campaign: Campaign
) -> None:
    own_redis.stop()

    login = {"login": "rosa@example.org", "password": PASSWORD}
    assert client.post("/account/login/", login).status_code == 302
    item = start(client, comparison_campaign)
    desk = client.get(item)
    lease = slot_of(rosa).lease
    sent = client.post(f"{item}submit", comparison())
    history = client.get("/my-work/")

    assert (desk.status_code, sent.status_code, history.status_code) == (200, 302, 200)
    assert WAITS not in desk.text + history.text, "a rater has nothing to wait for"
    assert Judgment.of_people.get().lease == lease
    assert comparison_campaign.name in history.text


def test_what_was_started_without_redis_is_sent_when_it_is_back(
    own_redis: Redis, alice: User, signed_in: SignedIn, settings: LazySettings, tmp_path: Path
) -> None:
    settings.UPLOADS_DIR = tmp_path
    admin = signed_in(alice)
    own_redis.stop()
    answer = admin.post(
        "/prompts/imports/new/",
        {
            "source_name": "rivers",
            "licence": "CC0-1.0",
            "file_format": "",
            "file": SimpleUploadedFile("rivers.jsonl", b'{"prompt": "Which river?"}\n'),
        },
    )
    assert WAITS in admin.get(answer["Location"]).text
    assert Import.objects.get().state == Import.State.QUEUED

    own_redis.start()
    assert broker.n_waiting("short") == 0
    services.IMPORTS.wake_waiting(now=timezone.now())

    assert broker.n_waiting("short") == 1
    assert WAITS not in admin.get(answer["Location"]).text


def test_a_redis_that_stops_and_returns_signs_nobody_out(
    own_redis: Redis, noor: User, signed_in: SignedIn
) -> None:
    researcher = signed_in(noor)

    statuses = [researcher.get("/models/").status_code]
    own_redis.stop()
    statuses.append(researcher.get("/models/").status_code)
    own_redis.start()
    statuses.append(researcher.get("/models/").status_code)

    assert statuses == [200] * 3
