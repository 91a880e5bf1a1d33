"""A broker that accepts connections and then answers nothing: nobody waits for it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from config import broker
from labeling.models import Import
from tests.config.own_redis import Redis

SignedIn = Callable[..., Client]
FEW_S = 6
pytestmark = pytest.mark.slow


def test_sending_a_task_to_a_frozen_broker_gives_up_within_seconds(own_redis: Redis) -> None:
    own_redis.freeze()
    began = time.monotonic()

    was_sent = broker.send("labeling.queue.tasks.queue_judgment_events")
    n_waiting = broker.n_waiting("short")

    assert (was_sent, n_waiting) == (False, 0)
    assert time.monotonic() - began < FEW_S


def test_many_messages_to_a_frozen_broker_take_no_longer_than_one(own_redis: Redis) -> None:
    own_redis.freeze()
    began = time.monotonic()

    were_sent = [broker.send("labeling.queue.tasks.queue_judgment_events") for _ in range(20)]

    assert not any(were_sent)
    assert time.monotonic() - began < FEW_S


def test_a_broker_that_is_back_is_asked_again(
    own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "AWAY_S", 0.0)
    own_redis.freeze()
    assert not broker.send("labeling.queue.tasks.queue_judgment_events")
    own_redis.thaw()

    assert broker.send("labeling.queue.tasks.queue_judgment_events")


def test_a_broker_that_freezes_after_it_was_reached_is_given_up_too(own_redis: Redis) -> None:
    assert broker.send("labeling.queue.tasks.queue_judgment_events")
    own_redis.freeze()
    began = time.monotonic()

    assert not broker.send("labeling.queue.tasks.queue_judgment_events")
    assert time.monotonic() - began < FEW_S


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/models/try/", "/models/", "/runs/", "/campaigns/"])
def test_pages_answer_while_redis_is_frozen(
    own_redis: Redis, noor: User, signed_in: SignedIn, path: str
) -> None:
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    client = signed_in(noor)
    client.get(path)  # compiles its templates
    own_redis.freeze()
    began = time.monotonic()

    assert client.get(path).status_code == 200
    assert time.monotonic() - began < FEW_S


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_stored_while_redis_is_frozen(
    own_redis: Redis, alice: User, signed_in: SignedIn, settings: LazySettings, tmp_path: Path
) -> None:
    settings.UPLOADS_DIR = tmp_path
    client = signed_in(alice)
    own_redis.freeze()
    began = time.monotonic()

    answer = client.post(
        "/prompts/imports/new/",
        {
            "source_name": "rivers",
            "licence": "CC0-1.0",
            "file_format": "",
            "file": SimpleUploadedFile("rivers.jsonl", b'{"prompt": "Which river?"}\n'),
        },
    )

    assert answer.status_code == 302
    assert Import.objects.get().state == Import.State.QUEUED
    assert time.monotonic() - began < FEW_S


def test_the_certificate_of_a_broker_with_tls_is_verified() -> None:
    code = (
        "import django; django.setup(); from config.celery import app;"
        " print(app.connection_for_write().ssl['ssl_cert_reqs'].name)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ
        | {
            "REDIS_URL": "rediss://:password@broker.example:6379/0",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.strip() == "CERT_REQUIRED", done.stderr
