"""Bonuses: what is due, one act with the sum confirmed, and nothing paid twice."""

from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from labeling.models import CrowdVisit, Payment, ProlificBonusBatch, ProlificStudy, Rater
from labeling.pay import services as pay_services
from labeling.pay.timesheets import selectors
from labeling.pay.timesheets.sheets import Timesheet
from labeling.people.crowd import services as crowd_services
from labeling.people.prolific import bonuses, client, dues
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.people.prolific.conftest import begin, poll
from tests.labeling.people.prolific.prolific_stub import LOST, Prolific
from tests.labeling.people.test_crowd_pages import answer, enter, take

SignedIn = Callable[..., Client]

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
LATER = NOON + timedelta(hours=1)


def late(study: ProlificStudy, prolific: Prolific, number: str = "1") -> None:
    """A worker who finished after Prolific had timed them out."""
    visit = begin(study.link, f"p{number}")
    CrowdVisit.objects.filter(pk=visit.pk).update(state="complete", ended_at=NOON)
    prolific.submit(f"s{number}", f"p{number}", "TIMED-OUT")
    poll(study)


def everyone(study: ProlificStudy) -> set[int]:
    return set(study.submissions.values_list("pk", flat=True))


def prepared(study: ProlificStudy, by: User) -> ProlificBonusBatch:
    return bonuses.prepare(study=study, submission_ids=everyone(study), by=by, now=NOON)


def queued(study: ProlificStudy, by: User) -> ProlificBonusBatch:
    batch = prepared(study, by)
    bonuses.pay(batch=batch, total=batch.total, by=by, now=NOON)
    return batch


def state_of(batch: ProlificBonusBatch) -> str:
    batch.refresh_from_db()
    return batch.state


def test_who_finished_late_is_named_and_due_the_reward(
    study: ProlificStudy, prolific: Prolific
) -> None:
    late(study, prolific)

    (row,) = dues.rows(study=study)

    assert (row.is_late, row.due) == (True, 300)


def pay_an_item(study: ProlificStudy, by: User, *, currency: str) -> None:
    pay_services.set_rate(
        pool=study.link.campaign.pool,
        kind="demonstration",
        basis="item",
        amount=Decimal(200),
        currency=currency,
        valid_from=NOON,
        by=by,
        now=timezone.now(),
    )


def finish(study: ProlificStudy, prolific: Prolific) -> None:
    """A worker writes both answers and hands in."""
    worker, _entered = enter(study.link, "p1")
    answer(worker, answer(worker, take(worker, study.link.campaign)).url)
    prolific.submit("s1", "p1", "AWAITING REVIEW")
    poll(study)


