"""A worker that dies at any point loses no verdict, makes none twice, and hides no cost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from config.celery import app
from jobs import protocol
from labeling.data import intake
from labeling.models import Judgment, Slot
from labeling.people.withdrawals import withdrawal
from tests.training.judges.conftest import NOW, work
from tests.training.judges.judge_stub import JudgeStub, Sent, error, shorter
from training.judges import asking, services
from training.judges.services import VERDICTS
from training.models import Judge, Verdict
from training.processes import completions

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + VERDICTS.silent_after + timedelta(seconds=1)


class Killed(BaseException):
    """The worker's process is gone."""


def dies_in(function: Callable[..., Any], *, after: bool, at_call: int = 1) -> Callable[..., Any]:
    """The function, in whose `at_call`-th call the worker dies, before or after it did its work."""
    calls: list[None] = []

    def dying(*args: Any, **options: Any) -> Any:
        calls.append(None)
        if len(calls) != at_call:
            return function(*args, **options)
        if after:
            function(*args, **options)
        raise Killed

    return dying


POINTS = {
    "before the first request": (completions, "post", False, 1),
    "after its answer": (completions, "post", True, 1),
    "between both orders": (completions, "post", False, 2),
    "after the second answer": (completions, "post", True, 2),
    "between verdict and judgment": (intake, "store_judgment_of_judge", False, 1),
    "after the judgment, before the commit": (intake, "store_judgment_of_judge", True, 1),
}


@pytest.mark.parametrize(("module", "name", "after", "at_call"), POINTS.values(), ids=POINTS.keys())
def test_a_worker_killed_at_any_point_is_made_good(
    judge: Judge,
    server: JudgeStub,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    after: bool,
    at_call: int,
) -> None:
    with monkeypatch.context() as patched:
        dying = dies_in(getattr(module, name), after=after, at_call=at_call)
        patched.setattr(module, name, dying)
        with pytest.raises(Killed):
            work()
    lost = Verdict.objects.get(state=Verdict.State.RUNNING)
    work()
    assert Verdict.objects.get(pk=lost.pk).attempt == 1
    work(now=LATER)

    assert Verdict.objects.filter(state=Verdict.State.ANSWERED).count() == 8
    assert Judgment.of_everyone.count() == 4
    assert not Verdict.objects.filter(judgment=None).exists()
    # The lost request may have been charged for: it counts at its most expensive.
    plain = 8 * (100 * 2_500_000 + 10_000_000)
    assert services.spent(judge=judge) == (plain + lost.reserved, 0)


def test_a_worker_asks_as_many_at_once_as_the_judge_may(
    judge: Judge, server: JudgeStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In threads of its own, which go on until nothing waits. The first four requests are answered
    only when all four are there.
    """
    at_once = threading.Barrier(4)

    def together(body: dict[str, Any]) -> Sent:
        at_once.wait(10)
        return shorter(body)

    monkeypatch.setattr(protocol, "current_task", app.tasks[VERDICTS.task])
    server.decide = together
    threads = ThreadPoolExecutor(8)
    monkeypatch.setattr(VERDICTS, "_threads", threads)
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    for pk in services.waiting_verdicts(now=NOW):
        app.tasks[VERDICTS.task].run(verdict_id=pk)
    threads.shutdown(wait=True)

    assert (len(server.asked), Judgment.of_everyone.count()) == (8, 4)


def test_what_was_under_way_when_the_server_went_away_lengthens_no_rest(
    judge: Judge, server: JudgeStub
) -> None:
    """Eight requests fail at once: five make the judge rest, and three say nothing new."""
    Judge.objects.filter(pk=judge.pk).update(parallel=8)
    at_once = threading.Barrier(8)

    def fail(_body: dict[str, Any]) -> Sent:
        at_once.wait(10)
        return error(500)

    def run(pk: int) -> None:
        VERDICTS.run(pk, clock=lambda: NOW)
        connection.close()

    server.decide = fail
    waiting = services.waiting_verdicts(now=NOW)
    workers = [threading.Thread(target=run, args=[pk]) for pk in waiting]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    judge.refresh_from_db()
    assert (len(waiting), judge.n_failures) == (8, services.STRAY_FAILURES)
    assert judge.rests_until == NOW + asking.FIRST_REST


def test_a_message_that_comes_again_stores_one_row(judge: Judge, server: JudgeStub) -> None:
    work()
    for pk in Verdict.objects.values_list("pk", flat=True):
        assert VERDICTS.run(pk, clock=lambda: NOW) is None
        assert VERDICTS.run(pk, clock=lambda: LATER) is None

    assert (len(server.asked), Judgment.of_everyone.count()) == (8, 4)


def test_both_orders_answered_at_once_are_one_judgment(judge: Judge, server: JudgeStub) -> None:
    """Two workers, one order each, whose answers come at the same moment."""
    at_once = threading.Barrier(2)

    def together(body: dict[str, Any]) -> Sent:
        at_once.wait(10)
        return shorter(body)

    def run(pk: int) -> None:
        VERDICTS.run(pk, clock=lambda: NOW)
        connection.close()

    server.decide = together
    for item in judge.campaign.items.order_by("pk"):
        pair = Verdict.objects.filter(item=item).values_list("pk", flat=True)
        workers = [threading.Thread(target=run, args=[pk]) for pk in list(pair)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert Judgment.of_everyone.count() == 4
    assert not Verdict.objects.filter(judgment=None).exists()


def test_a_worker_that_was_thought_lost_stores_nothing(
    judge: Judge, server: JudgeStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer comes after another worker has taken the verdict over."""
    first = services.waiting_verdicts(now=NOW)[0]
    post = completions.post
    taken: list[Any] = []

    def slow(*args: Any, **options: Any) -> bytes:
        if not taken:
            taken.append(None)
            taken.append(VERDICTS.run(first, clock=lambda: LATER))
        return post(*args, **options)

    monkeypatch.setattr(completions, "post", slow)

    assert VERDICTS.run(first, clock=lambda: NOW) is None
    verdict = Verdict.objects.get(pk=first)
    assert (taken[1].state, verdict.attempt, verdict.ended_at) == ("answered", 2, LATER)


def test_a_withdrawn_judge_that_is_readmitted_takes_no_slot(judge: Judge, alice: User) -> None:
    work()

    withdrawal.withdraw_rater(rater=judge.rater, by=alice, now=NOW)
    withdrawal.readmit_rater(rater=judge.rater, by=alice, now=NOW)

    assert not Judgment.of_everyone.filter(slot__isnull=False).exists()
    assert not Slot.objects.exclude(rater=None).exists()
