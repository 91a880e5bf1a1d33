"""What judges cost, to the millionth, and that they stop before their limit."""

import json
from typing import Any

import pytest
from django.db import connection

from accounts.models import Notice, User
from labeling.models import Campaign
from tests.training.judges.conftest import EURO, NOW, a_judge, a_model, started, work
from tests.training.judges.judge_stub import JudgeStub, completion
from training.judges import questions, services
from training.judges.services import VERDICTS
from training.models import Judge, Verdict

pytestmark = pytest.mark.django_db


def test_the_price_is_the_sum_of_tokens_times_price_to_the_millionth(
    judge: Judge, server: JudgeStub
) -> None:
    counts = [(1_003 + 7 * n, 1 + n) for n in range(8)]
    left = iter(counts)
    server.decide = lambda _body: completion("A", tokens=next(left))

    work()

    exact = sum(2.5 * n_in + 10 * n_out for n_in, n_out in counts)  # in millionths of a euro
    total, under_way = services.spent(judge=judge)
    assert (total / 1_000_000, under_way) == (exact, 0)
    for verdict, (n_in, n_out) in zip(Verdict.objects.order_by("pk"), counts, strict=True):
        assert (verdict.tokens_in, verdict.tokens_out) == (n_in, n_out)
        assert verdict.price == n_in * 2_500_000 + n_out * 10_000_000
        assert not verdict.tokens_estimated


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": 5}, {"prompt_tokens": -1, "completion_tokens": 1}, "many", [1, 2]],
)
def test_tokens_that_the_server_does_not_count_are_estimated_and_marked(
    judge: Judge, server: JudgeStub, usage: Any
) -> None:
    def decide(_body: dict[str, Any]) -> Any:
        sent = completion("A", tokens=None)
        body = json.loads(sent.content) | ({} if usage is None else {"usage": usage})
        return type(sent)(json.dumps(body).encode())

    server.decide = decide

    (verdict,) = work(at_most=1)

    verdict.refresh_from_db()
    n_bytes = sum(len(message["content"].encode()) for message in server.asked[0]["messages"])
    assert verdict.tokens_estimated
    assert verdict.tokens_in == -(-n_bytes // 3) + questions.OVERHEAD_TOKENS
    assert verdict.price == verdict.tokens_in * 2_500_000 + verdict.tokens_out * 10_000_000 > 0


def test_a_judge_stops_before_the_request_that_could_cost_too_much(
    pairs: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    """Each request can cost some thousandths of a euro, and does cost one."""
    judge = a_judge(pairs, a_model(server.url, noor), alice)
    started(judge, alice, limit=9_000)
    server.decide = lambda _body: completion("A", tokens=(396, 1))

    work()

    total, _under_way = services.spent(judge=judge)
    judge.refresh_from_db()
    assert (judge.state, judge.stop) == (Judge.State.STOPPED, Judge.Stop.MONEY)
    assert 0 < len(server.asked) < 8
    assert total == len(server.asked) * 1_000 * services.MILLION <= 9_000 * services.MILLION
    most = max(
        questions.most_expensive(judge.versions.get(), body["messages"]) for body in server.asked
    )
    assert total + most > 9_000 * services.MILLION
    assert Notice.objects.filter(person=alice).count() == 1
    started(judge, alice, limit=EURO)
    work()
    assert len(server.asked) == 8


def test_a_limit_of_nothing_asks_nothing(
    pairs: Campaign, server: JudgeStub, noor: User, alice: User
) -> None:
    started(a_judge(pairs, a_model(server.url, noor), alice), alice, limit=0)

    work()

    assert server.asked == []


@pytest.mark.django_db(transaction=True)
def test_what_is_under_way_counts_at_its_most_expensive(judge: Judge, server: JudgeStub) -> None:
    """While a request is under way, what is left is too little for a second one, although both
    together will cost less: the second one waits, and the judge does not stop.
    """
    seen: list[Any] = []

    def decide(_body: dict[str, Any]) -> Any:
        if not seen:
            under_way = Verdict.objects.get(state=Verdict.State.RUNNING)
            limit = 2 * under_way.reserved // services.MILLION - 100
            Judge.objects.filter(pk=judge.pk).update(money_limit=limit)
            seen.append(under_way)
            second = VERDICTS.run(services.waiting_verdicts(now=NOW)[0], clock=lambda: NOW)
            assert second is not None
            seen.append(second.state)
            seen.append(Judge.objects.get().state)
            connection.close()
        return completion("A")

    server.decide = decide

    work()

    assert seen[1:] == ["queued", Judge.State.RUNNING]
    assert Verdict.objects.filter(state="answered").count() == len(server.asked) > 1
