"""Changing, cloning, discarding, closing and reopening a campaign, and what its board warns of,
through HTTP.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Guideline, Pool, Prompt, Rate, Rater
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.queue.gold import services as gold_services
from tests.cast import (
    NOON,
    open_comparison_campaign,
    open_demonstration_campaign,
    responses_to,
    some_prompts,
)
from tests.labeling.answers import words
from tests.labeling.campaigns.campaign_work import comparing, judge

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


# --- changing, cloning, closing and opening again -------------------------------------------------


def change_form(campaign: Campaign, **fields: Any) -> dict[str, Any]:
    return {
        "guideline": campaign.guideline_id,
        "overlap": campaign.overlap,
        "overlap_rule": "fixed",
        "lease_minutes": 30,
        "priority": 0,
        "asks_reason": "on",
        "confidence": 90,
    } | fields


def test_an_overlap_is_raised_while_work_goes_on(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/set-up/change/"

    answer = signed_in(alice).post(address, change_form(comparison_campaign, overlap=4))

    assert answer.status_code == 302
    assert comparison_campaign.slots.count() == 5 * 4
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.before, event.after) == ("change", {"overlap": 3}, {"overlap": 4})


def test_a_change_that_does_not_fit_gets_a_sentence(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/set-up/change/"

    answer = signed_in(alice).post(
        address, change_form(comparison_campaign, overlap_rule="dynamic", max_overlap=3)
    )

    assert answer.status_code == 422
    assert "Maximum answers must be higher than the overlap." in words(answer)


def test_a_guideline_without_text_is_refused_beside_its_field(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{comparison_campaign.pk}/set-up/change/"
    empty = Guideline.objects.create(name="Not written yet")

    answer = signed_in(alice).post(address, change_form(comparison_campaign, guideline=empty.pk))

    assert answer.context["form"].errors == {
        "guideline": ["The guideline has no version yet. Write its text first."]
    }


def test_the_words_of_a_writing_campaign_are_changed(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{demonstration_campaign.pk}/set-up/change/"
    fields = change_form(demonstration_campaign, min_words=5, max_words=50)

    signed_in(alice).post(address, fields)

    demonstration_campaign.refresh_from_db()
    assert (demonstration_campaign.min_words, demonstration_campaign.max_words) == (5, 50)


def test_a_writing_campaign_says_how_much_of_it_is_reviewed(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    address = f"/campaigns/{demonstration_campaign.pk}/set-up/change/"
    fields = change_form(demonstration_campaign, min_words=5, max_words=50)

    signed_in(alice).post(address, fields | {"review_share": 40})
    signed_in(alice).post(address, fields | {"review_share": ""})

    demonstration_campaign.refresh_from_db()
    assert demonstration_campaign.review_share == 40
    assert 'name="review_share" value="40"' in signed_in(alice).get(address).text


def test_a_clone_starts_with_what_the_campaign_was_set_up_with(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    prompts = some_prompts(6)
    Prompt.objects.filter(pk__in=[prompt.pk for prompt in prompts[:4]]).update(category="chat")
    responses_to(prompts, n=4)
    client = signed_in(alice)
    asked = {
        "categories": ["chat"],
        "n_prompts": 3,
        "overlap_rule": "dynamic",
        "max_overlap": 6,
        "repeat_percent": 5,
    }
    client.post("/campaigns/new/", comparing(day_shift, guideline, **asked))

    form = client.get(f"/campaigns/new/?from={Campaign.objects.get().pk}").context["form"]

    shown = {
        name: form[name].value()
        for name in ("name", "categories", "n_prompts", "overlap_rule", "max_overlap", "pool")
    }
    assert shown == {
        "name": "Which is better (copy)",
        "categories": ["chat"],
        "n_prompts": 3,
        "overlap_rule": "dynamic",
        "max_overlap": 6,
        "pool": day_shift.pk,
    }


def test_a_clone_checks_its_raters_as_the_campaign_did(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(6), n=4)
    client = signed_in(alice)
    client.post(
        "/campaigns/new/",
        comparing(day_shift, guideline, gold_share=8, review_share=12, priority=3),
    )
    first = Campaign.objects.get()
    assert (first.gold_share, first.review_share, first.priority) == (8, 12, 3)
    gold_services.set_golds(
        campaign=first, values={"gold_tolerance": 90, "gold_feedback": True}, by=alice, now=NOON
    )

    form = client.get(f"/campaigns/new/?from={first.pk}").context["form"]
    assert [form[name].value() for name in ("gold_share", "review_share", "priority")] == [8, 12, 3]
    changed = comparing(
        day_shift, guideline, name="Again", is_unused="", gold_share=10, review_share=12, priority=3
    )
    client.post(f"/campaigns/new/?from={first.pk}", changed)

    second = Campaign.objects.get(name="Again")
    assert (second.gold_share, second.gold_tolerance, second.gold_feedback) == (10, 90, True)


def test_a_draft_is_discarded_after_a_question_and_its_prompts_are_free(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=4)
    client = signed_in(alice)
    client.post("/campaigns/new/", comparing(day_shift, guideline))
    pk = Campaign.objects.get().pk

    assert "Discard “Which is better”?" in words(client.get(f"/campaigns/{pk}/discard"))
    assert Campaign.objects.exists()
    client.post(f"/campaigns/{pk}/discard")

    assert not Campaign.objects.exists()
    assert AuditEvent.objects.get(action="discard").before == {
        "name": "Which is better",
        "n_items": 5,
    }
    assert client.post("/campaigns/new/", comparing(day_shift, guideline)).status_code == 302, (
        "its prompts are unused"
    )


def test_a_campaign_that_was_opened_is_not_discarded(
    alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    signed_in(alice).post(f"/campaigns/{comparison_campaign.pk}/discard")

    assert Campaign.objects.filter(pk=comparison_campaign.pk).exists()
    assert not campaigns_services.discard_campaign(campaign=comparison_campaign, by=alice, now=NOON)


def test_a_closed_campaign_is_opened_again_after_a_question(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    campaigns_services.close_campaign(campaign=campaign, by=alice, now=NOON)
    client = signed_in(alice)

    assert "Reopen “Write”?" in words(client.get(f"/campaigns/{campaign.pk}/reopen"))
    campaign.refresh_from_db()
    assert campaign.state == "closed"
    client.post(f"/campaigns/{campaign.pk}/reopen")

    campaign.refresh_from_db()
    assert campaign.state == "open"
    assert claim.claim(campaign=campaign, rater=rosa, now=NOON) is not None


def test_a_spent_budget_is_said_and_keeps_the_campaign_from_going_on(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, budget_unit="judgments", budget=Decimal(1)
    )
    judge(campaign, rosa)
    client = signed_in(alice)

    assert "The budget is spent" in words(client.get(f"/campaigns/{campaign.pk}/"))
    assert "Raise it under Setup" in words(
        client.post(f"/campaigns/{campaign.pk}/open", follow=True)
    )


# --- the board ------------------------------------------------------------------------------------


def test_the_board_says_what_is_stuck_and_what_it_cost(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
    signed_in: SignedIn,
) -> None:
    Rate.objects.create(
        pool=day_shift, kind="comparison", basis="item", amount=125, currency="EUR", valid_from=NOON
    )
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3, overlap=2)
    judge(campaign, rosa)
    for rater in (rosa, raul):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
        assert slot is not None
        assert slot.lease is not None
        slots.skip(lease=slot.lease, rater=rater, reason="not_my_field", now=NOON)

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert "with no raters left in the pool" in page
    assert "1.25 EUR" in page
    assert 'hx-trigger="every 30s"' in page


def test_a_pool_without_raters_says_how_many_to_invite(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(
        pool=Pool.objects.create(name="Empty"), guideline=guideline, n_items=1, overlap=2
    )

    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert "The pool Empty has no raters. Invite at least 2." in page
