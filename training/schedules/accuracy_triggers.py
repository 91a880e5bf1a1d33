"""Schedules triggered by accuracy: a run measures the reward model on new judgments, and a drop
starts the chain.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from jobs import guard
from jobs.messages import Message
from jobs.protocol import recent
from training.configs import kinds
from training.configs.evaluation.evaluate import EvaluateConfig
from training.models import Firing, Run, Schedule, Snapshot, TrainedModel
from training.runs.run_queue import RunOptions, UnableToQueue, queue_run
from training.schedules import timing
from training.schedules.chains import start_chain
from training.schedules.plans.chain_plans import Plan
from training.schedules.selectors import accuracy_check, situation, watched_model
from training.schedules.timing import Accuracy, Decision, Reason
from training.snapshots.contents.filters import Filters
from training.snapshots.freeze import UnableToCreate
from training.snapshots.services import create_snapshot

# A worker that creates a snapshot for longer than this has died; another one starts over.
SNAPSHOT_TIMEOUT = timedelta(hours=2)
MEASUREMENTS = Message(
    "training.schedules.tasks.measure", limit=timedelta(hours=1), argument="firing_id"
)

logger = logging.getLogger(__name__)


def decide_to_measure(*, schedule: Schedule) -> Decision:
    """For a schedule that is due and not blocked."""
    return timing.decide_to_measure(
        accuracy_check(schedule=schedule, model=watched_model(schedule=schedule))
    )


def ring_measurement(firing: Firing) -> None:
    """Call it in the transaction of the firing."""
    MEASUREMENTS.wake_on_commit(firing.pk)


def start_measurement(*, firing_id: int, now: datetime) -> None:
    """Creates a snapshot of the new judgments and queues the run that measures on them. It can take
    minutes, so call it outside a transaction.
    """
    waiting = Firing.objects.filter(pk=firing_id, outcome=Firing.Outcome.MEASURING, run=None)
    free = ~recent("claimed_at", now=now, within=SNAPSHOT_TIMEOUT)
    if not guard.update_one(waiting.filter(free), claimed_at=now):
        return
    firing = Firing.objects.select_related("schedule__created_by").get(pk=firing_id)
    model = watched_model(schedule=firing.schedule)
    try:
        if model is None or model.run is None:
            raise UnableToQueue(_("The reward model no longer exists."))
        run = _measuring_run(firing, model, model.run.snapshot, now)
    except (UnableToCreate, UnableToQueue) as problem:
        _settle(firing, _unmeasured(str(problem)), now)
        return
    waiting.filter(claimed_at=now).update(run=run)


def finish_measurements(*, now: datetime) -> int:
    """Rings again for measurements that no worker has started, and completes those whose run has
    ended. Returns how many chains started.
    """
    firings = Firing.objects.filter(outcome=Firing.Outcome.MEASURING).select_related(
        "schedule__created_by", "run__base_model"
    )
    return sum(_finish_safely(firing, now) for firing in firings.order_by("pk"))


def _finish_safely(firing: Firing, now: datetime) -> bool:
    """Records an error at the firing it concerns, so that it does not hold up the others."""
    try:
        with transaction.atomic():
            return _finish(firing, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as problem:  # one broken firing must not stop the others
        logger.exception("Firing %s could not be concluded.", firing.pk)
        return _settle(firing, timing.broken(problem), now)


def _finish(firing: Firing, now: datetime) -> bool:
    run = firing.run
    if run is None:
        if firing.claimed_at is None or abs(now - firing.claimed_at) > SNAPSHOT_TIMEOUT:
            MEASUREMENTS.wake(firing.pk)
        return False
    if run.state != Run.State.FINISHED or firing.schedule.paused_at is not None:
        return False
    accuracy = run.metrics.get("held_out_accuracy")
    if run.outcome != Run.Outcome.SUCCEEDED or accuracy is None:
        return _settle(firing, _unmeasured(run.error or _("The measurement was stopped.")), now)
    seen = accuracy_check(schedule=firing.schedule, model=run.base_model)
    assert seen is not None
    measured = replace(seen, n_pairs=run.metrics.get("n_held_out_pairs", 0))
    ends = (run.metrics.get(f"held_out_accuracy_{end}") for end in ("low", "high"))
    decision = timing.decide_by_accuracy(measured, seen=Accuracy(accuracy, *ends))
    if decision.runs:
        at = situation(schedule=firing.schedule, now=now)
        hindered = timing.hindrance(replace(at, going_on="", n_runs_planned=_n_planned(firing)))
        if hindered is not None and hindered.held_until is not None:
            return False  # checked again after the quiet hours
        decision = hindered or decision
    return _settle(firing, decision, now)


def _n_planned(firing: Firing) -> int:
    """Without the measurement, which has run and is counted already."""
    return len(Plan.from_json(firing.schedule.plan).shape.runs)


def _settle(firing: Firing, decision: Decision, now: datetime) -> bool:
    """Records the decision, and starts the chain. Returns whether it did."""
    outcome = Firing.Outcome.RAN if decision.runs else Firing.Outcome.SKIPPED
    with transaction.atomic():
        open_one = Firing.objects.filter(pk=firing.pk, outcome=Firing.Outcome.MEASURING)
        if not guard.update_one(
            open_one, outcome=outcome, reason=decision.reason, sentence=decision.sentence
        ):
            return False
        if not decision.runs:
            return False
        chain = start_chain(schedule=firing.schedule, number=firing.number, now=now)
        Firing.objects.filter(pk=firing.pk).update(chain=chain)
        Schedule.objects.filter(pk=firing.schedule_id).update(last_ran_at=now)
    return True


def _measuring_run(firing: Firing, model: TrainedModel, learned: Snapshot, now: datetime) -> Run:
    """An evaluation on all new rows, with the max length that the model was trained with."""
    schedule = firing.schedule
    plan = Plan.from_json(schedule.plan)
    filters = replace(Filters.from_json(plan.filters), fresh_for=learned.pk)
    name = _("%(schedule)s · measurement %(n)s") % {"schedule": schedule, "n": firing.number}
    snapshot = create_snapshot(
        kind=Snapshot.Kind.COMPARISONS, name=name, filters=filters, by=schedule.created_by, now=now
    )
    assert model.run is not None
    longest = model.run.config.get("max_tokens", EvaluateConfig().max_tokens)
    config = EvaluateConfig(
        split="all", max_rows=None, max_tokens=longest, max_new_tokens=1, n_shown=0
    )
    return queue_run(
        kind=EvaluateConfig.kind,
        name=name,
        config=kinds.as_json(config),
        snapshot=snapshot,
        base_model=model,
        options=RunOptions(n_gpus=min(plan.n_gpus, 1), memory_gb=plan.memory_gb),
        by=schedule.created_by,
        now=now,
    )


def _unmeasured(why: str) -> Decision:
    words = _("Skipped because the accuracy could not be measured. %(why)s") % {"why": why}
    return Decision(runs=False, reason=Reason.UNMEASURED, sentence=words)
