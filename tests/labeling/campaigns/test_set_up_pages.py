"""Setting a campaign up, looking at it as a rater, estimating, changing, cloning, closing and
opening it again.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.campaigns import costs
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.services import Effort
from labeling.desk.judgments import submit
from labeling.desk.judgments.answers import ComparisonAnswer, Recorded
from labeling.models import (
    Campaign,
    Demonstration,
    Draft,
    Guideline,
    Judgment,
    Pool,
    Prompt,
    Rate,
    Rater,
    Slot,
)
from labeling.queue import claim, order, slots
from labeling.queue.gold import services as gold_services
from labeling.queue.spending import prices, time_estimates
from tests.cast import (
    NOON,
    open_comparison_campaign,
    open_demonstration_campaign,
    responses_to,
    some_prompts,
)
from tests.html import page_of
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def comparing(pool: Pool, guideline: Guideline, **fields: Any) -> dict[str, Any]:
    """What the form posts."""
    return {
        "name": "Which is better",
        "kind": "comparison",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "n_responses": 4,
        "overlap": 2,
        "order": "finish_first",
        "lease_minutes": 30,
        "asks_reason": "on",
        "is_unused": "on",
    } | fields


def judge(campaign: Campaign, rater: Rater, *, active_s: float = 60.0) -> Judgment:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    places = range(len(order.presented(slot)))
    return submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=ComparisonAnswer(
            ranks={place: place + 1 for place in places},
            ratings={place: {"overall": 4} for place in places},
        ),
        recorded=Recorded(active_s=active_s),
        now=NOON,
    )


# --- setting up -----------------------------------------------------------------------------------


def test_a_campaign_is_set_up_with_all_that_is_asked_for(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(20), n=4)
    asked = {
        "overlap_rule": "dynamic",
        "max_overlap": 5,
        "confidence": 85,
        "calibration_percent": 10,
        "repeat_percent": 10,
        "budget_unit": "hours",
        "budget": "12.5",
    }

    signed_in(alice).post("/campaigns/new/", comparing(day_shift, guideline, **asked))

    campaign = Campaign.objects.get()
    assert (campaign.max_overlap, campaign.confidence, campaign.budget_unit, campaign.budget) == (
        5,
        0.85,
        "hours",
        Decimal("12.5"),
    )
    assert campaign.items.filter(is_calibration=True).count() == 2
    assert campaign.items.filter(repeat_of__isnull=False).count() == 2
    assert Slot.objects.filter(item__is_calibration=True).count() == 2 * 1


def test_a_most_that_is_left_from_another_rule_is_not_used(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(2), n=4)

    signed_in(alice).post(
        "/campaigns/new/", comparing(day_shift, guideline, overlap_rule="fixed", max_overlap=5)
    )

    assert Campaign.objects.get().max_overlap is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"overlap_rule": "dynamic"}, "Enter the maximum number of answers per item."),
        (
            {"overlap_rule": "dynamic", "max_overlap": 5, "overlap": 1},
            "Agreement needs at least two answers",
        ),
        (
            {"overlap_rule": "dynamic", "max_overlap": 2},
            "Maximum answers must be higher than the overlap.",
        ),
        ({"budget_unit": "hours"}, "Enter an amount, or choose “No limit”."),
        ({"budget_unit": "money", "budget": 5}, "The pool has no rate for this kind of work"),
        ({"calibration_percent": 80}, "less than or equal to 50"),
    ],
)
def test_what_cannot_be_worked_with_gets_a_sentence(
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    signed_in: SignedIn,
    fields: dict[str, Any],
    sentence: str,
) -> None:
    responses_to(some_prompts(2), n=4)

    page = words(
        signed_in(alice).post("/campaigns/new/", comparing(day_shift, guideline, **fields))
    )

    assert sentence in page
    assert not Campaign.objects.exists()


def test_prompts_that_somebody_has_judged_can_be_left_out(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=3)
    judge(campaign, rosa)

    client = signed_in(alice)
    page = words(
        client.post(
            "/campaigns/new/count", comparing(day_shift, guideline, is_unused="", is_unjudged="on")
        )
    )

    assert "<strong>2 prompts</strong>" in page


# --- estimating -----------------------------------------------------------------------------------


def estimate(pool: Pool, **fields: Any) -> costs.Estimate:
    values: dict[str, Any] = {
        "kind": "comparison",
        "n_responses": 4,
        "pool": pool,
        "n_items": 100,
        "overlap": 3,
        "now": NOON,
    } | fields
    return costs.estimate(**values)


def test_an_estimate_is_taken_from_judgments_of_like_campaigns(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=time_estimates.LIKE_NEEDS, overlap=1
    )
    for _ in range(time_estimates.LIKE_NEEDS):
        judge(campaign, rosa, active_s=72.0)

    found = estimate(day_shift)

    assert (found.n_least, found.n_most, found.n_like) == (300, 300, time_estimates.LIKE_NEEDS)
    assert found.hours_most == pytest.approx(300 * 72 / 3600)


def test_without_like_judgments_it_is_taken_from_how_long_texts_are(day_shift: Pool) -> None:
    prompts = some_prompts(1)
    responses_to(prompts, n=4)
    chars = len(prompts[0].messages[0]["content"])
    each = len(prompts[0].responses.all()[0].text)

    found = estimate(day_shift)

    assert found.n_like == 0
    assert found.seconds == pytest.approx(
        (chars + 4 * each) / time_estimates.CHARS_PER_S + 4 * time_estimates.JUDGING_S
    )


def test_an_estimate_counts_calibration_repeats_and_doubt(
    day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    found = estimate(day_shift, max_overlap=5, calibration_percent=10, repeat_percent=10)

    # 90 plain items, 10 judged by both raters, 9 plain ones again
    assert (found.n_least, found.n_most) == (90 * 3 + 10 * 2 + 9 * 3, 90 * 5 + 10 * 2 + 9 * 5)


def test_an_estimate_counts_golds_as_far_as_there_are_any(
    day_shift: Pool, rosa: Rater, raul: Rater
) -> None:
    assert estimate(day_shift, gold_share=10).n_least == 300 + 33  # a tenth of 333
    assert (
        estimate(day_shift, gold_share=10, n_golds=7).n_least == 300 + 7 * 2
    )  # each rater gets a gold once


@pytest.mark.parametrize(
    ("basis", "amount", "minor"), [("item", 40, 300 * 40), ("hour", 1800, 300 * 60 / 3600 * 1800)]
)
def test_an_estimate_is_priced_at_the_pools_rate(
    day_shift: Pool, basis: str, amount: int, minor: float
) -> None:
    Rate.objects.create(
        pool=day_shift,
        kind="comparison",
        basis=basis,
        amount=amount,
        currency="EUR",
        valid_from=NOON,
    )

    found = prices.price(
        rate=prices.rate_of(pool=day_shift, kind="comparison", now=NOON),
        n_judgments=300,
        active_s=300 * 60.0,
    )

    assert found == Decimal(str(minor)).quantize(Decimal(1))


def test_a_held_out_pool_on_prompts_that_train_is_warned_of(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=4)
    client = signed_in(alice)
    assert "is for evaluation only" not in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline))
    )

    Pool.objects.filter(pk=day_shift.pk).update(is_held_out=True)

    assert "is for evaluation only" in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline))
    )
    assert "is for evaluation only" not in words(
        client.post("/campaigns/new/count", comparing(day_shift, guideline, splits=["test"]))
    )


def test_a_draft_says_what_it_would_take(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> None:
    responses_to(some_prompts(5), n=4)
    client = signed_in(alice)
    client.post("/campaigns/new/", comparing(day_shift, guideline))

    page = words(client.get(f"/campaigns/{Campaign.objects.get().pk}/"))

    assert "10 answers, about 0.2 h" in page
    assert "each (estimated from text length)" in page


# --- looking at it as a rater ---------------------------------------------------------------------


@pytest.fixture
def sample(alice: User, comparison_campaign: Campaign, signed_in: SignedIn) -> tuple[Client, str]:
    """An admin's browser, and the address of the preview."""
    return signed_in(alice), f"/campaigns/{comparison_campaign.pk}/preview/"


