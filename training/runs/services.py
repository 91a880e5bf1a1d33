"""Every write to a run. Each one names the state or the attempt it expects, so that a late or
repeated call changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from accounts.webhooks.services import Event
from training.configs import roles
from training.models import Run, RunPoint, RunSample
from training.processes import doorbell
from training.registry import services as registry_services
from training.runs import run_finished
from training.runs.multi_node import services as multi_node_services
from training.runs.multi_node.selectors import is_silent
from training.runs.placement import fitting

TOP_LEVEL = 15
RARE_LEVELS = 6


class UnableToRetry(Refusal):
    """The run is not one that can go on."""


@dataclass(frozen=True)
class Beat:
    """What a supervisor learns each time it says that it lives."""

    is_ours: bool
    is_stop_requested: bool


@dataclass(frozen=True)
class Point:
    """A line of progress, as the child wrote it."""

    attempt: int
    step: int
    n_steps: int
    at: datetime
    values: dict[str, float]


@dataclass(frozen=True)
class Sample:
    """A text of progress; `line` is its place in the file."""

    attempt: int
    step: int
    line: int
    prompt: str
    response: str
    scores: dict[str, Any]


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. `model` is where the weights are kept, `kept_step` the step of the
    state that stays on its node.
    """

    outcome: Run.Outcome
    error: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    n_steps: int = 0
    model: str | None = None
    kept_step: int | None = None
    scores: Mapping[int, float] = field(default_factory=dict)
    """what the reward model of the run thinks of held-out responses, by response"""


def claim_run(*, run_id: int, node: str, now: datetime) -> Run | None:
    """The run, running on `node` under a new attempt, or None when it was not waiting or is too
    large for this node.
    """
    with transaction.atomic():
        claimed = Run.objects.filter(fitting(node=node), pk=run_id, state=Run.State.QUEUED).update(
            state=Run.State.RUNNING,
            attempt=F("attempt") + 1,
            node=node,
            heartbeat_at=now,
            progress_at=None,
            started_at=Coalesce("started_at", Value(now)),
        )
        if claimed != 1:
            return None
        run_finished.tell_webhooks(event=Event.RUN_STARTED, run_id=run_id, now=now)
        run = run_to_carry_out(run_id=run_id)
        multi_node_services.open_seats(run=run, now=now)
    return run


def run_to_carry_out(*, run_id: int) -> Run:
    """With all that it is made from."""
    return Run.objects.select_related("snapshot", *roles.NAMES).get(pk=run_id)


def beat(*, run_id: int, attempt: int, now: datetime) -> Beat:
    """The supervisor lives. An attempt that is over learns it here."""
    ours = _running(run_id, attempt)
    if ours.update(heartbeat_at=now) != 1:
        return Beat(is_ours=False, is_stop_requested=False)
    return Beat(
        is_ours=True, is_stop_requested=ours.filter(stop_requested_at__isnull=False).exists()
    )


def record_progress(
    *,
    run_id: int,
    attempt: int,
    points: Sequence[Point],
    samples: Sequence[Sample],
    notes: Sequence[str],
    log_tail: str,
    n_log_lines: int = 0,
    now: datetime,
) -> bool:
    """Stores what the child has written since; a line told twice is stored once. False for an
    attempt that is over.
    """
    log = {"log_tail": log_tail, "n_log_lines": n_log_lines, "log_attempt": attempt}
    changes: dict[str, Any] = {"heartbeat_at": now, "notes": list(notes), **log}
    own = [point for point in points if point.attempt == attempt]
    if own:
        changes |= {"step": own[-1].step, "n_steps": own[-1].n_steps, "progress_at": now}
    with transaction.atomic():
        if _running(run_id, attempt).update(**changes) != 1:
            return False
        _store_points(run_id, points)
        RunSample.objects.bulk_create(
            [
                RunSample(
                    run_id=run_id,
                    attempt=sample.attempt,
                    step=sample.step,
                    line=sample.line,
                    prompt=sample.prompt,
                    response=sample.response,
                    scores=sample.scores,
                )
                for sample in samples
            ],
            ignore_conflicts=True,
        )
    return True


def request_stop(*, run: Run, by: User, now: datetime) -> bool:
    """Asks a running run to save and end at its next step; a waiting one ends here. False when it
    has ended already.
    """
    with transaction.atomic():
        is_stopped = _stop(run, now)
        if is_stopped:
            audit_log.record(by=by, action="stop", target=run, now=now)
    return is_stopped


def _stop(run: Run, now: datetime) -> bool:
    waiting = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED)
    if (
        waiting.update(
            state=Run.State.FINISHED,
            outcome=Run.Outcome.STOPPED,
            stop_requested_at=now,
            finished_at=now,
        )
        == 1
    ):
        run_finished.tell_of_end(run_id=run.pk, now=now)
        return True
    return (
        _running_now(run).update(stop_requested_at=Coalesce("stop_requested_at", Value(now))) == 1
    )


