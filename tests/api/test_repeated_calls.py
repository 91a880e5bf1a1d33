"""A call repeated with the same Idempotency-Key is done once; callers over the rate limit wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import IdempotentCall, User
from labeling.models import Pool
from tests.api.conftest import client_with, secret_of

Caller = Callable[..., Client]


def create(client: Client, name: str, key: str | None = "k-1", path: str = "/api/v1/pools") -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(path, {"name": name}, content_type="application/json", headers=headers)


def test_the_same_call_again_is_done_once_and_answered_the_same(
    calling: Caller, alice: User
) -> None:
    client = calling(alice)

    first, again = create(client, "Night shift"), create(client, "Night shift")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (
        False,
        "true",
    )
    assert Pool.objects.count() == 1


def test_the_same_key_with_another_body_is_422_with_a_sentence(
    calling: Caller, alice: User
) -> None:
    client = calling(alice)
    create(client, "Night shift")

    response = create(client, "Early shift")

    assert (response.status_code, response.json()) == (
        422,
        {
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": (
                "This Idempotency-Key was already used for a different request. Use a new key."
            ),
            "errors": {},
        },
    )
    assert Pool.objects.count() == 1


def test_the_same_key_at_another_address_is_422(calling: Caller, alice: User) -> None:
    client = calling(alice)
    create(client, "Night shift")

    assert create(client, "Night shift", path=f"/api/v1/campaigns/{987}/open").status_code == 422


def test_a_key_outlives_the_token_it_came_with(alice: User) -> None:
    first = create(client_with(secret_of(alice)), "Night shift")
    again = create(client_with(secret_of(alice)), "Night shift")

    assert first.json() == again.json()


def test_a_key_is_one_persons_and_not_anothers(calling: Caller, alice: User, noor: User) -> None:
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    noor.refresh_from_db()
    create(calling(alice), "Night shift")

    assert create(calling(noor), "Early shift").status_code == 201


def test_a_refused_call_is_forgotten_with_its_key(
    calling: Caller, alice: User, day_shift: Pool
) -> None:
    client = calling(alice)

    refused = create(client, "Day shift")
    mended = create(client, "Night shift")

    assert (refused.status_code, mended.status_code) == (400, 201)


def test_a_key_is_forgotten_after_a_day(calling: Caller, alice: User) -> None:
    client = calling(alice)
    create(client, "Night shift")
    IdempotentCall.objects.update(at=timezone.now() - timedelta(hours=25))

    assert create(client, "Early shift").status_code == 201


def test_a_key_of_strange_signs_is_refused(calling: Caller, alice: User) -> None:
    response = create(calling(alice), "Night shift", key="two words")

    assert (response.status_code, list(response.json()["errors"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db(transaction=True)
def test_the_same_call_from_eight_programs_at_once_is_done_once() -> None:
    alice = User.objects.create_user(email="alice@example.org", name="Alice", is_admin=True)
    secret, together = secret_of(alice), Barrier(8)

    def call(_number: int) -> tuple[int, dict[str, Any]]:
        together.wait()
        try:
            response = create(client_with(secret), "Night shift")
            return response.status_code, response.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(8)))

    assert {status for status, _body in answers} == {201}
    assert len({body["id"] for _status, body in answers}) == 1
    assert Pool.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_programs_that_take_the_same_name_at_once_both_get_an_answer() -> None:
    alice = User.objects.create_user(email="alice@example.org", name="Alice", is_admin=True)
    secret, together = secret_of(alice), Barrier(4)

    def call(_number: int) -> int:
        together.wait()
        try:
            return int(create(client_with(secret), "Night shift", key=None).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(call, range(4)))

    assert statuses[0] == 201
    assert set(statuses[1:]) <= {400, 409}


# Limits


def test_too_many_reads_are_answered_with_when_to_retry(
    calling: Caller, alice: User, settings: LazySettings
) -> None:
    settings.API_READS_PER_MINUTE = 2
    client = calling(alice)

    statuses = [client.get("/api/v1/pools").status_code for _ in range(4)]
    waiting = client.get("/api/v1/pools")

    assert statuses == [200, 200, 429, 429]
    assert 1 <= int(waiting.headers["Retry-After"]) <= 60
    assert waiting.json()["detail"]
    assert waiting.json()["type"].endswith("#quota-exceeded")
    assert waiting.headers["RateLimit"] == f'"reads";r=0;t={waiting.headers["Retry-After"]}'


def test_each_response_says_how_many_calls_are_left(
    calling: Caller, alice: User, settings: LazySettings
) -> None:
    settings.API_READS_PER_MINUTE, settings.API_WRITES_PER_MINUTE = 3, 2
    client = calling(alice)

    reads = [client.get("/api/v1/pools") for _ in range(2)]
    refused = create(client, "")

    assert reads[0].headers["RateLimit-Policy"] == '"reads";q=3;w=60'
    assert [one.headers["RateLimit"].partition(";t=")[0] for one in reads] == [
        '"reads";r=2',
        '"reads";r=1',
    ]
    assert refused.status_code == 400
    assert refused.headers["RateLimit-Policy"] == '"writes";q=2;w=60'
    assert refused.headers["RateLimit"] == '"writes";r=1;t=60'


def test_without_a_limit_nothing_is_said_of_one(
    calling: Caller, alice: User, settings: LazySettings
) -> None:
    settings.API_READS_PER_MINUTE = 0

    assert "RateLimit" not in calling(alice).get("/api/v1/pools").headers


def test_reads_and_writes_are_counted_apart_and_tokens_too(
    calling: Caller, alice: User, settings: LazySettings
) -> None:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 1
    one, other = calling(alice), calling(alice)

    assert one.get("/api/v1/pools").status_code == 200
    assert create(one, "Night shift").status_code == 201
    assert other.get("/api/v1/pools").status_code == 200


def test_zero_sets_no_limit(calling: Caller, alice: User, settings: LazySettings) -> None:
    settings.API_READS_PER_MINUTE = 0
    client = calling(alice)

    assert {client.get("/api/v1/pools").status_code for _ in range(5)} == {200}


def test_calls_are_answered_while_the_cache_is_away(
    calling: Caller, alice: User, settings: LazySettings
) -> None:
    client = calling(alice)
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }

    assert client.get("/api/v1/pools").status_code == 200
