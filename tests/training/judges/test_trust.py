"""Looks at calibration pairs: drawn before anything is asked, each taken once, and taken back."""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.models import AuditEvent, User
from arithmetic.judges import trust as arithmetic_trust
from labeling.data import intake
from labeling.models import (
    Campaign,
    Comparison,
    Guideline,
    Item,
    Judgment,
    Pool,
    RankedResponse,
    Rater,
    Slot,
)
from labeling.queue.claiming import claim
from tests.cast import open_comparison_campaign, rater_called
from tests.training.judges.conftest import NOW, a_judge, a_model, started
from tests.training.judges.judge_stub import JudgeStub
from training.judges import services, trust
from training.judges.services import UnableToJudge
from training.models import CalibrationPair, Judge, TrustLook, TrustRule, Verdict
from training.verdicts import calibration, standing

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
N_ITEMS = 240


@pytest.fixture
def many(day_shift: Pool, guideline: Guideline) -> Campaign:
    return open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=N_ITEMS, n_responses=2, overlap=2
    )


@pytest.fixture
def judge(many: Campaign, server: JudgeStub, noor: User, alice: User) -> Judge:
    """It has judged every pair: the first response is better."""
    judge = started(a_judge(many, a_model(server.url, noor), alice), alice)
    judges_everything(judge)
    return judge


@pytest.fixture
def rosa(day_shift: Pool) -> Rater:
    return rater_called("Rosa", pool=day_shift)


def judges_everything(judge: Judge) -> None:
    version = judge.versions.get()
    for item in judge.campaign.items.prefetch_related("responses"):
        first, second = sorted(response.pk for response in item.responses.all())
        judgment = intake.store_judgment_of_judge(
            rater=judge.rater,
            item=item,
            ranks={first: 1, second: 2},
            guideline_version=judge.campaign.guideline_version,
            now=NOW,
        )
        for order, label in enumerate("AB"):
            Verdict.objects.filter(version=version, item=item, order=order).update(
                state="answered", label=label, judgment=judgment
            )


def vote(
    rater: Rater, items: Iterable[Item], *, agrees: Callable[[], bool], at: datetime = NOW
) -> None:
    """The judge takes the first response, and so does a person who agrees."""
    ranked = []
    for item in items:
        judgment = Judgment.of_everyone.create(
            kind="comparison",
            rater=rater,
            prompt_id=item.prompt_id,
            campaign_id=item.campaign_id,
            item=item,
            submitted_at=at,
        )
        comparison = Comparison.objects.create(judgment=judgment)
        is_first = agrees()
        for place, response in enumerate(item.responses.order_by("pk")):
            rank = 1 if (place == 0) == is_first else 2
            ranked.append(
                RankedResponse(comparison=comparison, response=response, position=place, rank=rank)
            )
    RankedResponse.objects.bulk_create(ranked)


def drawn(judge: Judge) -> list[Item]:
    pairs = CalibrationPair.objects.filter(version__judge=judge).order_by("place")
    return [pair.item for pair in pairs.select_related("item")]


def a_rule(judge: Judge, alice: User, **changed: object) -> TrustRule:
    values: dict[str, object] = {"split": "none", "target": 0.8, "error": 0.1}
    return trust.set_rule(judge=judge, **(values | changed), by=alice, now=NOW)  # type: ignore[arg-type]


