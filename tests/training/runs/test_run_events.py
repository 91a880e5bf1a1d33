"""The webhook events of a run: queued, started, queued again, ended."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import Delivery, User
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from tests.training.conftest import NOW
from training.models import Run
from training.runs import lost_runs
from training.runs import services as runs_services

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hook(alice: User) -> None:
    webhooks_services.create_webhook(
        name="Mirror", url="https://hooks.example.org/", events=tuple(Event), by=alice, now=NOW
    )


def heard() -> list[tuple[str, str, int]]:
    bodies = [
        json.loads(body) for body in Delivery.objects.order_by("pk").values_list("body", flat=True)
    ]
    return [(body["event"], body["data"]["outcome"], body["data"]["attempt"]) for body in bodies]


def test_a_run_sends_events_from_the_queue_to_its_end(queue: Callable[..., Run]) -> None:
    run = queue()
    runs_services.claim_run(run_id=run.pk, node="node-1", now=NOW)
    runs_services.finish_run(
        run_id=run.pk, attempt=1, result=runs_services.AttemptResult(Run.Outcome.SUCCEEDED), now=NOW
    )

    assert heard() == [
        ("run.queued", "", 0),
        ("run.started", "", 1),
        ("run.finished", "succeeded", 1),
    ]


def test_a_run_whose_node_disappeared_sends_that_it_is_queued_again(
    queue: Callable[..., Run],
) -> None:
    run = queue()
    runs_services.claim_run(run_id=run.pk, node="node-1", now=NOW)
    lost_runs.reap_runs(now=NOW + timedelta(hours=1))
    runs_services.claim_run(run_id=run.pk, node="node-2", now=NOW + timedelta(hours=2))

    assert heard()[1:] == [("run.started", "", 1), ("run.queued", "", 1), ("run.started", "", 2)]


def test_a_run_stopped_in_the_queue_and_retried_sends_each_end(
    queue: Callable[..., Run], noor: User
) -> None:
    run = queue()
    for minute in (1, 2):
        runs_services.request_stop(run=run, by=noor, now=NOW + timedelta(minutes=minute))
        runs_services.retry_run(run=run, by=noor, now=NOW + timedelta(minutes=minute, seconds=1))

    assert [event for event, _outcome, _attempt in heard()] == [
        "run.queued",
        *["run.finished", "run.queued"] * 2,
    ]


def test_a_claim_that_comes_too_late_sends_nothing(queue: Callable[..., Run]) -> None:
    run = queue()
    runs_services.claim_run(run_id=run.pk, node="node-1", now=NOW)
    runs_services.claim_run(run_id=run.pk, node="node-2", now=NOW)

    assert [event for event, _outcome, _attempt in heard()] == ["run.queued", "run.started"]
