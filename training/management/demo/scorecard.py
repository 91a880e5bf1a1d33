"""The demo's scorecard: a fine-tuned model beside the one it began with, both by real runs."""

from dataclasses import replace
from datetime import datetime

from accounts.models import User
from training.benchmarks.suites.services import suites_snapshot
from training.configs import kinds
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.sft import SftConfig
from training.models import Schedule, Suite, TrainedModel
from training.runs.run_queue import queue_run
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms

SCHEDULE = "Fine-tune and benchmark"
ITEMS_A_SUITE, TOKENS_AN_ANSWER = 8, 40
"""A minute or two for each model on two cores."""


def begin(*, model: TrainedModel, by: User, now: datetime) -> None:
    """Starts a schedule that fine-tunes the model on the demo's demonstrations and tests the
    result, and a run that tests the model itself. Does nothing if the schedule is there.
    """
    suites = list(Suite.objects.filter(is_shipped=True, retired_at=None).order_by("pk"))
    if not suites or Schedule.objects.filter(name=SCHEDULE).exists():
        return
    queue_run(
        kind=BenchmarkConfig.kind,
        name=f"{model} on the suites",
        config=benchmark(),
        snapshot=suites_snapshot(suites=suites, by=by, now=now),
        base_model=model,
        by=by,
        now=now,
    )
    plan = Plan(
        template="fine-tune",
        base_model=model.pk,
        configs={
            SftConfig.kind: kinds.as_json(kinds.PRESETS[SftConfig.kind]["small"]),
            BenchmarkConfig.kind: benchmark(),
        },
        suites=tuple(suite.pk for suite in suites),
    )
    schedule = schedules_services.create_schedule(
        name=SCHEDULE, plan=plan, terms=Terms(trigger="hand", time_zone="UTC"), by=by, now=now
    )
    schedules_services.fire_now(schedule=schedule, by=by, now=now)


def benchmark() -> dict[str, object]:
    """The settings of both benchmark runs."""
    return kinds.as_json(
        replace(BenchmarkConfig(), max_items=ITEMS_A_SUITE, max_new_tokens=TOKENS_AN_ANSWER)
    )
