"""Every write to a run. Each names the state or attempt it expects, so that a late or repeated call
changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from accounts.webhooks.services import Event
from jobs import guard
from training.benchmarks.attacks import services as attacks_services
from training.benchmarks.scorecards import services as scorecards_services
from training.configs import roles
from training.models import Node, Run, RunPoint, RunSample, TrainedModel
from training.processes.launch import Launch
from training.processes.messages import RUNS
from training.processes.run_lines import Kept
from training.registry import services as registry_services
from training.runs import placement, resuming, run_finished
from training.runs.multi_node import services as multi_node_services
from training.runs.placement import fits_node
from training.runs.selectors import running_attempt
from training.spot_checks import selectors as spot_checks_selectors
from training.spot_checks import services as spot_checks_services
from training.spot_checks.services import Written

TOP_LEVEL = 15
RARE_LEVELS = 6
_LONGEST_PATH = 200
"""of a notice"""


class UnableToRetry(Refusal):
    """The run cannot be retried."""


@dataclass(frozen=True)
class HeartbeatReply:
    """What a supervisor learns from its heartbeat."""

    is_ours: bool
    is_stop_requested: bool
    kept: Kept | None = None
    """what raters keep by its spot checks so far"""


@dataclass(frozen=True)
class Point:
    """One line of progress that the child wrote."""

    attempt: int
    step: int
    n_steps: int
    at: datetime
    values: dict[str, float]


@dataclass(frozen=True)
class Sample:
    """A sampled text from the progress file; `line` is its line number there."""

    attempt: int
    step: int
    line: int
    prompt: str
    response: str
    scores: dict[str, Any]


@dataclass(frozen=True)
class AttemptResult:
    """How an attempt ended. `model` is where the weights are stored; `kept_step` is the step of the
    state kept for an extension.
    """

    outcome: Run.Outcome
    error: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    n_steps: int = 0
    model: str | None = None
    kept_step: int | None = None
    scores: Mapping[int, float] = field(default_factory=dict)
    """the reward model's scores of held-out responses, by response id"""
    has_answers: bool = False
    """whether a benchmark's answers are stored and wait for their scores"""


def claim_run(*, run_id: int, node: str, now: datetime) -> Run | None:
    """Marks a queued run as running on `node`, with cards that no other run has, and starts a new
    attempt. None when it is no longer queued, or does not fit the node beside its current runs.
    """
    with transaction.atomic():
        # Its processes claim one after the other, or two runs could get the same card.
        Node.objects.select_for_update().filter(name=node).first()
        cards = _cards_for(run_id, node, now)
        if cards is None:
            return None
        claimed = Run.objects.filter(
            fits_node(node=node), pk=run_id, state=Run.State.QUEUED
        ).update(
            state=Run.State.RUNNING,
            attempt=F("attempt") + 1,
            node=node,
            cards=cards,
            heartbeat_at=now,
            progress_at=None,
            started_at=Coalesce("started_at", Value(now)),
        )
        if claimed != 1:
            return None
        run_finished.queue_webhooks(event=Event.RUN_STARTED, run_id=run_id, now=now)
        run = run_with_inputs(run_id=run_id)
        multi_node_services.open_seats(run=run, now=now)
    return run


def _cards_for(run_id: int, node: str, now: datetime) -> list[str] | None:
    """The cards for this run; empty if it gets the whole node. None if the node has no room."""
    run = Run.objects.filter(pk=run_id).first()
    status = next(
        (candidate for candidate in placement.nodes(now=now) if candidate.node.name == node), None
    )
    if run is None or status is None:
        return []  # somebody's command line
    if not placement.has_free_room(run=run, status=status):
        return None
    if Launch.from_json(run.launch).n_machines > 1:
        return []
    return placement.free_cards(run=run, node=status.node, beside=status.runs)


def run_with_inputs(*, run_id: int) -> Run:
    """The run with its snapshot and models loaded."""
    return Run.objects.select_related("snapshot", *roles.NAMES).get(pk=run_id)


