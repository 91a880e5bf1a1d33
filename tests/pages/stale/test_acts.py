"""Buttons whose page has become stale in another way than by the same act."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Notice, User
from accounts.notices import services as notices_services
from labeling.data.prompts import services as prompts_services
from labeling.models import Campaign, Case, Guideline, PayDispute, Payment, Pool, Rater
from labeling.pay import services as pay_services
from labeling.people.roster import views as roster_views
from labeling.queue.cases import services as cases_services
from tests.cast import NOON, open_demonstration_campaign, rater_called, some_prompts
from tests.labeling.pay.paid_work import DAY, rate, write
from tests.pages.stale.two_tabs import Tab, differences, stored

SignedIn = Callable[..., Client]
NOTHING_DONE = "Nothing was done: this was changed after you opened the page."
SAVED_NOTHING = "Nothing has been saved: this was changed after you opened the page."


def test_days_are_not_marked_as_paid_for_another_sum_than_the_page_showed(
    alice: User, demonstration_campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    rate(demonstration_campaign.pool, amount="1200")
    write(demonstration_campaign, rosa, active_s=600, in_hand_s=700)
    page = f"/pay/raters/{rosa.pk}/paid/?since={DAY}&until={DAY}"
    stale = Tab.opened(signed_in(alice), page, "pay_mark")
    assert "2.00" in stale.page.text
    write(demonstration_campaign, rosa, active_s=1200, in_hand_s=1300)

    answer = stale.send({"note": "Transfer 12"})

    assert not Payment.objects.exists()
    assert SAVED_NOTHING in answer.text
    assert "6.00" in answer.text
    assert "Transfer 12" in answer.html


def test_a_dispute_that_somebody_else_answered_keeps_their_answer_and_shows_mine_back(
    alice: User, noor: User, rosa: Rater, signed_in: SignedIn
) -> None:
    dispute = pay_services.raise_dispute(
        rater=rosa, since=DAY, until=DAY, text="An hour is missing.", now=NOON
    )
    stale = Tab.opened(signed_in(alice), f"/pay/raters/{rosa.pk}/", "pay_answer")
    pay_services.answer_dispute(dispute=dispute, text="Added.", by=noor, now=NOON)
    before = stored()

    answer = stale.send({f"dispute-{dispute.pk}-text": "It was a break."})

    assert differences(before, stored()) == {}
    assert PayDispute.objects.get().answer == "Added."
    assert "Someone else has already answered it." in answer.text
    assert "It was a break." in answer.html


def test_the_text_of_a_prompt_that_somebody_else_edited_is_not_lost(
    alice: User, signed_in: SignedIn
) -> None:
    prompt = some_prompts(1)[0]
    stale = Tab.opened(signed_in(alice), f"/prompts/{prompt.pk}/edit/", "prompt_edit")
    prompts_services.retire_prompt(prompt=prompt, by=alice, now=NOON)
    before = stored()

    answer = stale.send({"text": "Mine?"})

    assert differences(before, stored()) == {}
    assert "This prompt is retired." in answer.text
    assert "Mine?" in answer.html


def test_notices_that_came_after_the_page_stay_unread(alice: User, signed_in: SignedIn) -> None:
    def tell(key: str) -> None:
        notices_services.notify(
            people=[alice],
            key=key,
            kind=Notice.Kind.WARNING,
            words=lambda: key,
            path="/campaigns/",
            now=timezone.now(),
        )

    tell("first")
    stale = Tab.opened(signed_in(alice), "/notices/", "notices_read")
    tell("second")

    stale.send({})

    assert [notice.key for notice in Notice.objects.filter(read_at=None)] == ["second"]


def test_all_raters_of_a_filter_are_those_that_the_page_counted(
    alice: User, day_shift: Pool, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_views, "RATERS_PER_PAGE", 1)
    for name in ("Rosa", "Raul"):
        rater_called(name, pool=day_shift)
    stale = Tab.opened(signed_in(alice), "/roster/", "roster_act")
    rater_called("Rita", pool=day_shift)
    before = stored()

    answer = stale.send({"everybody": "on", "act": "pause", "pool": str(day_shift.pk)})

    assert differences(before, stored()) == {}
    assert NOTHING_DONE in answer.text


def test_a_case_that_somebody_else_has_taken_is_not_taken_from_them(
    alice: User, day_shift: Pool, guideline: Guideline, noor: User, signed_in: SignedIn
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    cases_services.open_case(item=campaign.items.get(), reason="technical", now=NOON)
    stale = Tab.opened(signed_in(alice), "/queues/technical/", "case_own")
    case = Case.objects.get()
    cases_services.assign_case(case=case, owner=noor, by=noor, now=NOON)

    answer = stale.send({"owner": "me"})

    assert NOTHING_DONE in answer.text
    assert "Assigned to Noor" in answer.text
    case.refresh_from_db()
    assert case.owner == noor
