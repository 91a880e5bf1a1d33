"""Raters are spared the pairs whose verdict stands, get all others, and are told nothing of it."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Case, Judgment, Rater, Slot
from labeling.queue import items as queue_items
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import lease_of
from tests.labeling.queue.rater_steps import judge as answer
from tests.training.judges.conftest import NOW, a_judge, a_model, started
from tests.training.judges.judge_stub import JudgeStub
from tests.training.judges.test_trust import (
    LATER,
    a_rule,
    drawn,
    judge,
    judges_everything,
    many,
    rosa,
    vote,
)
from training.judges import sparing, trust
from training.models import CalibrationPair, Judge, JudgeVersion, TrustLook, TrustRule, Verdict
from training.verdicts import standing

__all__ = ["judge", "many", "rosa"]
pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
OVERLAP = 2
TWO = {"ranks": {0: 1, 1: 2}, "ratings": {n: {"overall": "4"} for n in range(2)}}


@pytest.fixture
def trusted(judge: Judge, rosa: Rater, alice: User) -> Judge:
    """In all pairs, whatever its confidence."""
    a_rule(judge, alice)
    vote(rosa, drawn(judge)[:100], agrees=lambda: True)
    trust.advance(now=LATER)
    assert TrustLook.objects.get().outcome == TrustLook.Outcome.GRANTED
    return judge


@pytest.fixture
def sparing_judge(trusted: Judge, alice: User) -> Judge:
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)
    return trusted


def spared(campaign: Campaign) -> set[int]:
    return set(campaign.items.exclude(spared_at=None).values_list("pk", flat=True))


def comes_first(item: int) -> None:
    Slot.objects.exclude(item=item).update(queue_rank=10**12)
    Slot.objects.filter(item=item).update(queue_rank=1)


def standing_items(judge: Judge) -> set[int]:
    return {pair.item for pair, _look in standing.trusted_verdicts(judge=judge)}


def check_slots(campaign: Campaign) -> None:
    """An item has slots up to the overlap if it is neither held nor spared; otherwise none is
    free.
    """
    wrong = []
    for item in campaign.items.prefetch_related("slots"):
        n_free = sum(slot.state == Slot.State.FREE for slot in item.slots.all())
        is_open = item.held_at is None and item.spared_at is None
        if item.slots.count() != OVERLAP if is_open else n_free:
            wrong.append((item.pk, item.held_at, item.spared_at, n_free))
    assert wrong == []


def test_trust_alone_takes_nothing_from_raters(trusted: Judge, many: Campaign) -> None:
    sparing.advance(now=LATER)

    assert standing_items(trusted)
    assert not spared(many)
    check_slots(many)


def test_what_stands_has_no_slots_and_everything_else_keeps_all(
    trusted: Judge, many: Campaign, alice: User
) -> None:
    calibrated = {item.pk for item in drawn(trusted)}
    others = [item for item in many.items.order_by("pk") if item.pk not in calibrated]
    undecided = others[:7]
    Verdict.objects.filter(item__in=undecided).update(judgment=None)
    Judgment.of_everyone.filter(item__in=undecided, rater=trusted.rater).delete()
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)

    for _again in range(2):
        sparing.advance(now=LATER)

        audits = {item.pk for item in others if standing.is_audit(trusted.versions.get(), item.pk)}
        expected = {item.pk for item in others[7:]} - audits
        assert spared(many) == standing_items(trusted) == expected
        assert not Slot.objects.filter(item__in=expected).exists()
        check_slots(many)


def test_a_part_below_its_threshold_goes_to_people(
    trusted: Judge, many: Campaign, alice: User
) -> None:
    with connection.cursor() as cursor:  # the rows never change
        cursor.execute("UPDATE training_judgeversion SET asks_probabilities = true")
        cursor.execute("UPDATE training_trustlook SET threshold = 0.8")
    sure, unsure = {"A": -0.1, "B": -0.1}, {"A": -1.0, "B": -1.0}
    Verdict.objects.update(log_probabilities=sure)
    some = sorted(standing_items(trusted))[:20]
    Verdict.objects.filter(item__in=some).update(log_probabilities=unsure)
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)

    assert spared(many)
    assert not spared(many) & set(some)
    found = sparing.division(rule=TrustRule.objects.get())
    assert found.of_people[sparing.BELOW] in (20, 21, 22)  # with audits among them
    assert found.n_standing == found.n_spared == len(spared(many))
    assert found.n_standing + found.of_people.total() == found.n_pairs == 240


def turn_off(judge: Judge, alice: User) -> None:
    trust.switch(judge=judge, is_on=False, by=alice, now=LATER)


def spare_no_more(judge: Judge, alice: User) -> None:
    sparing.switch(judge=judge, is_on=False, by=alice, now=LATER)


def withdraw(judge: Judge, alice: User) -> None:
    Rater.everyone.filter(pk=judge.rater_id).update(withdrawn_at=LATER)


def change_guideline(judge: Judge, alice: User) -> None:
    guidelines_services.new_guideline_version(
        guideline=judge.campaign.guideline,
        text="Other rules.",
        form=rating_form.RatingForm(()),
        by=alice,
        now=LATER,
    )


def add_version(judge: Judge, alice: User) -> None:
    first = judge.versions.get()
    JudgeVersion.objects.create(
        judge=judge,
        number=2,
        guideline_version=first.guideline_version,
        prompt="Otherwise.",
        sampling=first.sampling,
        context_tokens=first.context_tokens,
        price_in=0,
        price_out=0,
        sha256="0" * 64,
    )


def revoke(judge: Judge, alice: User | None = None) -> None:
    TrustLook.objects.create(
        version=judge.versions.order_by("number")[0],
        slice="",
        number=0,
        outcome=TrustLook.Outcome.REVOKED,
        n_pairs=60,
        target=0.8,
        error=0.05,
        n=60,
        n_agreed=20,
        created_at=LATER,
    )


def lose_verdicts(judge: Judge, alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE training_verdict SET judgment_id = NULL")


@pytest.mark.parametrize(
    "ends",
    [turn_off, spare_no_more, withdraw, change_guideline, add_version, revoke, lose_verdicts],
)
def test_every_end_of_trust_gives_the_slots_back(
    sparing_judge: Judge, many: Campaign, alice: User, ends: Callable[[Judge, User], None]
) -> None:
    assert spared(many)

    ends(sparing_judge, alice)
    for _again in range(2):
        sparing.advance(now=LATER + timedelta(hours=1))
        assert not spared(many)
        check_slots(many)


def test_a_clock_that_is_set_back_spares_and_gives_back_as_well(
    sparing_judge: Judge, many: Campaign, alice: User
) -> None:
    before = spared(many)
    sparing.advance(now=NOW - timedelta(days=400))
    assert spared(many) == before
    revoke(sparing_judge)
    sparing.advance(now=NOW - timedelta(days=400))
    assert not spared(many)
    check_slots(many)


def test_a_rater_who_holds_a_spared_pair_decides_it(
    trusted: Judge, many: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    """A verdict does not stand beside a person's answer, so the others are asked too."""
    one, other = sorted(standing_items(trusted))[:2]
    comes_first(one)
    held, given_back = (claim.claim(campaign=many, rater=who, now=LATER) for who in (rosa, raul))
    assert held is not None
    assert given_back is not None
    assert held.item_id == given_back.item_id == one
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)
    assert one in spared(many)

    slots.release(lease=lease_of(given_back), rater=raul, now=LATER)
    assert list(Slot.objects.filter(item=one)) == [held]
    judgment = answer(held, rosa, **TWO)
    assert (judgment.slot_id, judgment.is_extra) == (held.pk, False)
    sparing.advance(now=LATER)

    assert one not in spared(many)
    assert other in spared(many)
    assert sorted(Slot.objects.filter(item=one).values_list("state", flat=True)) == [
        "free",
        "submitted",
    ]


