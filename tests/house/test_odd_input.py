"""Input that no page sends and a browser, a script or a stranger can: a sentence or an ordinary
page answers it, never a 500.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Draft, Judgment, Rater
from tests.api.conftest import client_with, secret_of
from tests.labeling.desk.posting import comparison, start
from tests.training import cast

SignedIn = Callable[..., Client]


@pytest.mark.parametrize("rank", ["001" + "0" * 5000, "²", "9" * 5000, "-1", "1e400"])
def test_a_rank_of_any_length(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, rank: str
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "submit", comparison(**{"rank-A": rank}))

    assert answer.status_code == 422
    assert "must be a number from 1 to 4" in answer.text


def test_a_rank_with_zeros_in_front(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    client.post(address + "submit", comparison(**{"rank-A": "02"}))

    assert Judgment.of_people.exists()


@pytest.mark.parametrize("name", ["rate-A-\0", "rate-A-\ud800", "reason\0"])
def test_a_draft_with_a_field_that_cannot_be_stored(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, name: str
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(
        address + "draft",
        json.dumps({"revision": 1, "fields": {name: ["x"], "reason": ["kept"]}}),
        content_type="application/json",
    )

    assert answer.status_code == 200
    assert Draft.objects.get().content["fields"]["reason"] == ["kept"]


@pytest.mark.parametrize(
    "record",
    [
        '{"seconds": {"A": 1e400}}',
        '{"active_s": 1e400}',
        '{"seconds": {"A": -1e400}, "active_s": 90}',
        '{"seconds": {"A": ' + "9" * 5000 + "}}",
    ],
)
def test_a_measurement_beyond_every_number(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn, record: str
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    answer = client.post(address + "submit", comparison(record=record, confirmed="1"))

    assert answer.status_code < 500


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "0000-00-00", "\0"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_a_day_at_the_end_of_time(
    rosa: Rater, alice: User, signed_in: SignedIn, name: str, day: str
) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        User.objects.update(time_zone=zone)
        for person, path in (
            (rosa, "/my-pay/"),
            (rosa, "/my-work/"),
            (alice, "/pay/"),
            (alice, "/audit/"),
        ):
            assert signed_in(person).get(path, {name: day}).status_code < 500, path


@pytest.mark.parametrize("name", ["words", "kind", "state", "q", "page", "from"])
@pytest.mark.parametrize(
    "path",
    [
        *("/runs/", "/runs/compare/", "/models/", "/snapshots/", "/snapshots/new/"),
        *("/runs/new/sft/", "/suites/"),
    ],
)
def test_a_query_that_cannot_be_stored(
    noor: User, signed_in: SignedIn, path: str, name: str
) -> None:
    assert signed_in(noor).get(f"{path}?{name}=%00").status_code < 500


@pytest.mark.parametrize("number", ["²", "9" * 30, "9" * 5000, "٣", "%00", "-1", "01"])
@pytest.mark.parametrize(
    "path",
    [
        "/runs/compare/?run=",
        "/runs/compare/?words=",
        "/runs/new/sft/?from=",
        "/runs/new/sft/?snapshot=",
        "/runs/new/sft/?base_model=",
        "/models/try/?model=",
    ],
)
def test_what_looks_like_a_number_and_is_none(
    noor: User, signed_in: SignedIn, path: str, number: str
) -> None:
    assert signed_in(noor).get(path + number).status_code < 500


@pytest.mark.parametrize("number", ["²", "9" * 30, "9" * 5000, "٣", "-1"])
def test_a_number_of_a_campaign_and_of_epochs(
    noor: User, alice: User, rosa: Rater, signed_in: SignedIn, number: str
) -> None:
    run = cast.finished(cast.a_run(noor, state="running"), "succeeded")

    assert signed_in(alice).get(f"/campaigns/new/?from={number}").status_code < 500
    assert signed_in(noor).post(f"/runs/{run.pk}/extend", {"amount": number}).status_code < 500
    assert signed_in(rosa).get(f"/guidelines/?for={number}").status_code < 500


@pytest.mark.parametrize(
    "data",
    [{}, {"name": "g", "text": "t"}, {"more": "questions", "questions-TOTAL_FORMS": "9" * 5000}],
)
def test_a_guideline_without_its_management_form(
    alice: User, signed_in: SignedIn, data: dict[str, Any]
) -> None:
    assert signed_in(alice).post("/guidelines/new/", data).status_code < 500


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000])
def test_a_number_of_the_api_beyond_every_number(alice: User, number: str) -> None:
    body = f'{{"text": "Why?", "category": "chat", "n": {number}}}'

    answer = client_with(secret_of(alice)).post(
        "/api/v1/prompts", body, content_type="application/json"
    )

    assert answer.status_code < 500


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400])
def test_a_setting_of_a_run_beyond_every_number(noor: User, number: str) -> None:
    model, snapshot = cast.a_model(noor), cast.a_snapshot(noor)
    body = (
        f'{{"kind": "sft", "name": "a", "snapshot": {snapshot.pk}, "base_model": {model.pk},'
        f' "config": {{"learning_rate": {number}, "max_tokens": {number}}}}}'
    )

    for call in ("runs", "runs/estimate"):
        answer = client_with(secret_of(noor)).post(
            f"/api/v1/{call}", body, content_type="application/json"
        )
        assert 400 <= answer.status_code < 500, answer.content
