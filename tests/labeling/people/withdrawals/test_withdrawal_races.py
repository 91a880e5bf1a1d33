"""A rater withdraws while they are answering, in two connections at once: afterwards none of their
answers counts, and none keeps a slot from others.

The first tests stop an answer in the middle, by a lock on a row that it needs, and withdraw there.
The last one races.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from labeling.desk.judgments import correct, submit, undo
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.desk.judgments.undo import UnableToUndo
from labeling.models import Campaign, Draft, Guideline, Judgment, Pool, Rater, Slot
from labeling.people.withdrawals import withdrawal
from labeling.queue import slots
from labeling.queue.claiming import claim
from labeling.review import set_aside
from labeling.votes import counting
from tests.cast import NOON, lease_of, open_demonstration_campaign, rater_called

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite writes one transaction at a time"
    ),
]

LATER = NOON + timedelta(seconds=5)
LAPSED = NOON + timedelta(hours=2)
N_ROUNDS = 16


@pytest.fixture
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    return open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)


def claimed(campaign: Campaign, rater: Rater) -> Slot:
    slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
    assert slot is not None
    return slot


def answer(rater: Rater, lease: uuid.UUID) -> Judgment:
    text = DemonstrationAnswer(text="Four.")
    return submit.submit(lease=lease, rater=rater, answer=text, now=LATER)


def correct_it(rater: Rater, lease: uuid.UUID) -> Judgment:
    text = DemonstrationAnswer(text="Five.")
    return correct.correct(lease=lease, rater=rater, version=1, answer=text, now=LATER)


def withdraw(rater: Rater) -> None:
    assert withdrawal.withdraw_rater(rater=rater, by=None, now=LATER)


def until_blocked(future: Future[object], *, n: int = 1) -> None:
    """Waits until `n` connections wait for a lock, or `future` is done without waiting."""
    while not future.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= n:
                return
        time.sleep(0.005)


@contextmanager
def draft_locked(slot: Slot, rater: Rater, *, version: int = 0) -> Iterator[None]:
    """Storing an answer deletes its draft last, so it stops there while this holds the row."""
    draft = slots.store_draft(
        item_id=slot.item_id, rater=rater, version=version, content={}, now=NOON
    )
    with transaction.atomic():
        Draft.objects.select_for_update().get(pk=draft.pk)
        yield


def closing(act: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        try:
            return act()
        except (UnableToSubmit, UnableToUndo) as refusal:
            return refusal
        finally:
            connection.close()

    return run


def answer_while_withdrawing(
    act: Callable[[], object], rater: Rater, slot: Slot, *, version: int = 0
) -> None:
    with ThreadPoolExecutor(2) as threads:
        with draft_locked(slot, rater, version=version):
            answering = threads.submit(closing(act))
            until_blocked(answering)
            assert not answering.done(), answering.result()
            withdrawing = threads.submit(closing(lambda: withdraw(rater)))
            until_blocked(withdrawing, n=2)
        answering.result()
        withdrawing.result()


def assert_withdrawn_whole(rater: Rater, campaign: Campaign, other: Rater) -> None:
    """Nothing of `rater` counts, and `other` can finish what they leave."""
    while (slot := claim.claim(campaign=campaign, rater=other, now=LAPSED)) is not None:
        answer(other, lease_of(slot))
    theirs = Judgment.of_people.filter(rater=rater)
    assert not theirs.filter(counting.counts(with_extra=True)).exists()
    assert not theirs.filter(slot__isnull=False).exists(), "a judgment keeps its slot"
    assert not Slot.objects.filter(rater=rater).exists(), "a slot is stuck"
    assert not campaign.slots.exclude(state=Slot.State.SUBMITTED).exists(), "a slot is free"
    counted = Judgment.of_people.filter(counting.counts(), campaign=campaign)
    assert counted.values("item").distinct().count() == campaign.items.count()


def test_an_answer_that_is_being_stored_gives_its_slot_back(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claimed(campaign, rosa)
    lease = lease_of(slot)

    answer_while_withdrawing(lambda: answer(rosa, lease), rosa, slot)

    assert_withdrawn_whole(rosa, campaign, raul)


def test_a_late_answer_that_is_being_stored_gives_its_slot_back(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claimed(campaign, rosa)
    lease = lease_of(slot)
    assert slots.release(lease=lease, rater=rosa, now=NOON)

    answer_while_withdrawing(lambda: answer(rosa, lease), rosa, slot)

    assert_withdrawn_whole(rosa, campaign, raul)


def test_a_correction_that_is_being_stored_gives_its_slot_back(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    slot = claimed(campaign, rosa)
    lease = lease_of(slot)
    answer(rosa, lease)

    answer_while_withdrawing(lambda: correct_it(rosa, lease), rosa, slot, version=1)

    assert_withdrawn_whole(rosa, campaign, raul)


def test_an_answer_under_a_lease_from_just_before_the_withdrawal_is_refused(
    campaign: Campaign, rosa: Rater, raul: Rater
) -> None:
    """A claim that is under way when its rater withdraws may still lease an item afterwards."""
    withdraw(rosa)
    lease = uuid.uuid4()
    Slot.objects.filter(campaign=campaign).update(
        state=Slot.State.LEASED,
        rater=rosa,
        lease=lease,
        leased_at=NOON,
        expires_at=LATER,
        seed=1,
        guideline_version=campaign.guideline_version,
    )
    held = Slot.objects.select_related("campaign", "item__gold_use").get(campaign=campaign)

    with pytest.raises(UnableToSubmit):
        submit.submit(
            lease=lease, rater=rosa, answer=DemonstrationAnswer(text="4"), held=held, now=LATER
        )

    assert slots.heartbeat(lease=lease, rater=rosa, now=LATER) is None, "or it would never lapse"
    assert_withdrawn_whole(rosa, campaign, raul)


def test_an_undo_gives_back_what_another_tab_claims_meanwhile(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    slot = claimed(campaign, rosa)
    lease = lease_of(slot)
    answer(rosa, lease)
    undoing = partial(undo.undo, lease=lease, rater=rosa, draft={}, now=LATER)

    with ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            Slot.objects.select_for_update().get(pk=slot.pk)
            undone = threads.submit(closing(undoing))
            until_blocked(undone)
            claiming = partial(claim.claim, campaign=campaign, rater=rosa, now=LATER)
            threads.submit(closing(claiming)).result()
        assert undone.result() is None

    held = Slot.objects.get(rater=rosa, state=Slot.State.LEASED)
    assert held.pk == slot.pk


def race(*acts: Callable[[], object], seed: int) -> list[object]:
    """Runs all of them at once, each after a pause of up to four milliseconds."""
    start, chance = threading.Barrier(len(acts)), random.Random(seed)
    pauses = [chance.random() * 0.004 for _ in acts]

    def started(act: Callable[[], object], pause: float) -> Callable[[], object]:
        def run() -> object:
            connection.ensure_connection()
            start.wait()
            time.sleep(pause)
            return closing(act)()

        return run

    with ThreadPoolExecutor(len(acts)) as threads:
        futures = [threads.submit(started(act, pauses[n])) for n, act in enumerate(acts)]
        return [future.result() for future in futures]


@dataclass(frozen=True)
class Round:
    """A rater with answers and leases of every kind."""

    campaign: Campaign
    rater: Rater
    live: uuid.UUID
    late: uuid.UUID
    """released, and answered all the same"""
    answered: uuid.UUID
    undone: uuid.UUID
    aside: Judgment

    def run(self, *, seed: int) -> list[object]:
        campaign, rater = self.campaign, self.rater
        undoing = partial(undo.undo, lease=self.undone, rater=rater, draft={}, now=LATER)
        claiming = partial(claim.claim, campaign=campaign, rater=rater, now=LATER)
        return race(
            lambda: withdraw(rater),
            lambda: answer(rater, self.live),
            lambda: answer(rater, self.late),
            lambda: correct_it(rater, self.answered),
            lambda: set_aside.take_back(judgment=self.aside, by=None, now=LATER),
            undoing,
            claiming,
            seed=seed,
        )


def prepared(number: int, pool: Pool, guideline: Guideline) -> Round:
    campaign = open_demonstration_campaign(
        pool=pool, guideline=guideline, n_items=6, name=f"Round {number}"
    )
    rater = rater_called(f"Rita {number}", pool=pool)
    leases = [lease_of(claimed_and_answered(campaign, rater)) for _ in range(3)]
    aside = Judgment.of_people.get(lease=leases[2])
    set_aside.set_aside(judgment=aside, reason="unclear", by=None, now=NOON)
    late = lease_of(claimed(campaign, rater))
    assert slots.release(lease=late, rater=rater, now=NOON)
    live = lease_of(claimed(campaign, rater))
    return Round(campaign, rater, live, late, leases[0], leases[1], aside)


def claimed_and_answered(campaign: Campaign, rater: Rater) -> Judgment:
    return answer(rater, lease_of(claimed(campaign, rater)))


@pytest.mark.slow
def test_whoever_wins_nothing_of_a_withdrawn_rater_counts_or_keeps_a_slot(
    day_shift: Pool, guideline: Guideline, raul: Rater
) -> None:
    outcomes: set[type] = set()

    for number in range(N_ROUNDS):
        one = prepared(number, day_shift, guideline)
        outcomes |= {type(outcome) for outcome in one.run(seed=number)}
        assert_withdrawn_whole(one.rater, one.campaign, raul)

    assert outcomes >= {Judgment, UnableToSubmit}, "sometimes the answer wins, sometimes not"
