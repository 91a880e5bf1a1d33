"""A rater downloads what is stored about them, and withdraws by themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, Notice, User
from labeling.models import Campaign, Rater
from tests.cast import login_of
from tests.labeling.answers import downloaded, words
from tests.labeling.quality.judging import judge_all

pytestmark = pytest.mark.django_db

SignedIn = Callable[..., Client]


def own_file(client: Client) -> list[dict[str, Any]]:
    answer = client.get("/my-data/file")
    return [json.loads(line) for line in downloaded(answer).decode().splitlines()]


def test_a_raters_file_has_their_profile_and_answers_and_nobody_elses(
    comparison_campaign: Campaign, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    judge_all(comparison_campaign, rosa)
    judge_all(comparison_campaign, raul)

    profile, *answers = own_file(signed_in(login_of(rosa)))

    assert profile["alias"] == rosa.alias
    assert profile["login"]["email"] == login_of(rosa).email
    assert [pool["pool__name"] for pool in profile["pools"]] == ["Day shift"]
    assert [record["type"] for record in answers] == ["answer"] * 5
    assert {len(record["responses"]) for record in answers} == {4}
    assert sorted(row["rank"] for row in answers[0]["responses"]) == [1, 2, 3, 4]
    assert AuditEvent.objects.get(action="export").target_id == rosa.pk


def test_the_file_does_not_say_where_a_response_came_from_or_what_was_a_gold(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    judge_all(comparison_campaign, rosa)

    text = json.dumps(own_file(signed_in(login_of(rosa)))[1:]).lower()

    assert "gold" not in text
    assert '"source"' not in text


def test_a_rater_withdraws_after_being_told_what_is_lost(
    comparison_campaign: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    judge_all(comparison_campaign, rosa)
    client = signed_in(login_of(rosa))

    asked = words(client.get("/my-data/withdraw/"))
    refused = client.post("/my-data/withdraw/")
    rosa.refresh_from_db()
    assert (refused.status_code, rosa.withdrawn_at) == (422, None)
    done = client.post("/my-data/withdraw/", {"is_sure": "on"}, follow=True)

    assert "Your 5 answers no longer count" in asked
    assert "You leave your pools (Day shift)" in asked
    assert "stays paid" in asked
    assert "You withdrew on" in words(done)
    rosa.refresh_from_db()
    assert rosa.withdrawn_at is not None
    event = AuditEvent.objects.get(action="withdraw")
    assert (event.by, event.before) == (login_of(rosa), {"pools": ["Day shift"]})
    assert rosa.alias in Notice.objects.get(person=alice).sentence
    assert client.get("/my-data/withdraw/").status_code == 302


def test_who_has_withdrawn_still_signs_in_and_downloads(
    comparison_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    judge_all(comparison_campaign, rosa)
    client = signed_in(login_of(rosa))
    client.post("/my-data/withdraw/", {"is_sure": "on"})

    assert len(own_file(client)) == 6
    for path in ("/my-work/", "/desk/", "/my-pay/", "/my-data/"):
        assert client.get(path).status_code == 200


def test_my_work_leads_to_my_data(rosa: Rater, signed_in: SignedIn) -> None:
    assert 'href="/my-data/"' in signed_in(login_of(rosa)).get("/my-work/").content.decode()