def record_heartbeat(*, run_id: int, attempt: int, now: datetime) -> HeartbeatReply:
    """The supervisor is alive. `is_ours` is False when its attempt is over."""
    ours = running_attempt(run_id=run_id, attempt=attempt)
    if not guard.update_one(ours, heartbeat_at=now):
        return HeartbeatReply(is_ours=False, is_stop_requested=False)
    stop_requested_at, spot_pool = ours.values_list("stop_requested_at", "spot_pool").first() or (
        None,
        None,
    )
    return HeartbeatReply(
        is_ours=True,
        is_stop_requested=stop_requested_at is not None,
        kept=spot_checks_selectors.kept_for(run_id=run_id) if spot_pool else None,
    )


def record_progress(
    *,
    run_id: int,
    attempt: int,
    points: Sequence[Point],
    samples: Sequence[Sample],
    notes: Sequence[str],
    checks: Sequence[Written] = (),
    log_tail: str,
    n_log_lines: int = 0,
    auto_dtype: str = "",
    now: datetime,
) -> bool:
    """Stores new progress of the child; a line sent twice is stored once. False when the attempt is
    over.
    """
    log = {"log_tail": log_tail, "n_log_lines": n_log_lines, "log_attempt": attempt}
    changes: dict[str, object] = {"heartbeat_at": now, "notes": list(notes), **log}
    own = [point for point in points if point.attempt == attempt]
    if own:
        changes |= {"step": own[-1].step, "n_steps": own[-1].n_steps, "progress_at": now}
    with transaction.atomic():
        if not guard.update_one(running_attempt(run_id=run_id, attempt=attempt), **changes):
            return False
        if auto_dtype:  # the first attempt decides for all
            Run.objects.filter(pk=run_id, auto_dtype="").update(auto_dtype=auto_dtype)
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
        spot_checks_services.store(run_id=run_id, checks=checks, now=now)
    return True


def request_stop(*, run: Run, by: User, now: datetime) -> bool:
    """Asks a running run to save and stop at its next step; ends a queued one at once. False when
    it has already ended.
    """
    with transaction.atomic():
        is_stopped = _stop(run, now)
        if is_stopped:
            audit_log.record(by, "stop", run, now=now)
    return is_stopped


def _stop(run: Run, now: datetime) -> bool:
    waiting = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED)
    if guard.update_one(
        waiting,
        state=Run.State.FINISHED,
        outcome=Run.Outcome.STOPPED,
        stop_requested_at=now,
        finished_at=now,
    ):
        run_finished.notify_run_finished(run_id=run.pk, now=now)
        return True
    return guard.update_one(
        _running_now(run), stop_requested_at=Coalesce("stop_requested_at", Value(now))
    )


def _running_now(run: Run) -> QuerySet[Run]:
    """Regardless of its attempt."""
    return Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)


def kill_run(*, run: Run, by: User, now: datetime) -> bool:
    """Ends a run at once and discards what it did since its last checkpoint. False when it has
    already ended.

    The supervisor sees it at its next heartbeat and kills the processes.
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
            run_finished.notify_run_finished(run_id=run.pk, now=now)
        elif not _stop(run, now):
            return False
        audit_log.record(by, "kill", run, now=now)
    return True


def finish_run(*, run_id: int, attempt: int, result: AttemptResult, now: datetime) -> bool:
    """Ends the run, registers its model and scores its answers, in one transaction: whoever hears
    that it ended finds them. A resumed run replaces the model that it left before. False when the
    attempt is over.
    """
    changes: dict[str, object] = {
        "state": Run.State.FINISHED,
        "outcome": result.outcome,
        "error": result.error,
        "metrics": result.metrics,
        "versions": result.versions,
        "kept_step": result.kept_step,
        "heartbeat_at": now,
        "finished_at": now,
    }
    if result.n_steps and result.outcome != Run.Outcome.STOPPED:
        changes["n_steps"] = result.n_steps  # a stopped run shows how far it got
    with transaction.atomic():
        if not guard.update_one(running_attempt(run_id=run_id, attempt=attempt), **changes):
            return False
        if result.model is not None:
            run = Run.objects.select_related("base_model").get(pk=run_id)
            registry_services.register_trained_model(
                run=run, location=result.model, metrics=result.metrics, now=now
            )
        if result.scores:
            registry_services.store_scores(run_id=run_id, scores=result.scores, now=now)
        if result.has_answers:
            run = run_with_inputs(run_id=run_id)
            scorecards_services.score_run(run=run, now=now)
            attacks_services.note_success(run=run)
        run_finished.notify_run_finished(run_id=run_id, now=now)
    return True


def describe_run(
    *,
    run: Run,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    remarks: str | None = None,
    by: User,
    now: datetime,
) -> None:
    """Sets the run's name, tags and remarks; None leaves a value as it is."""
    tags = None if tags is None else sorted(set(tags))
    values = {"name": name, "tags": tags, "remarks": remarks}
    with transaction.atomic():
        stored = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
        before = {key: getattr(stored, key) for key, value in values.items() if value is not None}
        after = {key: values[key] for key, value in before.items() if values[key] != value}
        if not after:
            return
        Run.objects.filter(pk=run.pk).update(**after)
        before = {key: before[key] for key in after}
        audit_log.record(by, "describe", run, before=before, after=after, now=now)