def test_a_preview_shows_the_desk_and_stores_nothing(
    sample: tuple[Client, str], comparison_campaign: Campaign
) -> None:
    client, address = sample

    page = words(client.get(address))
    answered = {f"rank-{letter}": rank for rank, letter in enumerate("ABCD", 1)} | {
        f"rate-{letter}-overall": 4 for letter in "ABCD"
    }
    client.post(
        address,
        answered
        | {
            "step": "submit",
            "overruled": ["faster_than_reading", "order_as_shown", "contradicts_ratings"],
        },
    )

    assert "nothing is saved" in page
    assert "what is 0 plus 0?" in page
    assert not Judgment.objects.exists()
    assert not Slot.objects.exclude(state="free").exists()
    assert comparison_campaign.places.count() == 0


def test_a_preview_reviews_an_answer_as_the_desk_does(sample: tuple[Client, str]) -> None:
    client, address = sample

    answer = client.post(address, {"step": "review"}, headers={"X-Desk": "fragment"})

    assert answer.json()["is_ready"] is False
    assert "No response is ranked" in answer.json()["review"] or "rank" in answer.json()["review"]


def test_what_lies_beside_the_work_is_there_in_a_preview(sample: tuple[Client, str]) -> None:
    client, address = sample

    assert "Be helpful" in words(client.get(f"{address}guideline", headers={"X-Desk": "fragment"}))
    assert client.get(f"{address}diff", {"of": "A", "to": "B"}).status_code == 200
    assert (
        client.post(f"{address}text", {"text": "**bold**"}).content
        == b"<p><strong>bold</strong></p>\n"
    )