def _running_now(run: Run) -> QuerySet[Run]:
    """Whatever its attempt."""
    return Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)


def kill_run(*, run: Run, by: User, now: datetime) -> bool:
    """Ends a run at once, whatever it is at: what it did since its last checkpoint is gone. False
    when it has ended already.

    Its supervisor learns of it at its next beat, and ends the processes.
    """
    with transaction.atomic():
        is_ended = _running_now(run).update(
            state=Run.State.FINISHED,
            outcome=Run.Outcome.STOPPED,
            error=_("%(person)s force-stopped it: nothing was saved after its last checkpoint.")
            % {"person": by},
            stop_requested_at=Coalesce("stop_requested_at", Value(now)),
            finished_at=now,
        )
        if is_ended:
            run_finished.tell_of_end(run_id=run.pk, now=now)
        elif not _stop(run, now):
            return False
        audit_log.record(by=by, action="kill", target=run, now=now)
    return True


def finish_run(*, run_id: int, attempt: int, ending: Ending, now: datetime) -> bool:
    """Ends the run and enters its model, both or neither. False for an attempt that is over."""
    changes: dict[str, Any] = {
        "state": Run.State.FINISHED,
        "outcome": ending.outcome,
        "error": ending.error,
        "metrics": ending.metrics,
        "versions": ending.versions,
        "kept_step": ending.kept_step,
        "heartbeat_at": now,
        "finished_at": now,
    }
    if ending.n_steps:
        changes["n_steps"] = ending.n_steps
    with transaction.atomic():
        if _running(run_id, attempt).update(**changes) != 1:
            return False
        if ending.model is not None:
            run = Run.objects.select_related("base_model").get(pk=run_id)
            registry_services.enter_model(
                run=run, location=ending.model, metrics=ending.metrics, now=now
            )
        if ending.scores:
            registry_services.store_scores(run_id=run_id, scores=ending.scores, now=now)
        run_finished.tell_of_end(run_id=run_id, now=now)
    return True


def return_to_queue(*, run_id: int, attempt: int, reason: str = "", now: datetime) -> bool:
    """A worker that leaves puts its run back, saved; this is nobody's failure. False for an attempt
    that is over.

    `reason` stands on the run's page while it waits.
    """
    with transaction.atomic():
        ours = _running(run_id, attempt)
        if _ended_as_stopped(
            ours, run_id, _("Its node shut down before the run had stopped."), now
        ):
            return True
        if ours.update(state=Run.State.QUEUED, error=reason, node="") != 1:
            return False
        run_finished.tell_webhooks(event=Event.RUN_QUEUED, run_id=run_id, now=now)
        transaction.on_commit(partial(doorbell.ring, run_id))
    return True


def give_up_attempt(
    *, run_id: int, attempt: int, reason: str, now: datetime, only_if_silent: bool = False
) -> bool:
    """An attempt ended without a result: the run waits again, or is LOST after too many in a row
    that got no further.

    With `only_if_silent`, unless its heart beats. False when the attempt is over already, or beats
    again.
    """
    ours = _running(run_id, attempt)
    if only_if_silent:
        ours = ours.filter(is_silent(now))
    n_allowed = settings.RUN_MAX_ATTEMPTS
    lost = _(
        "%(reason)s That was the last of %(n)s attempts. Check the log, then retry: the run resumes"
        " from its last checkpoint."
    )
    has_advanced = _has_advanced(run_id, attempt)
    with transaction.atomic():
        if _ended_as_stopped(ours, run_id, reason, now):
            return True
        if (
            not has_advanced
            and ours.filter(n_crashes__gte=n_allowed - 1).update(
                state=Run.State.FINISHED,
                outcome=Run.Outcome.LOST,
                n_crashes=F("n_crashes") + 1,
                error=lost % {"reason": reason, "n": n_allowed},
                finished_at=now,
            )
            == 1
        ):
            run_finished.tell_of_end(run_id=run_id, now=now)
            return True
        n_crashes = 1 if has_advanced else F("n_crashes") + 1
        if ours.update(state=Run.State.QUEUED, n_crashes=n_crashes, error=reason, node="") != 1:
            return False
        run_finished.tell_webhooks(event=Event.RUN_QUEUED, run_id=run_id, now=now)
        transaction.on_commit(partial(doorbell.ring, run_id))
    return True


