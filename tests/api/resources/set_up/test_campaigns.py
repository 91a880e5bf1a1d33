"""Campaigns by API beyond opening and closing: change, discard, reopen, items, paused raters."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.queue.claiming import claim
from tests.api.resources.set_up.conftest import Api
from tests.cast import responses_to, some_prompts


def draft(api: Api, pool: Pool, guideline: Guideline, **fields: object) -> dict[str, Any]:
    responses_to(some_prompts(3), n=2)
    body = {
        "name": "Draft",
        "kind": "comparison",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "n_responses": 2,
    }
    made: dict[str, Any] = api.post("campaigns", body | fields).json()
    return made


def test_a_campaign_is_created_with_every_setting_of_the_page(
    api: Api, day_shift: Pool, guideline: Guideline
) -> None:
    asked = {
        "asks_strength": True,
        "max_overlap": 4,
        "confidence": 0.8,
        "budget_unit": "hours",
        "budget": "12.50",
        "review_share": 7,
        "gold_share": 10,
        "gold_feedback": True,
    }

    made = draft(api, day_shift, guideline, overlap=2, repeat_percent=10, **asked)

    settings = made["settings"]
    assert {name: settings[name] for name in asked} == asked
    campaign = Campaign.objects.get(pk=made["id"])
    assert (campaign.repeat_percent, campaign.budget) == (10, Decimal("12.50"))
    assert campaign.selection["kind"] == "comparison"


def test_a_campaigns_settings_are_changed_and_the_others_stay(
    api: Api, comparison_campaign: Campaign
) -> None:
    changed = api.patch(
        f"campaigns/{comparison_campaign.pk}",
        {"overlap": 2, "max_overlap": 5, "gold_share": 20, "priority": 3},
    )

    row = changed.json()
    assert changed.status_code == 200
    assert (row["overlap"], row["priority"], row["lease_minutes"]) == (2, 3, 30)
    assert (row["settings"]["max_overlap"], row["settings"]["gold_share"]) == (5, 20)
    assert row["settings"]["asks_reason"] is True
    assert row["progress"]["n_slots"] == 10
    acts = AuditEvent.objects.filter(target_type="labeling.campaign", action="change")
    assert acts.count() == 2


def test_a_limit_is_removed_with_its_unit(api: Api, demonstration_campaign: Campaign) -> None:
    path = f"campaigns/{demonstration_campaign.pk}"
    api.patch(path, {"budget_unit": "judgments", "budget": 4})

    row = api.patch(path, {"budget_unit": ""}).json()

    assert (row["settings"]["budget_unit"], row["settings"]["budget"]) == ("", None)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"min_words": 5}, 400, "This kind of campaign has no such setting. Leave it out."),
        ({"max_overlap": 2}, 409, "Maximum answers must be higher than the overlap."),
        ({"guideline": 98765}, 400, "No object has the ID 98765."),
    ],
)
def test_a_change_that_does_not_fit_is_refused_whole(
    api: Api, comparison_campaign: Campaign, body: dict[str, object], status: int, said: str
) -> None:
    refused = api.patch(f"campaigns/{comparison_campaign.pk}", {"gold_share": 5} | body)

    assert refused.status_code == status
    assert said in refused.content.decode()
    comparison_campaign.refresh_from_db()
    assert comparison_campaign.gold_share == 0


def test_a_draft_is_deleted_and_its_prompts_are_free_again(
    api: Api, day_shift: Pool, guideline: Guideline
) -> None:
    made = draft(api, day_shift, guideline)
    selection = {"kind": "comparison", "n_responses": 2}
    taken = api.post("campaigns/count", selection).json()["n_taken"]

    deleted = api.delete(f"campaigns/{made['id']}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (taken, api.post("campaigns/count", selection).json()["n_taken"]) == (0, 3)
    assert AuditEvent.objects.filter(action="discard").count() == 1


def test_a_campaign_that_was_opened_is_not_deleted(
    api: Api, demonstration_campaign: Campaign
) -> None:
    refused = api.delete(f"campaigns/{demonstration_campaign.pk}")

    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Only a draft can be deleted. Close this campaign instead.",
    )


def test_a_closed_campaign_is_reopened(api: Api, demonstration_campaign: Campaign) -> None:
    path = f"campaigns/{demonstration_campaign.pk}"
    api.post(f"{path}/close")

    row = api.post(f"{path}/reopen").json()

    assert (row["state"], row["closed_at"]) == ("open", None)


def test_items_are_listed_with_their_progress_at_the_cost_of_a_few_queries(
    api: Api,
    comparison_campaign: Campaign,
    rosa: Rater,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=timezone.now())
    path = f"campaigns/{comparison_campaign.pk}/items"
    api.get(path)

    with django_assert_num_queries(6):  # token, campaign, items, responses, slots, skips
        rows = api.rows(path)

    (begun,) = [row for row in rows if row["n_in_hand"]]
    assert len(rows) == 5
    assert (begun["id"], begun["n_slots"], len(begun["responses"])) == (slot.item_id, 3, 4)
    assert api.rows(f"{path}?status=finished") == []


def test_a_rater_is_paused_in_one_campaign_and_resumed(
    api: Api, comparison_campaign: Campaign, rosa: Rater
) -> None:
    path = f"campaigns/{comparison_campaign.pk}"

    early = api.post(f"{path}/resume-rater", {"rater": rosa.pk})
    paused = api.post(f"{path}/pause-rater", {"rater": rosa.pk}).json()
    resumed = api.post(f"{path}/resume-rater", {"rater": rosa.pk}).json()

    assert early.status_code == 409
    assert paused["paused_at"] is not None
    assert (resumed["paused_at"], resumed["resumed_at"] is not None) == (None, True)
