"""Pages of pay, for admins and for raters."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, PayDispute, Payment, Pool, Rate, Rater
from labeling.pay import services as pay_services
from labeling.queue.claiming import claim
from tests.cast import NOON, rater_called
from tests.labeling.answers import words
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

MARCH = "since=2026-03-01&until=2026-03-31"


@recorded
def work(campaign: Campaign, rater: Rater) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    assert slot.lease is not None
    later = NOON + timedelta(minutes=30)
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="An answer."),
        recorded=Recorded(active_s=1200),
        now=later,
    )


@pytest.fixture
@recorded
def paid(day_shift: Pool, demonstration_campaign: Campaign) -> Campaign:
    """Twelve euros an hour, the floor at fifteen."""
    pay_services.set_rate(
        pool=day_shift,
        kind="demonstration",
        basis="hour",
        amount=Decimal(1200),
        currency="EUR",
        floor=Decimal(1500),
        by=None,
        now=NOON,
    )
    return demonstration_campaign


def test_an_empty_site_says_that_nothing_was_judged(alice: User, signed_in: SignedIn) -> None:
    assert "No answers in this period" in words(signed_in(alice).get("/pay/"))


def test_a_rate_is_set_in_the_currencys_units(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    given = {
        "kind": "comparison",
        "basis": "item",
        "amount": "0.125",
        "currency": "eur",
        "floor": "12",
    }

    signed_in(alice).post(f"/pools/{day_shift.pk}/rates/", given)

    rate = Rate.objects.get()
    assert (rate.amount, rate.currency, rate.floor, rate.created_by) == (
        Decimal("12.5"),
        "EUR",
        Decimal(1200),
        alice,
    )


def test_a_currency_that_is_none_gets_a_sentence(
    alice: User, day_shift: Pool, signed_in: SignedIn
) -> None:
    given = {"kind": "comparison", "basis": "item", "amount": "1", "currency": "€"}

    answer = signed_in(alice).post(f"/pools/{day_shift.pk}/rates/", given)

    assert (answer.status_code, "is not a currency code" in words(answer)) == (422, True)


def test_an_admin_sees_everybodys_sum_and_who_is_below_the_floor(
    alice: User, rosa: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    work(paid, rosa)

    page = words(signed_in(alice).get(f"/pay/?{MARCH}"))

    assert rosa.alias in page
    assert "4.00 EUR" in page
    assert "Below minimum" in page


def test_the_csv_has_the_lines_of_everybody(
    alice: User, rosa: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    work(paid, rosa)

    answer = signed_in(alice).get(f"/pay/csv?{MARCH}")

    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["rater"], row["day"], row["work"], row["amount"], row["currency"]) == (
        rosa.alias,
        "2026-03-02",
        "demonstration",
        "4.00",
        "EUR",
    )


def test_an_admins_pay_files_are_in_the_audit_log(
    alice: User, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.get(f"/pay/csv?{MARCH}")
    client.get(f"/pay/raters/{rosa.pk}/csv?{MARCH}")

    events = AuditEvent.objects.filter(by=alice, action="export").order_by("pk")

    assert [(event.target_type, event.target_id) for event in events] == [
        ("accounts.user", alice.pk),
        ("labeling.rater", rosa.pk),
    ]


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000"])
def test_a_pool_named_like_a_formula_is_text_in_the_csv(
    alice: User, day_shift: Pool, rosa: Rater, paid: Campaign, signed_in: SignedIn, blank: str
) -> None:
    Pool.objects.filter(pk=day_shift.pk).update(name=f"{blank}=HYPERLINK(1)")
    work(paid, rosa)

    assert f",'{blank}=HYPERLINK(1)," in signed_in(alice).get(f"/pay/csv?{MARCH}").content.decode()


def test_a_period_is_marked_as_paid_after_a_look(
    alice: User, rosa: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    work(paid, rosa)
    client = signed_in(alice)

    asked = client.get(f"/pay/raters/{rosa.pk}/paid/?{MARCH}")
    assert "Mark 4.00 EUR as paid" in words(asked)
    assert not Payment.objects.exists()
    client.post(f"/pay/raters/{rosa.pk}/paid/?{MARCH}", {"note": "SEPA 17"})

    assert Payment.objects.get().note == "SEPA 17"
    assert "SEPA 17" in words(client.get(f"/pay/raters/{rosa.pk}/?{MARCH}"))


def test_what_came_to_a_paid_day_is_due_on_every_page_of_it(
    alice: User, day_shift: Pool, rosa: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    work(paid, rosa)
    pay_services.mark_paid(
        rater=rosa, since=NOON.date(), until=NOON.date(), by=alice, now=NOON + timedelta(days=1)
    )

    work(paid, rosa)

    admin, rater = signed_in(alice), signed_in(rosa)
    for page in (admin.get(f"/pay/raters/{rosa.pk}/?{MARCH}"), rater.get(f"/my-pay/?{MARCH}")):
        assert "submitted after the day was paid" in words(page)
        assert page.context["sheet"].due_words == "4.00 EUR"
    assert "Mark 4.00 EUR as paid" in words(admin.get(f"/pay/raters/{rosa.pk}/paid/?{MARCH}"))
    for answer in (admin.get(f"/pay/csv?{MARCH}"), rater.get(f"/my-pay/csv?{MARCH}")):
        rows = csv.DictReader(io.StringIO(answer.content.decode()))
        assert [(row["amount"], row["state"], row["later"]) for row in rows] == [
            ("4.00", "paid", ""),
            ("4.00", "due", "yes"),
        ]


def test_a_rater_sees_their_own_pay_and_nobody_elses(
    rosa: Rater, raul: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    work(paid, rosa)

    assert "4.00 EUR" in words(signed_in(rosa).get(f"/my-pay/?{MARCH}"))
    assert "4.00 EUR" not in words(signed_in(raul).get(f"/my-pay/?{MARCH}"))
    assert signed_in(raul).get(f"/pay/raters/{rosa.pk}/").status_code == 403


def test_a_dispute_goes_to_the_admins_and_its_answer_comes_back(
    alice: User, rosa: Rater, paid: Campaign, signed_in: SignedIn
) -> None:
    rater, admin = signed_in(rosa), signed_in(alice)

    rater.post(f"/my-pay/?{MARCH}", {"text": "Ten minutes are missing."})
    dispute = PayDispute.objects.get()
    assert "Ten minutes are missing." in words(admin.get("/pay/"))
    given = {
        f"dispute-{dispute.pk}-text": "Added.",
        f"dispute-{dispute.pk}-correction": "2",
        f"dispute-{dispute.pk}-currency": "EUR",
    }
    admin.post(f"/pay/disputes/{dispute.pk}/answer", given)

    page = words(rater.get("/my-pay/"))
    assert "Added." in page
    assert "2.00 EUR" in page


def test_an_empty_dispute_gets_a_sentence(rosa: Rater, signed_in: SignedIn) -> None:
    answer = signed_in(rosa).post("/my-pay/", {"text": " "})

    assert (answer.status_code, "Write something first." in words(answer)) == (422, True)


def test_days_that_are_none_fall_back_to_this_month(alice: User, signed_in: SignedIn) -> None:
    assert signed_in(alice).get("/pay/?since=yesterday&until=").status_code == 200


@pytest.mark.parametrize("n_raters", [1, 5])
def test_the_overview_asks_as_many_queries_for_one_rater_as_for_five(
    n_raters: int,
    alice: User,
    day_shift: Pool,
    paid: Campaign,
    signed_in: SignedIn,
    django_assert_num_queries: Any,
) -> None:
    for number in range(n_raters):
        work(paid, rater_called(f"Rater {number}", pool=day_shift))
    client = signed_in(alice)

    with django_assert_num_queries(13):
        client.get(f"/pay/?{MARCH}")


def test_the_form_for_a_rate_starts_with_the_work_that_has_none(
    alice: User, paid: Campaign, signed_in: SignedIn
) -> None:
    client, url = signed_in(alice), f"/pools/{paid.pool_id}/rates/"

    def chosen(address: str) -> str:
        return str(client.get(address).context["form"]["kind"].initial)

    with_demonstrations_priced = chosen(url)
    Rate.objects.all().delete()

    assert with_demonstrations_priced == "comparison"
    assert chosen(url) == "demonstration", "the kind of the pool's newest campaign"
    assert chosen(f"{url}?kind=onboarding") == "onboarding", "as a link asks for"


def test_work_without_a_rate_has_earned_nothing_in_a_currency(
    rosa: Rater,
    day_shift: Pool,
    demonstration_campaign: Campaign,
    signed_in: SignedIn,
    settings: LazySettings,
) -> None:
    settings.CURRENCY = "CHF"
    work(demonstration_campaign, rosa)
    client, page = signed_in(rosa), f"/my-pay/?{MARCH}"

    assert words(client.get(page)).count(">0.00 CHF</dd>") == 2

    pay_services.set_rate(
        pool=day_shift,
        kind="comparison",
        basis="item",
        amount=Decimal(20),
        currency="USD",
        floor=None,
        by=None,
        now=NOON,
    )
    assert words(client.get(page)).count(">0.00 USD</dd>") == 2