def retry_run(*, run: Run, by: User, now: datetime) -> None:
    """Requeues a run that failed, was lost or was stopped; it resumes from its last checkpoint. A
    model that it has left is replaced when it ends again. A benchmark or an attack whose server
    left something unanswered asks that, and is scored again. Raises UnableToRetry.
    """
    with transaction.atomic():
        TrainedModel.objects.select_for_update().filter(run=run).first()
        ended = resuming.resumable_runs().select_for_update(of=("self",)).filter(pk=run.pk).first()
        if ended is None:
            raise UnableToRetry(
                _(
                    "This run cannot be resumed: it has not ended, it is complete, or its model is"
                    " already in use. Extend or duplicate it instead."
                )
            )
        wanted_node = ended.wanted_node
        if ended.kept_step is not None:
            wanted_node = resuming.node_with_state(run=ended)
        Run.objects.filter(pk=run.pk).update(
            state=Run.State.QUEUED,
            outcome="",
            error="",
            n_crashes=0,
            stop_requested_at=None,
            finished_at=None,
            wanted_node=wanted_node,
            node="",
            freed_at=None,
        )
        audit_log.record(by, "retry", run, now=now)
        run_finished.queue_webhooks(event=Event.RUN_QUEUED, run_id=run.pk, now=now)
        RUNS.wake_on_commit(run.pk)


def _store_points(run_id: int, points: Sequence[Point]) -> None:
    """Merges several lines of one step (training and evaluation) into one row."""
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
    updated = {(point.attempt, point.step) for point in points}
    RunPoint.objects.bulk_create(
        [
            RunPoint(
                run_id=run_id,
                attempt=row.attempt,
                step=row.step,
                at=row.at,
                values=row.values,
                level=level_of(step=row.step, values=row.values),
            )
            for key, row in merged.items()
            if key in updated
        ],
        update_conflicts=True,
        unique_fields=["run", "attempt", "step"],
        update_fields=["values", "level"],
        batch_size=500,
    )


def level_of(*, step: int, values: Mapping[str, float]) -> int:
    """How often the step is divisible by 2: reading only rows from a level upwards thins a curve
    evenly. Rare measurements get a higher level, so that they stay longer.
    """
    if step == 0:
        return TOP_LEVEL
    rare = RARE_LEVELS if any(name.startswith("held_out") for name in values) else 0
    return min(TOP_LEVEL, (step & -step).bit_length() - 1 + rare)


@transaction.atomic
def ask_for_comparison(*, run: Run, sources: list[int], by: User, now: datetime) -> int:
    """Tells every active admin, once for each run, with a link to a new campaign of these sources;
    returns how many there are.
    """
    key = f"compare-{run.pk}"
    was_asked = Notice.objects.filter(key=key).exists()
    admins = list(User.objects.filter(is_admin=True, is_active=True))
    notices_services.notify(
        people=admins,
        key=key,
        kind=Notice.Kind.APPROVAL,
        words=lambda: (
            _("%(person)s asks for a blind comparison of the responses of “%(run)s”.")
            % {"person": by, "run": run.name}
        ),
        path=new_campaign_path(sources=sources),
        now=now,
    )
    if admins and not was_asked:
        audit_log.record(by, "ask_for_comparison", run, now=now)
    return len(admins)


def new_campaign_path(*, sources: list[int]) -> str:
    """The form of a new campaign, with as many of these sources chosen as a notice has room for."""
    path = reverse("campaign_new")
    for n in range(len(sources), 0, -1):
        query = urlencode([("response_source", source) for source in sources[:n]])
        if len(path) + 1 + len(query) <= _LONGEST_PATH:
            return f"{path}?{query}"
    return path