def test_a_pair_that_was_answered_meanwhile_gets_the_slots_that_doubt_asks_for(
    trusted: Judge, many: Campaign, rosa: Rater, raul: Rater, alice: User
) -> None:
    Campaign.objects.filter(pk=many.pk).update(max_overlap=3, confidence=0.99)
    many.refresh_from_db()
    one = min(standing_items(trusted))
    comes_first(one)
    held = [claim.claim(campaign=many, rater=who, now=LATER) for who in (rosa, raul)]
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)
    for slot, who, ranks in zip(held, (rosa, raul), ({0: 1, 1: 2}, {0: 2, 1: 1}), strict=True):
        assert slot is not None
        assert slot.item_id == one
        answer(slot, who, **TWO | {"ranks": ranks})
    assert Slot.objects.filter(item=one).count() == 2

    sparing.advance(now=LATER)

    assert Slot.objects.filter(item=one).count() == 3


def test_a_held_pair_stays_held_and_comes_back_later(sparing_judge: Judge, many: Campaign) -> None:
    one = min(spared(many))
    queue_items.hold(item_ids=[one], now=LATER)
    sparing.advance(now=LATER)
    assert one not in spared(many)
    assert not Slot.objects.filter(item=one).exists()

    queue_items.end_hold(item_ids=[one], now=LATER)
    assert Slot.objects.filter(item=one).count() == OVERLAP
    sparing.advance(now=LATER)
    assert one in spared(many)
    check_slots(many)