def _ended_as_stopped(ours: QuerySet[Run], run_id: int, reason: str, now: datetime) -> bool:
    """One that a person has stopped does not wait again, only to load and stop. False when nobody
    has.
    """
    is_ended = ours.filter(stop_requested_at__isnull=False).update(
        state=Run.State.FINISHED,
        outcome=Run.Outcome.STOPPED,
        error=_("%(reason)s It was being stopped, and nothing was saved after its last checkpoint.")
        % {"reason": reason},
        finished_at=now,
    )
    if is_ended:
        run_finished.tell_of_end(run_id=run_id, now=now)
    return bool(is_ended)


def _has_advanced(run_id: int, attempt: int) -> bool:
    """Whether it got further than every attempt before it: a long run may outlive many nodes."""
    points = RunPoint.objects.filter(run_id=run_id, attempt__lte=attempt)
    reached = points.aggregate(
        own=Max("step", filter=Q(attempt=attempt)),
        before=Max("step", filter=Q(attempt__lt=attempt)),
    )
    return (reached["own"] or 0) > (reached["before"] or 0)


def reap_runs(*, now: datetime) -> int:
    """Takes runs from supervisors that have fallen silent. How many."""
    silent = Run.objects.filter(is_silent(now), state=Run.State.RUNNING).values_list(
        "pk", "attempt", "node"
    )
    return sum(
        give_up_attempt(
            run_id=run_id,
            attempt=attempt,
            reason=_("The worker on %(node)s disappeared.") % {"node": node},
            now=now,
            only_if_silent=True,
        )
        for run_id, attempt, node in silent
    )


def describe_run(*, run: Run, tags: Sequence[str], remarks: str, by: User, now: datetime) -> None:
    """What people say about a run; it changes nothing in it."""
    with transaction.atomic():
        stored = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        before = {"tags": stored.tags, "remarks": stored.remarks}
        after = {"tags": sorted(set(tags)), "remarks": remarks}
        changed = [name for name in after if after[name] != before[name]]
        if not changed:
            return
        Run.objects.filter(pk=run.pk).update(**after)
        audit_log.record(
            by=by,
            action="describe",
            target=run,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            now=now,
        )


def retry_run(*, run: Run, by: User, now: datetime) -> None:
    """Puts an ended run that left no model back in the queue, to go on from its last checkpoint.
    Raises UnableToRetry.
    """
    again = (Run.Outcome.FAILED, Run.Outcome.LOST, Run.Outcome.STOPPED)
    with transaction.atomic():
        ended = Run.objects.filter(
            pk=run.pk, state=Run.State.FINISHED, outcome__in=again, trained_model__isnull=True
        )
        queued = ended.update(
            state=Run.State.QUEUED,
            outcome="",
            error="",
            n_crashes=0,
            stop_requested_at=None,
            finished_at=None,
            node="",
            freed_at=None,
        )
        if queued != 1:
            raise UnableToRetry(
                _(
                    "This run cannot be retried: it is still running, or it has produced a model."
                    " Duplicate it instead."
                )
            )
        audit_log.record(by=by, action="retry", target=run, now=now)
        run_finished.tell_webhooks(event=Event.RUN_QUEUED, run_id=run.pk, now=now)
        transaction.on_commit(partial(doorbell.ring, run.pk))


def _running(run_id: int, attempt: int) -> Any:
    return Run.objects.filter(pk=run_id, attempt=attempt, state=Run.State.RUNNING)


def _store_points(run_id: int, points: Sequence[Point]) -> None:
    """Several lines of one step (training's and the evaluation's) become one row."""
    if not points:
        return
    merged: dict[tuple[int, int], RunPoint] = {
        (row.attempt, row.step): row
        for row in RunPoint.objects.filter(
            run_id=run_id,
            step__gte=min(point.step for point in points),
            step__lte=max(point.step for point in points),
        )
    }
    for point in points:
        row = merged.setdefault(
            (point.attempt, point.step),
            RunPoint(run_id=run_id, attempt=point.attempt, step=point.step, at=point.at, values={}),
        )
        row.values = row.values | point.values
    told = {(point.attempt, point.step) for point in points}
    RunPoint.objects.bulk_create(
        [
            RunPoint(
                run_id=run_id,
                attempt=row.attempt,
                step=row.step,
                at=row.at,
                values=row.values,
                level=level_of(row.step, row.values),
            )
            for key, row in merged.items()
            if key in told
        ],
        update_conflicts=True,
        unique_fields=["run", "attempt", "step"],
        update_fields=["values", "level"],
        batch_size=500,
    )


def level_of(step: int, values: Mapping[str, float]) -> int:
    """How often the step can be halved: reading from a level on thins a curve evenly. What is
    measured now and then stays longer.
    """
    if step == 0:
        return TOP_LEVEL
    rare = RARE_LEVELS if any(name.startswith("held_out") for name in values) else 0
    return min(TOP_LEVEL, (step & -step).bit_length() - 1 + rare)