def test_what_the_rates_owe_beyond_the_reward_is_due_once_it_is_approved(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    pay_an_item(study, alice, currency="GBP")
    finish(study, prolific)
    before = [(row.earned, row.due) for row in dues.rows(study=study)]

    prolific.submissions["s1"]["status"] = "APPROVED"
    poll(study)

    assert before == [(400, 0)]
    assert [(row.received, row.due) for row in dues.rows(study=study)] == [(300, 100)]


def this_month(rater: Rater) -> Timesheet:
    today = timezone.now().astimezone(UTC).date()
    return selectors.timesheet(rater=rater, since=today - timedelta(days=1), until=today)


def test_what_prolific_has_paid_is_not_due_on_the_pay_page_again(
    study: ProlificStudy, prolific: Prolific, alice: User, signed_in: SignedIn
) -> None:
    pay_an_item(study, alice, currency="GBP")
    finish(study, prolific)
    rater = Rater.everyone.get()
    assert this_month(rater).due == {"GBP": 400}

    prolific.submissions["s1"]["status"] = "APPROVED"
    poll(study)

    sheet = this_month(rater)
    assert (sheet.totals, sheet.due) == ({"GBP": 400}, {"GBP": 100})
    client = signed_in(alice)
    page = client.get(f"/pay/raters/{rater.pk}/").content.decode()
    assert "paid through Prolific" in page
    (api,) = client.get("/api/v1/pay").json()["results"]
    assert (api["totals"], api["due"]) == ({"GBP": "4.00"}, {"GBP": "1.00"})
    lines = client.get(f"/api/v1/pay/{rater.pk}/lines").json()["results"]
    assert [(line["work"], line["amount"]) for line in lines] == [
        ("demonstration", "4.00"),
        ("prolific", "-3.00"),
    ]


def test_a_reward_above_the_rates_leaves_nothing_due_and_takes_nothing_from_other_work(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    pay_an_item(study, alice, currency="GBP")
    finish(study, prolific)
    ProlificStudy.objects.update(reward=1000)
    prolific.submissions["s1"]["status"] = "APPROVED"
    poll(study)

    assert this_month(Rater.everyone.get()).due == {"GBP": 0}


def test_a_paid_day_keeps_what_prolific_had_paid_then(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    pay_an_item(study, alice, currency="GBP")
    finish(study, prolific)
    prolific.submissions["s1"]["status"] = "APPROVED"
    poll(study)
    rater, now = Rater.everyone.get(), timezone.now()
    today = now.astimezone(UTC).date()

    payment = pay_services.mark_paid(
        rater=rater, since=today, until=today, by=alice, now=now + timedelta(days=1)
    )

    assert payment.totals == {"GBP": "100"}
    sheet = this_month(rater)
    assert (sheet.totals, sheet.due) == ({"GBP": 400}, {})
    assert [row.due for row in dues.rows(study=study)] == [0]


def test_rates_in_another_currency_do_not_count(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    pay_an_item(study, alice, currency="EUR")
    finish(study, prolific)
    prolific.submissions["s1"]["status"] = "APPROVED"

    poll(study)

    assert [(row.earned, row.due) for row in dues.rows(study=study)] == [(0, 0)]


def test_work_of_a_later_visit_is_not_paid_in_an_earlier_study(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    pay_an_item(study, alice, currency="GBP")
    finish(study, prolific)
    rater = Rater.everyone.get()
    other = crowd_services.create_crowd_link(
        campaign=study.link.campaign,
        name="Second study",
        id_parameter="PROLIFIC_PID",
        completion_code="D0NE43",
        by=None,
        now=NOON,
    )
    CrowdVisit.objects.update(started_at=NOON)
    CrowdVisit.objects.create(
        link=other,
        external_id="p1",
        rater=rater,
        started_at=NOON + timedelta(minutes=1),
        expires_at=LATER,
    )

    (row,) = dues.rows(study=study)

    assert row.earned == 0


def test_days_marked_as_paid_are_not_due(study: ProlificStudy, prolific: Prolific) -> None:
    late(study, prolific)
    day = NOON.astimezone(UTC).date()
    Payment.objects.create(
        rater=Rater.everyone.get(), since=day, until=day, totals={}, lines=[], paid_at=NOON
    )

    (row,) = dues.rows(study=study)

    assert (row.due, row.is_marked_paid) == (0, True)


def test_a_bonus_is_prepared_confirmed_sent_and_seen(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific, "1")
    late(study, prolific, "2")
    batch = prepared(study, alice)
    assert (batch.amount, batch.total, dict(prolific.paid)) == (600, 840, {})

    bonuses.pay(batch=batch, total=840, by=alice, now=NOON)
    assert bonuses.send(batch_id=batch.pk, now=NOON)
    assert state_of(batch) == "sent"
    assert bonuses.look_up(batch_id=batch.pk, now=LATER)

    assert state_of(batch) == "paid"
    assert prolific.paid == {"s1": [300], "s2": [300]}
    assert [row.due for row in dues.rows(study=study)] == [0, 0]
    actions = AuditEvent.objects.filter(target_type="labeling.prolificbonusbatch")
    assert sorted(actions.values_list("action", flat=True)) == ["pay_bonus", "prepare_bonus"]


def test_another_total_than_the_one_shown_is_not_paid(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = prepared(study, alice)

    with pytest.raises(bonuses.UnableToPayBonus):
        bonuses.pay(batch=batch, total=1, by=alice, now=NOON)

    assert state_of(batch) == "ready"


def test_a_second_confirmation_and_a_second_worker_pay_nothing(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    with pytest.raises(bonuses.UnableToPayBonus):
        bonuses.pay(batch=batch, total=batch.total, by=alice, now=NOON)

    sent = [bonuses.send(batch_id=batch.pk, now=NOON) for _time in range(2)]

    assert sent == [True, False]
    assert prolific.paid["s1"] == [300]


def test_only_one_batch_is_open_at_a_time(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    prepared(study, alice)

    with pytest.raises(bonuses.UnableToPayBonus):
        prepared(study, alice)


def test_a_payment_without_an_answer_is_looked_up_and_never_sent_again(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.faults["/pay/"] = LOST
    assert not bonuses.send(batch_id=batch.pk, now=NOON)
    assert state_of(batch) == "unconfirmed"
    prolific.faults.clear()
    with pytest.raises(bonuses.UnableToPayBonus):
        bonuses.send_again(batch=batch, by=alice, now=NOON)
    with pytest.raises(bonuses.UnableToPayBonus):
        bonuses.discard(batch=batch, by=alice, now=NOON)

    bonuses.look_up(batch_id=batch.pk, now=NOON)

    assert state_of(batch) == "paid"
    assert prolific.paid["s1"] == [300]


def test_a_payment_that_never_arrived_is_sent_again_by_an_admin(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.faults["/pay/"] = 502
    bonuses.send(batch_id=batch.pk, now=NOON)
    bonuses.look_up(batch_id=batch.pk, now=NOON + timedelta(minutes=10))
    assert state_of(batch) == "unconfirmed"
    bonuses.look_up(batch_id=batch.pk, now=LATER)
    assert state_of(batch) == "not_found"
    prolific.faults.clear()

    bonuses.send_again(batch=batch, by=alice, now=LATER)
    bonuses.send(batch_id=batch.pk, now=LATER)

    assert prolific.paid["s1"] == [300]
    assert state_of(batch) == "sent"


def test_a_payment_that_appears_before_it_is_sent_again_is_not(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.faults["/pay/"] = 502
    bonuses.send(batch_id=batch.pk, now=NOON)
    bonuses.look_up(batch_id=batch.pk, now=LATER)
    bonuses.send_again(batch=batch, by=alice, now=LATER)
    prolific.faults.clear()
    prolific.paid["s1"].append(300)

    assert not bonuses.send(batch_id=batch.pk, now=LATER)

    assert prolific.n_of("/pay/") == 1
    assert state_of(batch) == "sent"


def test_a_refusal_is_shown_and_pays_nothing(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.faults["/pay/"] = 400

    bonuses.send(batch_id=batch.pk, now=NOON)

    assert state_of(batch) == "refused"
    assert "A fault." in batch.problem
    assert [row.due for row in dues.rows(study=study)] == [300]


@pytest.mark.parametrize("path", ["GET /api/v1/submissions/s1/", "/pay/"])
def test_the_rate_limit_puts_it_back_into_the_queue(
    study: ProlificStudy, prolific: Prolific, alice: User, path: str
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.faults[path] = 429

    bonuses.send(batch_id=batch.pk, now=NOON)

    assert state_of(batch) == "queued"
    assert bonuses.waiting_batch_ids(now=NOON + timedelta(hours=1)) == []
    prolific.faults.clear()
    assert bonuses.waiting_batch_ids(now=NOON + timedelta(hours=2)) == [batch.pk]
    bonuses.send(batch_id=batch.pk, now=NOON + timedelta(hours=2))
    assert prolific.paid["s1"] == [300]


def test_a_bonus_paid_on_prolifics_own_page_is_counted(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    prolific.paid["s1"].append(200)

    assert not bonuses.send(batch_id=batch.pk, now=NOON)

    assert state_of(batch) == "refused"
    assert prolific.paid["s1"] == [200]
    assert [row.due for row in dues.rows(study=study)] == [100]
    bonuses.send(batch_id=queued(study, alice).pk, now=NOON)
    assert prolific.paid["s1"] == [200, 100]


def test_a_worker_that_died_before_it_sent_anything_leaves_it_in_the_queue(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    ProlificBonusBatch.objects.update(state="sending", sent_at=NOON)
    assert bonuses.batch_ids_to_look_up(now=NOON + timedelta(minutes=5)) == []
    assert bonuses.batch_ids_to_look_up(now=LATER) == [batch.pk]

    bonuses.look_up(batch_id=batch.pk, now=LATER)

    assert state_of(batch) == "queued"
    assert bonuses.send(batch_id=batch.pk, now=LATER)
    assert prolific.paid["s1"] == [300]


def test_a_worker_that_died_while_it_sent_leaves_it_unconfirmed(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    batch = queued(study, alice)
    ProlificBonusBatch.objects.update(state="sending", sent_at=LATER)
    batch.lines.update(n_before=0)

    bonuses.look_up(batch_id=batch.pk, now=LATER + timedelta(minutes=21))

    assert state_of(batch) == "unconfirmed"


def test_nothing_due_is_a_sentence(study: ProlificStudy, alice: User) -> None:
    with pytest.raises(bonuses.UnableToPayBonus, match="Nothing is due"):
        prepared(study, alice)


def test_a_token_without_access_prepares_nothing(
    study: ProlificStudy, prolific: Prolific, alice: User
) -> None:
    late(study, prolific)
    prolific.faults["/bonus-payments/"] = 403

    with pytest.raises(client.TokenRefused):
        prepared(study, alice)

    assert not ProlificBonusBatch.objects.exists()


def test_an_admin_pays_bonuses_on_the_page_after_seeing_the_total(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    late(study, prolific)
    admin = signed_in(alice)
    address = f"/crowd-links/{study.link_id}/prolific/bonus/"
    assert "Finished late" in words(admin.get(address))

    admin.post(address, {"submission": [str(pk) for pk in everyone(study)]})
    batch = ProlificBonusBatch.objects.get()
    assert "Pay 4.20 GBP" in words(admin.get(address))
    admin.post(f"/prolific-bonuses/{batch.pk}/pay", {"total": "420"})

    assert state_of(batch) == "queued"
    assert prolific.paid["s1"] == []
    assert "In queue" in words(admin.get(address))


def test_an_admin_discards_prepared_bonuses(
    study: ProlificStudy, prolific: Prolific, signed_in: SignedIn, alice: User
) -> None:
    late(study, prolific)
    batch = prepared(study, alice)

    signed_in(alice).post(f"/prolific-bonuses/{batch.pk}/discard")

    assert state_of(batch) == "discarded"
    assert prepared(study, alice).pk != batch.pk