def test_another_judge_gets_its_calibration_pairs_and_audits_from_people(
    sparing_judge: Judge, many: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    before = spared(many)
    second = started(a_judge(many, a_model(server.url, noor, name="another"), alice), alice)
    sparing.advance(now=LATER)

    calibrated = {item.pk for item in drawn(second)}
    assert before & calibrated
    assert spared(many) == before - calibrated
    check_slots(many)


def test_a_pair_is_spared_as_long_as_one_of_two_judges_spares_it(
    sparing_judge: Judge, many: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    second = started(a_judge(many, a_model(server.url, noor, name="another"), alice), alice)
    other_rater = [item for item in drawn(second) if item not in drawn(sparing_judge)]
    assert other_rater
    with connection.cursor() as cursor:  # two judges with the same sample
        cursor.execute(
            "DELETE FROM training_calibrationpair WHERE version_id = %s", [second.versions.get().pk]
        )
    CalibrationPair.objects.bulk_create(
        CalibrationPair(version=second.versions.get(), item=item, place=place)
        for place, item in enumerate(drawn(sparing_judge))
    )
    judges_everything(second)
    a_rule(second, alice)
    trust.advance(now=LATER)
    sparing.switch(judge=second, is_on=True, by=alice, now=LATER)
    sparing.advance(now=LATER)
    both = spared(many)
    assert both
    assert not {item for item in both if standing.is_audit(second.versions.get(), item)}

    turn_off(sparing_judge, alice)
    sparing.advance(now=LATER)
    assert both <= spared(many)
    spare_no_more(second, alice)
    sparing.advance(now=LATER)
    assert not spared(many)
    check_slots(many)


def test_a_beat_that_is_cut_off_leaves_everything_as_it_was(
    trusted: Judge, many: Campaign, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)

    def dies(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(queue_items, "free_slots", dies)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            sparing.advance(now=LATER)
    assert not spared(many)
    check_slots(many)
    sparing.advance(now=LATER)
    before = spared(many)
    revoke(trusted)
    with monkeypatch.context() as patched:
        patched.setattr(queue_items, "_missing", dies)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            sparing.advance(now=LATER)
    assert spared(many) == before
    sparing.advance(now=LATER)
    assert not spared(many)
    check_slots(many)


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_spare_and_give_back_once(
    trusted: Judge, many: Campaign, alice: User
) -> None:
    sparing.switch(judge=trusted, is_on=True, by=alice, now=LATER)
    problems = []

    def work() -> None:
        try:
            sparing.advance(now=LATER)
        except Exception as problem:  # noqa: BLE001  # of a thread
            problems.append(problem)
        connection.close()

    for is_revoked in (False, True):
        if is_revoked:
            revoke(trusted)
        workers = [threading.Thread(target=work) for _worker in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert problems == []
        assert spared(many) == standing_items(trusted)
        check_slots(many)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_free_slots_are_where_people_are_asked(
    trusted: Judge, many: Campaign, rosa: Rater, alice: User, seed: int
) -> None:
    chance = random.Random(seed)  # an order, not a secret
    calibrated = {item.pk for item in drawn(trusted)}
    pks = list(many.items.values_list("pk", flat=True))
    rule = TrustRule.objects.filter(version__judge=trusted)

    def some() -> list[int]:
        return chance.sample(pks, 15)

    def hold() -> None:
        queue_items.hold(item_ids=some(), now=LATER)

    def flip() -> None:
        Verdict.objects.filter(item__in=some()).update(judgment=None)

    def person_answers() -> None:
        new = many.items.filter(pk__in=some()).exclude(judgments__rater=rosa)
        vote(rosa, new, agrees=lambda: True)

    steps: list[Callable[[], object]] = [
        hold,
        lambda: queue_items.end_hold(item_ids=some(), now=LATER),
        flip,
        person_answers,
        lambda: rule.update(spares_people=chance.random() < 0.8),
        lambda: rule.update(is_on=chance.random() < 0.8),
        lambda: Rater.everyone.filter(pk=trusted.rater_id).update(
            withdrawn_at=chance.choice([None, None, LATER])
        ),
    ]
    rule.update(spares_people=True)
    if seed == 3:
        steps.append(lambda: revoke(trusted) if len(TrustLook.objects.all()) < 2 else None)
    for _step in range(14):
        chance.choice(steps)()
        sparing.advance(now=LATER)

        wanted = standing_items(trusted) if rule.get().spares_people else set()
        assert spared(many) == wanted
        assert not wanted & calibrated
        check_slots(many)


def test_looks_take_the_same_pairs_whether_raters_are_spared_or_not(
    sparing_judge: Judge, many: Campaign, rosa: Rater
) -> None:
    """Escalated pairs are chosen; what trust is estimated from stays a random sample."""
    calibrated = [item.pk for item in drawn(sparing_judge)]
    escalated = many.items.exclude(pk__in=[*calibrated, *spared(many)])
    vote(rosa, escalated, agrees=lambda: False)
    vote(rosa, drawn(sparing_judge)[100:], agrees=lambda: True)

    (part,) = trust.slices_of(rule=TrustRule.objects.get())

    assert [pair.item for pair in part.pairs] == calibrated
    assert not spared(many) & set(calibrated)


def test_a_calibration_pair_in_question_waits_until_it_is_decided(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    """Whoever marks pairs as offensive would choose the sample otherwise."""
    a_rule(judge, alice)
    first = drawn(judge)[0]
    Case.objects.create(item=first, queue=Case.Queue.SAFETY, opened_at=NOW)
    queue_items.hold(item_ids=[first.pk], now=NOW)
    vote(rosa, drawn(judge)[1:], agrees=lambda: True)
    trust.advance(now=LATER)
    assert not TrustLook.objects.exists()

    Case.objects.update(settled_at=LATER, outcome=Case.Outcome.RETIRED)
    trust.advance(now=LATER)
    assert TrustLook.objects.get().n_pairs == 100


def test_after_a_new_guideline_nothing_stands_and_no_look_is_taken(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    a_rule(judge, alice)
    change_guideline(judge, alice)
    vote(rosa, drawn(judge), agrees=lambda: True)
    trust.advance(now=LATER)

    assert not TrustLook.objects.exists()
    assert standing.trusted_verdicts(judge=judge) == []