def test_half_of_the_pairs_are_drawn_before_anything_is_asked(
    many: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    judge = started(a_judge(many, a_model(server.url, noor), alice), alice)
    items = drawn(judge)
    version = judge.versions.get()

    assert not server.asked
    assert len(items) == N_ITEMS / 2
    numbers = [calibration.number_of(version, item.pk, "calibration") for item in items]
    assert numbers == sorted(numbers)
    rest = many.items.exclude(pk__in=[item.pk for item in items])
    assert max(numbers) < min(
        calibration.number_of(version, item.pk, "calibration") for item in rest
    )

    services.stop_judge(judge=judge, by=alice, now=NOW)
    started(judge, alice)
    assert drawn(judge) == items


def test_a_start_that_is_cut_off_draws_nothing(
    many: Campaign,
    server: JudgeStub,
    noor: User,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge = a_judge(many, a_model(server.url, noor), alice)

    def dies(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(services, "_queue_items", dies)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            started(judge, alice)

    assert not CalibrationPair.objects.exists()
    started(judge, alice)
    assert len(drawn(judge)) == N_ITEMS / 2


def test_without_a_rule_no_look_is_taken(judge: Judge, rosa: Rater) -> None:
    vote(rosa, drawn(judge), agrees=lambda: True)

    trust.advance(now=LATER)

    assert not TrustLook.objects.exists()
    assert standing.trusted_verdicts(judge=judge) == []


def test_a_look_is_taken_once_by_the_rule_of_arithmetic(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    a_rule(judge, alice)
    vote(rosa, drawn(judge)[:99], agrees=lambda: True)
    trust.advance(now=LATER)
    assert not TrustLook.objects.exists()

    vote(rosa, drawn(judge)[99:110], agrees=lambda: True)
    trust.advance(now=LATER)
    trust.advance(now=LATER)

    look = TrustLook.objects.get()
    expected = arithmetic_trust.decide([1.0] * 100, [True] * 100, target=0.8, error=0.1).looks[0]
    assert (look.number, look.n_pairs, look.outcome) == (1, 100, TrustLook.Outcome.GRANTED)
    assert look.bound == expected.bound
    assert look.threshold == 0
    assert AuditEvent.objects.filter(action="trust", by=None).count() == 1
    with pytest.raises(TypeError, match="never changes"):
        TrustLook.objects.update(threshold=0.5)


def test_the_first_pair_that_is_not_answered_stops_the_count(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    """Otherwise the pairs that raters answer first would be the sample."""
    a_rule(judge, alice)
    vote(rosa, drawn(judge)[1:], agrees=lambda: True)
    trust.advance(now=LATER)
    assert not TrustLook.objects.exists()

    Item.objects.filter(pk=drawn(judge)[0].pk).update(held_at=NOW)
    trust.advance(now=LATER)
    assert TrustLook.objects.get().n_pairs == 100


def test_other_pairs_never_change_trust(judge: Judge, rosa: Rater, alice: User) -> None:
    a_rule(judge, alice)
    others = judge.campaign.items.exclude(pk__in=[item.pk for item in drawn(judge)])
    vote(rosa, others, agrees=lambda: False)
    vote(rosa, drawn(judge), agrees=lambda: True)

    trust.advance(now=LATER)

    assert TrustLook.objects.get().outcome == TrustLook.Outcome.GRANTED


def test_a_judge_that_people_agree_with_at_random_is_not_trusted(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    a_rule(judge, alice)
    n_trusted = 0
    for seed in range(10):
        toss = random.Random(seed)  # an order, not a secret
        saved = transaction.savepoint()
        vote(rosa, drawn(judge)[:100], agrees=lambda toss=toss: toss.random() < 0.5)  # type: ignore[misc]
        trust.advance(now=LATER)
        n_trusted += TrustLook.objects.get().outcome == TrustLook.Outcome.GRANTED
        transaction.savepoint_rollback(saved)

    assert n_trusted == 0


def test_what_stands_are_neither_calibration_pairs_nor_audits_nor_answered(
    judge: Judge, rosa: Rater, alice: User
) -> None:
    a_rule(judge, alice)
    vote(rosa, drawn(judge)[:100], agrees=lambda: True)
    trust.advance(now=LATER)
    version = judge.versions.get()
    others = list(judge.campaign.items.exclude(pk__in=[item.pk for item in drawn(judge)]))
    vote(rosa, others[:10], agrees=lambda: True)

    found = {pair.item for pair, _look in standing.trusted_verdicts(judge=judge)}

    audits = {item.pk for item in others if standing.is_audit(version, item.pk)}
    assert 0 < len(audits) < 20
    assert found == {item.pk for item in others[10:]} - audits
    trust.switch(judge=judge, is_on=False, by=alice, now=LATER)
    assert standing.trusted_verdicts(judge=judge) == []
    with pytest.raises(UnableToJudge, match="meanwhile"):
        trust.switch(judge=judge, is_on=False, by=alice, now=LATER)


def test_audits_take_trust_back(
    judge: Judge, rosa: Rater, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "AUDITED", 0.5)
    a_rule(judge, alice)
    vote(rosa, drawn(judge), agrees=lambda: True)
    others = list(judge.campaign.items.exclude(pk__in=[item.pk for item in drawn(judge)]))
    vote(rosa, others[:60], agrees=lambda: False)  # before the look: no audits
    trust.advance(now=LATER)
    trust.advance(now=LATER)
    assert standing.trusted_verdicts(judge=judge)

    vote(rosa, others[60:], agrees=lambda: False, at=LATER + timedelta(minutes=1))
    trust.advance(now=LATER + timedelta(hours=1))
    trust.advance(now=LATER + timedelta(hours=2))

    revoked = TrustLook.objects.get(number=0)
    assert revoked.outcome == TrustLook.Outcome.REVOKED
    assert (revoked.n_agreed, revoked.target) == (0, 0.8)
    assert revoked.evidence is not None
    assert revoked.evidence > 20
    assert standing.trusted_verdicts(judge=judge) == []


def test_a_judge_s_confidence_is_the_mean_of_both_orders(judge: Judge, alice: User) -> None:
    version = judge.versions.get()
    item = drawn(judge)[0]
    Verdict.objects.filter(item=item, order=0).update(log_probabilities={"A": -0.1, "B": -3.0})
    Verdict.objects.filter(item=item, order=1).update(log_probabilities={"A": -2.0, "B": -0.3})

    assert calibration.pairs(version=version, items=[item.pk])[item.pk].confidence == 1
    version.asks_probabilities = True
    found = calibration.pairs(version=version, items=[item.pk])[item.pk]
    assert found.confidence == pytest.approx(2.718281828**-0.2)
    Verdict.objects.filter(item=item, order=1).update(log_probabilities={})
    assert calibration.pairs(version=version, items=[item.pk])[item.pk].confidence == 0


def test_calibration_pairs_come_first_once_looks_are_on(
    many: Campaign, judge: Judge, rosa: Rater, alice: User
) -> None:
    first = drawn(judge)[0]
    before = Slot.objects.order_by("queue_rank").values_list("item", flat=True)[0]
    assert before != first.pk

    a_rule(judge, alice)

    held = claim.claim(campaign=many, rater=rosa, now=LATER)
    assert held is not None
    assert held.item_id == first.pk


def test_after_a_look_the_rule_stays(judge: Judge, rosa: Rater, alice: User) -> None:
    a_rule(judge, alice, target=0.9)
    a_rule(judge, alice, target=0.8)
    vote(rosa, drawn(judge), agrees=lambda: True)
    trust.advance(now=LATER)

    with pytest.raises(UnableToJudge, match="After the first look"):
        a_rule(judge, alice, target=0.7)
    assert TrustRule.objects.get().target == 0.8


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_the_same_look_once(judge: Judge, rosa: Rater, alice: User) -> None:
    a_rule(judge, alice)
    vote(rosa, drawn(judge), agrees=lambda: True)
    problems = []

    def work() -> None:
        try:
            trust.advance(now=LATER)
        except Exception as problem:  # noqa: BLE001  # of a thread
            problems.append(problem)
        connection.close()

    workers = [threading.Thread(target=work) for _worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert problems == []
    assert TrustLook.objects.count() == 1