def test_a_preview_of_writing_shows_the_editor(
    alice: User, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{demonstration_campaign.pk}/preview/"))

    assert "Your answer" in page
    assert "data-draft-url" not in page


@pytest.fixture
def sample_dialogue(
    alice: User, day_shift: Pool, guideline: Guideline, signed_in: SignedIn
) -> tuple[Client, str]:
    """An admin's browser, and the address of the preview of a campaign that asks for dialogues."""
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, asks_dialogue=True)
    return signed_in(alice), f"/campaigns/{campaign.pk}/preview/"


def test_a_preview_adds_and_removes_turns_of_a_dialogue_as_the_desk_does(
    sample_dialogue: tuple[Client, str],
) -> None:
    client, address = sample_dialogue

    longer = client.post(address, {"step": "extend", "text": "Four."})
    turns = {"turn-1": "And 3 + 3?", "turn-2": "Six."}
    shorter = client.post(address, {"step": "shorten", "text": "Four."} | turns)

    assert [longer.status_code, shorter.status_code] == [200, 200]
    assert 'name="turn-2"' in page_of(longer)
    assert "Four." in page_of(longer)
    assert 'name="turn-1"' not in page_of(shorter)
    assert "Four." in page_of(shorter)


def test_a_draft_saved_in_a_preview_stays_on_the_page_and_is_not_stored(
    sample_dialogue: tuple[Client, str],
) -> None:
    client, address = sample_dialogue

    page = client.post(address, {"step": "draft", "text": "Only half of an answer"})

    assert page.status_code == 200
    assert "Only half of an answer" in page_of(page)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("step", ["edit", "unedit", "draft", "drop", "review", "submit", "stop"])
def test_no_button_of_a_preview_stores_anything(
    step: str, sample: tuple[Client, str], comparison_campaign: Campaign
) -> None:
    client, address = sample
    answered = {f"rank-{letter}": rank for rank, letter in enumerate("ABCD", 1)} | {
        f"rate-{letter}-overall": 4 for letter in "ABCD"
    }
    edited = {"edit_of": "A", "edit": "Better."}
    overruled = {"overruled": ["faster_than_reading", "order_as_shown"]}

    client.post(address, answered | edited | overruled | {"step": step})

    assert not Judgment.objects.exists()
    assert not Draft.objects.exists()
    assert not Demonstration.objects.exists()
    assert not Slot.objects.exclude(state="free").exists()


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
    effort = Effort(budget_unit="judgments", budget=Decimal(1))
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, effort=effort)
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

    assert "This pool has no raters. Invite at least 2." in page
