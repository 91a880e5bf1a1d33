"""From a CSV file of addresses to a disputed timesheet, in Chromium; and the pages of people, by
axe and on a phone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, CrowdLink, PayDispute, Pool, Rater, StepAttempt
from labeling.pay import services as pay_services
from labeling.people.accounts import services as accounts_services
from labeling.people.crowd import services as crowd_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.onboarding import services as onboarding_services
from labeling.people.skills import services as skills_services
from labeling.queue.claiming import claim
from tests.accounts.sent_tasks import letters
from tests.cast import PASSWORD

OpenPage = Callable[..., Page]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]

FLAGS = [{"prompt": "Tell a joke.", "response": "A rude one.", "is_sensitive": True}]
RANKINGS = [
    {"prompt": "Why is the sky blue?", "responses": ["Scattering.", "Paint."], "ranks": [1, 2]}
]


def steps(pool: Pool) -> None:
    """Consent, a test of flags and one of rankings, five paid minutes each."""
    plans: list[tuple[str, str, list[Any], Decimal | None]] = [
        ("consent", "Consent", [], None),
        ("flags", "Flag sensitive content", FLAGS, Decimal("0.75")),
        ("rankings", "Rank responses", RANKINGS, Decimal("0.75")),
    ]
    for kind, title, questions, cut in plans:
        onboarding_services.add_step(
            pool=pool,
            kind=kind,
            title=title,
            text="Read this **first**.",
            questions=questions,
            cut=cut,
            paid_minutes=5,
            by=None,
            now=timezone.now(),
        )


def rates(pool: Pool) -> None:
    for kind in ("demonstration", "onboarding"):
        pay_services.set_rate(
            pool=pool,
            kind=kind,
            basis="hour",
            amount=Decimal(1200),
            currency="EUR",
            floor=Decimal(1000),
            by=None,
            now=timezone.now(),
        )


def test_invited_by_a_file_onboarded_paid_and_heard(
    alice: User,
    day_shift: Pool,
    demonstration_campaign: Campaign,
    open_page: OpenPage,
    tmp_path: Path,
) -> None:
    steps(day_shift)
    rates(day_shift)
    file = tmp_path / "people.csv"
    file.write_text("email,name\nines@example.org,Ines\n")
    admin = open_page(f"/pools/{day_shift.pk}/invitations/", alice)
    admin.get_by_label("Or upload a CSV file").set_input_files(file)
    admin.get_by_role("button", name="Send invitations").click()
    expect(admin.get_by_role("rowheader", name="ines@example.org")).to_be_visible()
    (letter,) = letters()
    secret = str(letter.body).partition("/join/")[2].partition("/")[0]

    page = open_page(f"/join/{secret}/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/desk/")
    page.get_by_role("link", name="View steps").click()
    expect(page.get_by_text("3 steps left before your first item.")).to_be_visible()
    page.get_by_role("link", name="Open Consent").click()
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("link", name="Open Flag sensitive content").click()
    page.get_by_label("yes").check(force=True)
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="Open Rank responses").click()
    page.get_by_label("Rank of A").select_option("1")
    page.get_by_label("Rank of B").select_option("2")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("link", name="Go to desk").click()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#answer")).to_be_visible()
    rater = Rater.everyone.get()
    slot = rater.slots.get()
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=1),
        now=timezone.now(),
    )

    page.goto("/my-pay/")
    expect(page.get_by_role("cell", name="onboarding")).to_be_visible()
    expect(page.get_by_role("cell", name="demonstrations")).to_be_visible()
    page.get_by_label("What is wrong?").fill("The quiz took me longer.")
    page.get_by_role("button", name="Ask an admin").click()
    expect(page.get_by_text("Not answered yet")).to_be_visible()
    admin.goto("/pay/")
    admin.get_by_role("link", name=rater.alias).first.click()
    admin.get_by_label("Answer").fill("Two euros more.")
    admin.get_by_label("Adjustment").fill("2")
    admin.get_by_role("button", name="Answer").click()
    page.reload()

    expect(page.get_by_text("Two euros more.")).to_be_visible()
    assert PayDispute.objects.get().correction == Decimal(200)


def paid_and_more(campaign: Campaign, rater: Rater, now: datetime) -> None:
    """Work of two days ago that was paid, and a correction that made it longer since."""
    begun = now - timedelta(days=2)
    pay_services.set_rate(
        pool=campaign.pool,
        kind="demonstration",
        basis="hour",
        amount=Decimal(1200),
        currency="EUR",
        valid_from=begun,
        by=None,
        now=now,
    )
    slot = claim.claim(campaign=campaign, rater=rater, now=begun)
    assert slot is not None
    assert slot.lease is not None
    later = begun + timedelta(minutes=10)
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=600),
        now=later,
    )
    pay_services.mark_paid(rater=rater, since=begun.date(), until=begun.date(), by=None, now=now)
    correct.correct(
        lease=slot.lease,
        rater=rater,
        version=1,
        answer=DemonstrationAnswer(text="A better one."),
        recorded=Recorded(active_s=300),
        now=now,
    )


@pytest.fixture
def peopled(
    alice: User, day_shift: Pool, rosa: Rater, raul: Rater, demonstration_campaign: Campaign
) -> dict[str, str]:
    """Screenshot name → URL with content. Names start with my- for a rater, with anybody- for a
    visitor.
    """
    rates(day_shift)
    now = timezone.now()
    slot = claim.claim(campaign=demonstration_campaign, rater=rosa, now=now)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rosa,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=1),
        now=now,
    )
    paid_and_more(demonstration_campaign, rosa, now)
    steps(day_shift)
    skills_services.declare_skills(rater=rosa, languages=["de"], topics=["chat"], now=now)
    pay_services.raise_dispute(
        rater=rosa, since=now.date(), until=now.date(), text="Ten minutes are missing.", now=now
    )
    accounts_services.pause_raters(pool=day_shift, raters=[raul], by=alice, now=now)
    (sent,) = invitations_services.invite_to_pool(
        pool=day_shift, invitees=[Invitee("ines@example.org", "Ines")], by=alice, now=now
    )
    consent, flags, rankings = day_shift.steps.order_by("position")
    onboarding_services.submit_step(step=consent, rater=rosa, version=1, answers=[True], now=now)
    onboarding_services.submit_step(step=flags, rater=rosa, version=1, answers=[False], now=now)
    onboarding_services.submit_step(step=flags, rater=rosa, version=1, answers=[False], now=now)
    link = crowd_services.create_crowd_link(
        campaign=demonstration_campaign,
        name="Study",
        id_parameter="PID",
        completion_code="X",
        by=alice,
        now=now,
    )
    attempt = StepAttempt.objects.latest("pk")
    onboarding_services.edit_step(
        step=flags,
        title="Flag sensitive content",
        text="Read this **twice**.",
        questions=FLAGS,
        guideline=None,
        cut=flags.cut,
        max_attempts=2,
        needs_decision=False,
        paid_minutes=5,
        is_major=False,
        by=alice,
        now=now,
    )
    return {
        "roster": "/roster/",
        "rater-skills": f"/raters/{rosa.pk}/skills/",
        "pool": f"/pools/{day_shift.pk}/",
        "pool-edit": f"/pools/{day_shift.pk}/edit/",
        "invitations": f"/pools/{day_shift.pk}/invitations/",
        "pool-onboarding": f"/pools/{day_shift.pk}/onboarding/",
        "step-edit": f"/steps/{flags.pk}/",
        "step-new": f"/pools/{day_shift.pk}/onboarding/new/profile/",
        "step-retire": f"/steps/{flags.pk}/retire/",
        "step-history": f"/steps/{flags.pk}/versions/",
        "attempt": f"/attempts/{attempt.pk}/",
        "attempt-consent": f"/attempts/{StepAttempt.objects.get(step=consent).pk}/",
        "queue-onboarding": "/queues/onboarding/",
        "rater": f"/raters/{rosa.pk}/",
        "pool-rates": f"/pools/{day_shift.pk}/rates/",
        "pool-crowd": f"/pools/{day_shift.pk}/crowd/",
        "pay": "/pay/",
        "pay-rater": f"/pay/raters/{rosa.pk}/",
        "pay-mark": f"/pay/raters/{rosa.pk}/paid/",
        "my-pay": "/my-pay/",
        "my-skills": "/my-skills/",
        "my-onboarding": f"/onboarding/{day_shift.pk}/",
        "my-onboarding-step": f"/onboarding/{day_shift.pk}/{rankings.pk}/",
        "anybody-join": f"/join/{sent.secret}/",
        "anybody-crowd": f"/crowd/{CrowdLink.objects.get(pk=link.pk).token}/?PID=7",
    }


def test_every_page_of_people_is_accessible_and_fits(
    peopled: dict[str, str],
    alice: User,
    rosa: Rater,
    open_page: OpenPage,
    look_over: Callable[..., None],
    screenshot: Callable[..., None],
) -> None:
    admin = open_page("/roster/", alice)
    rater = open_page("/my-pay/", rosa)
    anybody = open_page("/account/login/")
    too_wide = []
    for name, address in peopled.items():
        page = {"my": rater, "anybody": anybody}.get(name.partition("-")[0], admin)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        look_over(page, f"people-{name}")
        page.set_viewport_size({"width": 360, "height": 780})
        screenshot(page, f"people-{name}-phone", full_page=True)
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            too_wide.append(name)

    assert too_wide == []
