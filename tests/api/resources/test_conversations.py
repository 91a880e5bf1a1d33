"""Conversations over the API: campaigns are created and changed, conversations are read."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.conversations import turns
from labeling.models import Campaign, Conversation, Guideline, Pool, Rater, Response
from tests.cast import NOON, some_prompts
from tests.labeling.desk.conversations.talking import (
    answered,
    conversation_with_a_failure,
    model_source,
    rated,
    started,
    turn_of,
)

Caller = Callable[..., Client]


@pytest.fixture
def talked(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Conversation:
    return conversation_with_a_failure(pool=day_shift, guideline=guideline, rater=rosa)


@pytest.fixture
def body(day_shift: Pool, guideline: Guideline) -> dict[str, Any]:
    some_prompts(2)
    models = [
        {"source": model_source("first").pk, "weight": 2, "temperature": 0.7},
        {"source": model_source("second").pk},
    ]
    return {
        "name": "Talk",
        "kind": "conversation",
        "pool": day_shift.pk,
        "guideline": guideline.pk,
        "n_responses": 2,
        "asks_strength": True,
        "conversation": {
            "models": models,
            "draws": "turn",
            "brief": "Plan a trip.",
            "min_turns": 2,
            "max_turns": 5,
        },
    }


def post(client: Client, path: str, body: object) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


def patch(client: Client, path: str, body: object) -> Any:
    return client.patch(f"/api/v1/{path}", body, content_type="application/json")


def test_a_conversation_campaign_is_created_and_read(
    calling: Caller, alice: User, body: dict[str, Any]
) -> None:
    client = calling(alice)

    made = post(client, "campaigns", body)

    assert made.status_code == 201, made.json()
    plan = made.json()["conversation"]
    assert [(one["weight"], one["temperature"]) for one in plan["models"]] == [(2, 0.7), (1, 1)]
    assert (plan["draws"], plan["opening"]) == ("turn", "prompt")
    assert (plan["min_turns"], plan["max_turns"], plan["brief"]) == (2, 5, "Plan a trip.")
    assert client.get(f"/api/v1/campaigns/{made.json()['id']}").json()["conversation"] == plan


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"models": []}, "conversation", "Choose at least one model to talk with."),
        ({"models": [{"source": 98765}]}, "models", "98765"),
        ({"min_turns": 6}, "", "Maximum turns (5) must not be lower than minimum turns (6)."),
        ({"max_turns": 51}, "max_turns", "50"),
        ({"draws": "daily"}, "draws", "daily"),
    ],
)
def test_what_a_conversation_cannot_be_is_refused_with_the_value(
    changes: dict[str, Any],
    field: str,
    sentence: str,
    calling: Caller,
    alice: User,
    body: dict[str, Any],
) -> None:
    body["conversation"] |= changes

    answer = post(calling(alice), "campaigns", body)

    assert answer.status_code in {400, 422}
    assert sentence in str(answer.json())
    assert field in str(answer.json())
    assert not Campaign.objects.exists()


def test_a_model_that_is_chosen_twice_is_named(
    calling: Caller, alice: User, body: dict[str, Any]
) -> None:
    body["conversation"]["models"][1] = body["conversation"]["models"][0]

    assert "“first” is chosen twice" in str(post(calling(alice), "campaigns", body).json())


def test_without_a_plan_or_with_five_answers_nothing_is_created(
    calling: Caller, alice: User, body: dict[str, Any]
) -> None:
    client = calling(alice)
    without = {name: value for name, value in body.items() if name != "conversation"}

    assert "conversation" in str(post(client, "campaigns", without).json())
    assert "n_responses" in str(post(client, "campaigns", body | {"n_responses": 5}).json())
    assert not Campaign.objects.exists()


def test_turns_and_brief_change_while_it_runs_and_models_do_not(
    calling: Caller, alice: User, talked: Conversation
) -> None:
    client, path = calling(alice), f"campaigns/{talked.item.campaign_id}"

    changed = patch(client, path, {"conversation": {"max_turns": 9, "brief": "Go on."}}).json()
    refused = patch(client, path, {"conversation": {"min_turns": 10}})

    assert (changed["conversation"]["max_turns"], changed["conversation"]["brief"]) == (9, "Go on.")
    assert refused.status_code == 409
    assert "Maximum turns (9)" in str(refused.json())


def test_conversations_are_listed_with_their_turns(
    calling: Caller, alice: User, talked: Conversation
) -> None:
    client = calling(alice)

    found = client.get(f"/api/v1/conversations?campaign={talked.item.campaign_id}").json()

    one = client.get(f"/api/v1/conversations/{talked.pk}").json()
    assert found["results"] == [one]
    assert (one["n_turns"], one["state"], one["rater"]) == (2, "open", talked.rater.alias)
    first, second = one["turns"]
    assert {answer["text"] for answer in first["answers"]} == {"Zero.", "Nought."}
    assert sum(answer["is_chosen"] for answer in first["answers"]) == 1
    assert [failure["error"] for failure in first["failures"]] == ["It was away."]
    assert first["failures"][0]["answered_by"] is not None
    assert second["message"] == "In words?"
    assert second["edit"] == talked.turns.get(number=2).chosen_id
    assert second["judgment"] is not None
    assert client.get("/api/v1/conversations?state=finished").json()["results"] == []


def test_an_answer_of_a_turn_has_its_thinking_and_calls(
    calling: Caller, alice: User, talked: Conversation
) -> None:
    parts = {"reasoning_content": "Count them.", "tool_calls": [{"id": "a", "type": "function"}]}
    chosen = talked.turns.get(number=1).chosen
    assert chosen is not None
    Response.objects.filter(pk=chosen.pk).update(**parts)

    turns = calling(alice).get(f"/api/v1/conversations/{talked.pk}").json()["turns"]

    [answer] = [one for one in turns[0]["answers"] if one["is_chosen"]]
    assert {name: answer[name] for name in parts} == parts


def test_a_list_of_conversations_costs_the_same_however_long(
    calling: Caller,
    alice: User,
    talked: Conversation,
    raul: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = calling(alice)
    client.get("/api/v1/conversations")
    other = started(campaign=talked.item.campaign, rater=raul)
    answered(other)
    rated(turn_of(other))
    turns.write(conversation=other, number=2, text="And one?", now=NOON)

    # Token, conversations, turns, requests, items, responses, judgments.
    with django_assert_num_queries(7):
        assert len(client.get("/api/v1/conversations").json()["results"]) == 2
