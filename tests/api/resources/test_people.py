"""Responses from outside, pay, and withdrawals over HTTP."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from config.api_permissions import Scope
from labeling.models import Campaign, Judgment, PayDispute, Payment, Prompt, Rater, Response, Source
from labeling.pay import services as pay_services
from tests.api.test_labeling import written
from tests.api.test_steering import post
from tests.cast import NOON, some_prompts
from tests.labeling.pay.test_pay_pages import MARCH, paid, work  # noqa: F401
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db
Caller = Callable[..., Client]


def get(client: Client, path: str) -> Any:
    return client.get(f"/api/v1/{path}").json()


# --- responses ------------------------------------------------------------------------------------


def sent(prompt: Prompt, *texts: str, **about: Any) -> dict[str, Any]:
    rows = [{"prompt": prompt.pk, "text": text, **about} for text in texts]
    return {"source": "LLMs of May", "licence": "MIT", "responses": rows}


def test_responses_from_outside_are_stored_once_with_model_and_licence(
    calling: Caller, alice: User
) -> None:
    [prompt] = some_prompts(1)
    client = calling(alice)
    body = sent(prompt, "Two.", "2", model="big", licence="CC0-1.0", sampling={"temperature": 1})

    first = post(client, "responses", body)
    again = post(client, "responses", body)

    made = first.json()["responses"]
    assert (first.status_code, again.json()["responses"]) == (201, made)
    assert [row["number"] for row in made] == [0, 1]
    assert made[0]["source"]["name"] == "LLMs of May / big"
    assert (made[0]["licence"], made[0]["sampling"]) == ("CC0-1.0", {"temperature": 1.0})
    listed = get(client, f"responses?prompt={prompt.pk}")["results"]
    assert [row["text"] for row in listed] == ["2", "Two."]
    assert AuditEvent.objects.filter(action="add_responses", by=alice).count() == 1


def test_responses_to_a_prompt_that_is_not_there_leave_nothing(
    calling: Caller, alice: User
) -> None:
    [prompt] = some_prompts(1)
    body = sent(prompt, "Two.")
    body["responses"].append({"prompt": 987, "text": "Three."})

    answer = post(calling(alice), "responses", body)

    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "There is no prompt 987, or it is retired. Nothing was stored.",
    )
    assert not Response.objects.exists()
    assert not Source.objects.filter(name="LLMs of May").exists()


def test_one_source_has_one_licence(calling: Caller, alice: User) -> None:
    [prompt] = some_prompts(1)
    client = calling(alice)
    post(client, "responses", sent(prompt, "Two."))

    answer = post(client, "responses", sent(prompt, "2") | {"licence": "CC-BY-4.0"})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("The source “LLMs of May” is licensed under MIT.")


# --- pay ------------------------------------------------------------------------------------------


def test_what_is_due_is_listed_with_its_alarms_and_marked_as_paid_once(
    calling: Caller,
    alice: User,
    paid: Campaign,  # noqa: F811
    rosa: Rater,
) -> None:
    work(paid, rosa)
    client = calling(alice)
    days = {"since": "2026-03-01", "until": "2026-03-31"}

    [row] = get(client, f"pay?{MARCH}")["results"]
    [line] = get(client, f"pay/{rosa.pk}/lines?{MARCH}")["results"]
    made = post(client, f"pay/{rosa.pk}/paid", days | {"note": "T-1"})
    again = post(client, f"pay/{rosa.pk}/paid", days)

    assert (row["alias"], row["n"], row["active_s"]) == (rosa.alias, 1, 1200.0)
    assert (row["totals"], row["due"]) == ({"EUR": "4.00"}, {"EUR": "4.00"})
    assert row["alarms"][0].endswith("the minimum is 15.00 EUR.")
    assert (line["day"], Decimal(line["amount"]), line["state"]) == ("2026-03-02", 4, "due")
    assert (made.status_code, made.json()["totals"]) == (201, {"EUR": "4.00"})
    assert again.status_code == 409
    assert get(client, f"pay/{rosa.pk}/timesheet?{MARCH}")["due"] == {}
    assert get(client, f"pay/{rosa.pk}/payments")["results"] == [made.json()]
    assert Payment.objects.get().paid_by == alice


def test_days_in_the_wrong_order_are_refused(calling: Caller, alice: User) -> None:
    client = calling(alice)

    turned = client.get("/api/v1/pay?since=2026-03-31&until=2026-03-01")
    far = client.get("/api/v1/pay?until=9999-12-31")

    assert list(turned.json()["errors"]) == ["until"]
    assert list(far.json()["errors"]) == ["until"]


def test_a_dispute_is_answered_with_a_correction(calling: Caller, alice: User, rosa: Rater) -> None:
    day = NOON.date()
    dispute = pay_services.raise_dispute(
        rater=rosa, since=day, until=day, text="An hour is missing.", now=NOON
    )
    client, path = calling(alice), f"pay-disputes/{dispute.pk}/answer"

    without = post(client, path, {"text": "Right.", "correction": "12.50"})
    answered = post(client, path, {"text": "Right.", "correction": "12.50", "currency": "EUR"})
    again = post(client, path, {"text": "No."})

    assert list(without.json()["errors"]) == ["currency"]
    assert (answered.json()["correction"], answered.json()["currency"]) == ("12.50", "EUR")
    assert again.status_code == 409
    assert PayDispute.objects.get().answered_by == alice
    assert get(client, "pay-disputes")["results"] == []


# --- withdrawals ----------------------------------------------------------------------------------


def test_a_rater_withdraws_and_is_readmitted_and_the_traces_are_shown(
    calling: Caller, alice: User, noor: User, demonstration_campaign: Campaign, rosa: Rater
) -> None:
    written(demonstration_campaign, rosa)
    snapshot = snapshots_services.create_snapshot(
        kind="demonstrations", name="Before", filters=Filters(), by=noor, now=timezone.now()
    )
    client = calling(alice)

    gone = post(client, "withdrawals", {"rater": rosa.pk})
    traces = get(calling(noor), f"withdrawals/{rosa.pk}/traces")
    listed = get(calling(noor), "withdrawals")["results"]
    back = post(client, f"withdrawals/{rosa.pk}/readmit").json()

    assert (gone.status_code, gone.json()["alias"]) == (201, rosa.alias)
    assert traces["snapshots"] == [{"id": snapshot.pk, "name": "Before", "n_from_here": 1}]
    assert (traces["n_judgments"], [row["id"] for row in listed]) == (1, [rosa.pk])
    assert back["withdrawn_at"] is None
    assert get(client, "withdrawals")["results"] == []
    assert Judgment.of_people.filter(rater=rosa).exists()
    assert post(calling(noor), "withdrawals", {"rater": rosa.pk}).status_code == 403


# --- audit ----------------------------------------------------------------------------------------


def test_the_audit_log_is_read_with_the_scope_of_people(
    calling: Caller, alice: User, noor: User, rosa: Rater
) -> None:
    client = calling(alice)
    post(client, "withdrawals", {"rater": rosa.pk})

    found = get(client, f"audit-events?target_type=labeling.rater&target_id={rosa.pk}")["results"]

    assert [(event["action"], event["by"]) for event in found] == [("withdraw", alice.pk)]
    assert get(client, "audit-events?by=nobody")["results"] == []
    assert calling(alice, Scope.LABELING_READ).get("/api/v1/audit-events").status_code == 403
    assert calling(noor).get("/api/v1/audit-events").status_code == 403
