"""The quality pages in Chromium: both themes, a phone, accessibility."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Recorded
from labeling.models import (
    Campaign,
    Guideline,
    OnboardingStep,
    Pool,
    ProfileAnswer,
    Prompt,
    Rater,
    RaterQuality,
    Response,
)
from labeling.people.pools import services as pools_services
from labeling.quality import services as quality_services
from labeling.queue.claiming import claim
from labeling.queue.claiming import order as claiming_order
from labeling.review import services as review_services
from tests.cast import open_comparison_campaign, rater_called

OpenPage = Callable[..., Page]


def judge_everything(
    campaign: Campaign,
    rater: Rater,
    *,
    noise: float,
    chance: random.Random,
    is_habitual: bool = False,
) -> None:
    now = timezone.now() - timedelta(hours=6)
    while (slot := claim.claim(campaign=campaign, rater=rater, now=now)) is not None:
        shown = claiming_order.presented(slot)
        keys = [
            place if is_habitual else shown[place].number + chance.gauss(0, noise)
            for place in range(4)
        ]
        ranks: dict[int, int | None] = {
            place: sorted(keys).index(key) + 1 for place, key in enumerate(keys)
        }
        ratings = {
            place: {"overall": 7 - (ranks[place] or 1), "wrong_task": chance.random() < 0.1}
            for place in range(4)
        }
        assert slot.lease is not None
        now += timedelta(seconds=90)
        active_s = chance.lognormvariate(3.5, 0.4)
        submit.submit(
            lease=slot.lease,
            rater=rater,
            answer=ComparisonAnswer(ranks=ranks, ratings=ratings),
            recorded=Recorded(active_s=active_s),
            now=now,
        )


TEXTS = (
    "It is certainly the tide, and of course the moon: nobody doubts it. " * 8,
    "It may be the tide, perhaps, or the moon; I think so. " * 6 + "\n- one\n- two\n",
    "A sentence that says something. " * 6 + "**So.**",
    "It might be the wind. " * 3 + "\n- one\n- two\n",
)


@pytest.fixture
def measured(day_shift: Pool, guideline: Guideline, transactional_db: None) -> Campaign:
    """Twenty-four items by eleven raters, one of whom prefers what is shown first; five are
    newcomers, and most say for how long they have rated. A reviewer decided every second item, now
    and then for the modest answer.
    """
    chance = random.Random(8)
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=24, overlap=11, name="Helpful answers, summer"
    )
    for number, text in enumerate(TEXTS):
        Response.objects.filter(number=number).update(text=text)
    Prompt.objects.filter(pk__in=Prompt.objects.values("pk")[:15]).update(category="chat")
    raters = [rater_called(f"Rater {number}", pool=day_shift) for number in range(10)]
    for number, rater in enumerate(raters):
        judge_everything(campaign, rater, noise=0.9 + number / 8, chance=chance)
    judge_everything(
        campaign, rater_called("Habit", pool=day_shift), noise=0, chance=chance, is_habitual=True
    )
    newcomers = pools_services.create_pool(name="Newcomers", by=None, now=timezone.now())
    pools_services.add_raters(pool=newcomers, raters=raters[3:8], by=None, now=timezone.now())
    describe_themselves(day_shift, raters)
    for place, item in enumerate(campaign.items.order_by("position")[:24:2]):
        order = (1, 0, 2, 3) if place % 3 == 0 else (0, 1, 2, 3)
        ranks = {response.pk: order[response.number] + 1 for response in item.responses.all()}
        review_services.adjudicate(
            item=item, ranks=ranks, reason="rater_error", by=None, now=timezone.now()
        )
    quality_services.compute_quality(campaign_id=campaign.pk, now=timezone.now())
    with_a_taste(campaign, raters[7:10])
    who_answer_differently(campaign, raters[:2])
    return campaign


def with_a_taste(campaign: Campaign, raters: list[Rater]) -> None:
    """The report with a group of raters who want something else."""
    taste = {
        "number": 1,
        "n_raters": len(raters),
        "within": {"value": 0.71, "n": 200},
        "outside": {"value": 0.52, "n": 900},
        "repeats": {"value": 0.8, "n": 20},
    }
    for row in RaterQuality.objects.filter(report__campaign=campaign, rater__in=raters):
        row.results = row.results | {"taste": taste}
        row.save(update_fields=["results"])


def who_answer_differently(campaign: Campaign, raters: list[Rater]) -> None:
    """The report with raters of whom nobody can say why."""
    unsure = {"kind": "chance", "n": 24, "value": -0.2, "usual": 1.0, "by_luck": 2e-5}
    unsure |= {"other": None, "colleague": "", "is_beside": 0.0}
    for row in RaterQuality.objects.filter(report__campaign=campaign, rater__in=raters):
        row.results = row.results | {"unsure": unsure}
        row.save(update_fields=["results"])


def describe_themselves(pool: Pool, raters: list[Rater]) -> None:
    step = OnboardingStep.objects.create(pool=pool, kind="profile", created_at=timezone.now())
    question = "For how long have you rated answers?"
    for number, rater in enumerate(raters[:8]):
        answer = "Less than a month" if number < 5 else "Longer than a year"
        ProfileAnswer.objects.create(step=step, rater=rater, question=question, answer=answer)


def every_page(campaign: Campaign) -> dict[str, str]:
    judgment = campaign.judgments.latest("pk")
    return {
        "quality": "/quality/",
        "quality-campaign": f"/campaigns/{campaign.pk}/",
        "quality-summary": f"/campaigns/{campaign.pk}/quality/",
        "quality-agreement": f"/campaigns/{campaign.pk}/agreement/",
        "quality-gold": f"/campaigns/{campaign.pk}/gold/",
        "quality-bias": f"/campaigns/{campaign.pk}/bias/",
        "quality-part": f"/campaigns/{campaign.pk}/agreement/part/?kind=category&value=chat",
        "quality-pairs": f"/campaigns/{campaign.pk}/agreement/?sort=-agree",
        "quality-behind": f"/campaigns/{campaign.pk}/bias/first/",
        "quality-rater-behind": f"/campaigns/{campaign.pk}/raters/{judgment.rater_id}/flag-first/",
        "quality-rater": f"/campaigns/{campaign.pk}/raters/{judgment.rater_id}/",
        "quality-rater-overall": f"/raters/{judgment.rater_id}/",
        "withdrawal": f"/raters/{judgment.rater_id}/withdrawal/",
        "audit": "/audit/",
    }


OUTSIDE = """() => [...document.querySelectorAll("main :is(td, th, dd, dt)")].filter(
    cell => cell.checkVisibility()
        && cell.getBoundingClientRect().right > innerWidth
        && !cell.closest("thead, .table-wrap:has(.heat)")
).map(cell => cell.innerText.trim())"""
"""Cells that a phone cuts off. A heat map scrolls sideways."""


def test_every_page_is_accessible_and_none_is_wider_than_a_phone(
    measured: Campaign,
    alice: User,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
) -> None:
    page = open_page("/quality/", alice)
    phone = open_page("/quality/", alice, width=390, height=844, has_touch=True, is_mobile=True)
    too_wide, outside = [], {}
    for name, address in every_page(measured).items():
        page.goto(address)
        look_over(page, name)
    User.objects.update(language="de")
    for name, address in every_page(measured).items():
        phone.goto(address)
        settled(phone)
        screenshot(phone, f"{name}-phone", full_page=True)
        if phone.evaluate("document.documentElement.scrollWidth") > 390:
            too_wide.append(name)
        if name.startswith("quality-") and (cut := phone.evaluate(OUTSIDE)):
            outside[name] = cut

    assert too_wide == []
    assert outside == {}
