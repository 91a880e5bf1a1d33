"""The labeling half over HTTP: what is listed, made and steered, and what the feed of judgments
tells.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rater
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of, open_demonstration_campaign, responses_to, some_prompts

Caller = Callable[..., Client]
QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def written(campaign: Campaign, rater: Rater, text: str = "Four.", at: datetime = NOON) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=at)
    return submit.submit(
        lease=lease_of(slot), rater=rater, answer=DemonstrationAnswer(text=text), now=at
    )


def ranked(campaign: Campaign, rater: Rater) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    ratings = {position: {"overall": position + 1} for position in range(4)}
    return submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(ranks={0: 2, 1: 1, 2: 2, 3: None}, ratings=ratings),
        now=NOON,
    )


# --- prompts --------------------------------------------------------------------------------------


def test_a_prompt_is_stored_and_told_back(calling: Caller, alice: User) -> None:
    response = post(
        calling(alice),
        "/api/v1/prompts",
        {"messages": QUESTION, "category": "open_qa", "language": "en"},
    )

    prompt = Prompt.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": prompt.pk,
        "messages": QUESTION,
        "tools": [],
        "category": "open_qa",
        "language": "en",
        "split": "validation",
        "licence": "",
        "sensitive": [],
        "constraints": [],
        "source": {"id": prompt.source_id, "name": f"person {alice.pk}", "kind": "person"},
        "origin": "typed in",
        "version": 1,
        "supersedes": None,
        "retired_at": None,
        "created_at": prompt.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_a_prompt_is_stored_with_what_may_upset_and_what_an_answer_keeps_to(
    calling: Caller, alice: User
) -> None:
    about = {"sensitive": ["violence", "hate"], "constraints": ["At most three sentences."]}

    response = post(calling(alice), "/api/v1/prompts", {"messages": QUESTION, **about})
    refused = post(
        calling(alice), "/api/v1/prompts", {"messages": QUESTION, "sensitive": ["boredom"]}
    )

    prompt = Prompt.objects.get()
    assert {name: response.json()[name] for name in about} == about
    assert {"sensitive": prompt.sensitive, "constraints": prompt.constraints} == about
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("messages", "field", "sentence"),
    [
        ([], "messages", "Ensure this field has at least 1 elements."),
        ([{"role": "user", "content": ""}], "messages.0.content", "This field may not be blank."),
        (
            [*QUESTION, *QUESTION],
            "messages",
            "Message 2 must have the role assistant: turns alternate, starting with the user.",
        ),
        (
            [{"role": "system", "content": "Be kind."}],
            "messages",
            "The last message must be from the user: it is the one that gets answered.",
        ),
        (
            [*QUESTION, {"role": "assistant", "content": "Rayleigh."}],
            "messages",
            "The last message must be from the user: it is the one that gets answered.",
        ),
    ],
)
def test_messages_that_are_no_conversation_are_refused_where_they_stop(
    calling: Caller, alice: User, messages: list[object], field: str, sentence: str
) -> None:
    response = post(calling(alice), "/api/v1/prompts", {"messages": messages})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some values are invalid.",
        "errors": {field: [sentence]},
    }


def test_every_problem_of_a_body_is_told_at_once(calling: Caller, alice: User) -> None:
    response = post(
        calling(alice),
        "/api/v1/prompts",
        {"messages": QUESTION, "category": "poetry", "split": "none"},
    )

    assert set(response.json()["errors"]) == {"category", "split"}


def test_a_body_that_is_no_json_gets_a_sentence(calling: Caller, alice: User) -> None:
    response = calling(alice).post("/api/v1/prompts", "{", content_type="application/json")

    assert (response.status_code, response.json()["errors"]) == (400, {})
    assert response.json()["detail"].startswith("JSON parse error")


def test_prompts_are_filtered_by_what_they_are(calling: Caller, alice: User) -> None:
    some_prompts(2)
    Prompt.objects.filter(pk=some_prompts(1)[0].pk).update(category="chat", split="test")

    client = calling(alice)

    assert len(client.get("/api/v1/prompts?category=chat&split=test").json()["results"]) == 1
    assert len(client.get("/api/v1/prompts?text=Question 1").json()["results"]) == 1
    assert client.get("/api/v1/prompts?category=poetry").status_code == 400


@pytest.mark.parametrize("blank", ["language=%20", "text="])
def test_a_blank_filter_leaves_nothing_out(calling: Caller, alice: User, blank: str) -> None:
    some_prompts(3)

    response = calling(alice).get(f"/api/v1/prompts?{blank}")

    assert (response.status_code, len(response.json()["results"])) == (200, 3)


def test_pages_of_a_list_neither_overlap_nor_leave_a_gap(calling: Caller, alice: User) -> None:
    ids = [prompt.pk for prompt in some_prompts(5)]
    client = calling(alice)

    first = client.get("/api/v1/prompts?limit=2").json()
    some_prompts(1, source_name="while somebody reads")
    second = client.get(f"/api/v1/prompts?limit=2&cursor={first['next_cursor']}").json()
    third = client.get(f"/api/v1/prompts?limit=2&cursor={second['next_cursor']}").json()

    assert [row["id"] for page in (first, second, third) for row in page["results"]] == sorted(
        ids, reverse=True
    )
    assert third["next_cursor"] is None


def test_a_list_of_prompts_costs_the_same_however_long(
    calling: Caller, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = calling(alice)
    client.get("/api/v1/prompts")
    some_prompts(60)

    with django_assert_num_queries(3):  # token with its person, who withdrew, prompts
        assert len(client.get("/api/v1/prompts?limit=60").json()["results"]) == 60


def test_what_is_not_there_is_404_with_a_sentence(calling: Caller, alice: User) -> None:
    client = calling(alice)

    for path in ("prompts/987", "pools/987", "campaigns/987"):
        response = client.get(f"/api/v1/{path}")
        assert (response.status_code, response.json()["errors"]) == (404, {})
        assert response.json()["detail"]


# --- pools and campaigns --------------------------------------------------------------------------


def test_a_pool_is_made_under_a_name_of_its_own(
    calling: Caller, alice: User, day_shift: Pool
) -> None:
    client = calling(alice)

    made = post(client, "/api/v1/pools", {"name": "Night shift", "is_held_out": True})
    refused = post(client, "/api/v1/pools", {"name": "Day shift"})

    assert made.status_code == 201
    assert made.json() | {"id": 0, "created_at": ""} == {
        "id": 0,
        "name": "Night shift",
        "description": "",
        "is_held_out": True,
        "languages": [],
        "expertise": [],
        "routes_by_language": False,
        "routes_by_category": False,
        "max_per_day": None,
        "max_at_once": None,
        "shown_items": 20,
        "shown_percent": 75,
        "paused_at": None,
        "n_raters": 0,
        "n_campaigns": 0,
        "created_at": "",
    }
    assert refused.json()["errors"] == {"name": ["Another pool already has this name."]}


def test_a_campaign_is_made_opened_paused_and_closed(
    calling: Caller, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    responses_to(some_prompts(3), n=4)
    client = calling(alice)
    body = {
        "name": "By script",
        "kind": "comparison",
        "pool": day_shift.pk,
        "guideline": guideline.pk,
        "overlap": 2,
        "n_responses": 4,
        "prompts": {"n_prompts": 2},
    }

    made = post(client, "/api/v1/campaigns", body).json()
    states = [
        post(client, f"/api/v1/campaigns/{made['id']}/{verb}", {}).json()["state"]
        for verb in ("open", "pause", "close")
    ]

    assert (made["state"], made["progress"]["n_slots"], made["progress"]["is_done"]) == (
        "draft",
        4,
        False,
    )
    assert states == ["open", "paused", "closed"]
    assert set(
        AuditEvent.objects.filter(target_type="labeling.campaign").values_list(
            "by__name", flat=True
        )
    ) == {"Alice"}


def test_a_campaign_that_nobody_could_work_on_is_refused_in_the_services_words(
    calling: Caller, alice: User, day_shift: Pool, guideline: Guideline
) -> None:
    body = {
        "name": "Empty",
        "kind": "demonstration",
        "pool": day_shift.pk,
        "guideline": guideline.pk,
    }

    response = post(calling(alice), "/api/v1/campaigns", body)

    assert (response.status_code, response.json()["detail"]) == (
        409,
        "Choose at least one prompt.",
    )
    assert not Campaign.objects.exists()


def test_an_id_that_is_nobodys_is_named(calling: Caller, alice: User, guideline: Guideline) -> None:
    body = {"name": "x", "kind": "demonstration", "pool": 987, "guideline": guideline.pk}

    response = post(calling(alice), "/api/v1/campaigns", body)

    assert response.json()["errors"] == {"pool": ["No object has the ID 987."]}


def test_a_campaigns_progress_counts_its_slots(
    calling: Caller, alice: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa)
    claim.claim(campaign=demonstration_campaign, rater=rosa, now=timezone.now())

    progress = (
        calling(alice).get(f"/api/v1/campaigns/{demonstration_campaign.pk}").json()["progress"]
    )

    assert progress == {
        "n_slots": 5,
        "n_submitted": 1,
        "n_in_hand": 1,
        "n_left": 4,
        "n_extra": 0,
        "is_done": False,
    }


def test_a_list_of_campaigns_costs_the_same_however_long(
    calling: Caller,
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = calling(alice)
    client.get("/api/v1/campaigns")
    for number in range(6):
        open_demonstration_campaign(
            pool=day_shift, guideline=guideline, n_items=2, name=f"Campaign {number}"
        )

    # token, campaigns, slots, who withdrew, extras, newest judgments
    with django_assert_num_queries(6):
        assert len(client.get("/api/v1/campaigns").json()["results"]) == 6


def test_guidelines_are_listed_so_that_a_campaign_can_name_one(
    calling: Caller, alice: User, guideline: Guideline
) -> None:
    (row,) = calling(alice).get("/api/v1/guidelines").json()["results"]

    assert (row["id"], row["name"], row["n_versions"]) == (guideline.pk, "Helpful answers", 1)
