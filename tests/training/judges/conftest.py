"""A campaign of pairs, and a judge behind a stub of a server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool
from tests.cast import open_comparison_campaign
from tests.training.judges.judge_stub import JudgeStub, judge_stub
from training.judges import services
from training.judges.questions import DEFAULT_PROMPT
from training.judges.services import VERDICTS, Terms
from training.models import Judge, TrainedModel, Verdict
from training.registry import endpoints

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
EURO = services.MILLION


@pytest.fixture
def pairs(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, 4 items of 2 responses."""
    return open_comparison_campaign(
        pool=day_shift, guideline=guideline, name="Pairs", n_items=4, n_responses=2, overlap=2
    )


@pytest.fixture
def server(settings: LazySettings) -> Iterator[JudgeStub]:
    settings.ENDPOINT_HOSTS = ["127.0.0.1"]
    with judge_stub() as stub:
        yield stub


def terms(**changed: Any) -> Terms:
    values: dict[str, Any] = {
        "prompt": DEFAULT_PROMPT,
        "output": "label",
        "temperature": 0.0,
        "max_new_tokens": 16,
        "asks_probabilities": False,
        "context_tokens": 8_192,
        "price_in": 2_500_000,
        "price_out": 10_000_000,
    }
    return Terms(**values | changed)


def a_model(url: str, by: User, *, name: str = "a judge's model") -> TrainedModel:
    return endpoints.register_endpoint(
        name=name, url=url, served_name="judge", licence="MIT", by=by, now=NOW
    )


def a_judge(
    campaign: Campaign, model: TrainedModel, by: User, *, limit: int = 10 * EURO, **changed: Any
) -> Judge:
    return services.add_judge(
        campaign=campaign,
        model=model,
        terms=terms(**changed),
        money_limit=limit,
        currency="EUR",
        by=by,
        now=NOW,
    )


def started(judge: Judge, by: User, *, limit: int = 10 * EURO, now: datetime = NOW) -> Judge:
    services.start_judge(judge=judge, money_limit=limit, by=by, now=now)
    return judge


@pytest.fixture
def judge(pairs: Campaign, server: JudgeStub, noor: User, alice: User) -> Judge:
    """Running, at 2.50 EUR and 10 EUR for a million tokens."""
    return started(a_judge(pairs, a_model(server.url, noor), alice), alice)


def work(*, now: datetime = NOW, at_most: int = 100) -> list[Verdict]:
    """Asks what waits, one after the other, as a worker does; returns what it worked on."""
    done = []
    for _turn in range(at_most):
        waiting = services.waiting_verdicts(now=now)
        if not waiting:
            break
        verdict = VERDICTS.run(waiting[0], clock=lambda: now)
        if verdict is None:
            break
        done.append(verdict)
    return done


def states(judge: Judge) -> list[str]:
    """In the order in which they are asked."""
    verdicts = Verdict.objects.filter(version__judge=judge).order_by("pk")
    return [str(state) for state in verdicts.values_list("state", flat=True)]
