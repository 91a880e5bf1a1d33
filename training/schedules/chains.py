"""Chains: started by a schedule's firing, advanced link by link, stopped by a failure, and resumed.

Every step names the state it expects, so two workers that advance the same chain do each thing
once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import Notice, User
from accounts.refusals import Refusal
from jobs import guard
from labeling.campaigns.services import UnableToCreateCampaign
from training.models import Chain, Link, Run, Schedule, TrainedModel
from training.processes.messages import CHAINS
from training.runs.run_queue import UnableToQueue
from training.runs.services import UnableToRetry, request_stop, retry_run
from training.schedules import chain_notices
from training.schedules.gate import promotion, suite_checks
from training.schedules.plans import carry_out, steps
from training.schedules.plans.chain_plans import Plan, outputs_of
from training.schedules.plans.step import (
    CampaignStep,
    GateStep,
    RequestStep,
    RunStep,
    SnapshotStep,
    StepFailed,
)
from training.snapshots.freeze import UnableToCreate
from training.snapshots.services import UnableToWrite

# A worker that creates a snapshot for longer than this has died; another one starts over.
SNAPSHOT_TIMEOUT = timedelta(hours=2)


class UnableToResume(Refusal):
    """The chain was not stopped by a failure."""


def start_chain(*, schedule: Schedule, number: int, now: datetime) -> Chain:
    """Creates the chain's rows, in the transaction of the firing. A worker advances it after
    commit.
    """
    plan = Plan.from_json(schedule.plan)
    chain = Chain.objects.create(
        schedule=schedule,
        number=number,
        plan=plan.as_json(),
        base_model=steps.first_model(schedule, plan, has_gate=plan.shape.has_gate),
        started_at=now,
    )
    Link.objects.bulk_create(
        Link(
            chain=chain,
            position=position,
            step=step.name,
            needs_approval=plan.needs_approval(step),
        )
        for position, step in enumerate(plan.shape.steps)
    )
    CHAINS.wake_on_commit(chain.pk)
    return chain


def advance_chain(*, chain_id: int, now: datetime) -> None:
    """Advances until a run has to finish, a step needs approval, or the chain ends."""
    while True:
        chain = Chain.objects.select_related("schedule__created_by", "base_model").get(pk=chain_id)
        if chain.state != Chain.State.GOING:
            return
        link = (
            chain.links.exclude(state=Link.State.DONE)
            .select_related("run")
            .order_by("position")
            .first()
        )
        if link is None:
            _finish(chain, now)
            return
        try:
            moved = _advance(chain, link, now)
        except (StepFailed, UnableToCreate, UnableToQueue) as problem:
            _fail(chain, link, str(problem), _kind_of(problem), now)
            return
        except UnableToCreateCampaign as problem:
            _fail(chain, link, problem.sentence, Notice.Kind.FAILED, now)
            return
        if not moved:
            return


def approve_link(*, chain: Chain, by: User, now: datetime) -> bool:
    """Approves the link that waits for a person; at a gate, promotes the model. False if none
    waits, or if the chain was stopped meanwhile.
    """
    if chain.links.filter(state=Link.State.APPROVAL, step=steps.GATE.name).exists():
        return promotion.decide(chain=chain, promotes=True, by=by, now=now)
    with transaction.atomic():
        halted = Chain.objects.filter(pk=chain.pk, state=Chain.State.APPROVAL)
        if not halted.select_for_update().exists():
            return False
        waiting = Link.objects.filter(chain=chain, state=Link.State.APPROVAL)
        if not guard.update_one(waiting, state=Link.State.WAITING, approved_by=by, approved_at=now):
            return False
        halted.update(state=Chain.State.GOING)
        audit_log.record(by, "approve", chain, now=now)
        CHAINS.wake_on_commit(chain.pk)
    return True


def resume_chain(*, chain: Chain, by: User, now: datetime, anew: bool = False) -> None:
    """Resumes at the failed link: with the model that its stopped run saved, or by retrying its run
    from the last checkpoint.

    Other links start over; with `anew` even one whose run saved a model. Raises UnableToResume.
    """
    with transaction.atomic():
        failed = Chain.objects.filter(pk=chain.pk, state=Chain.State.FAILED)
        if not guard.update_one(failed, state=Chain.State.GOING, error="", ended_at=None):
            raise UnableToResume(_("This chain was not stopped by a failure."))
        for link in chain.links.filter(state=Link.State.FAILED).select_related("run"):
            Link.objects.filter(pk=link.pk).update(**_resumed_state(link, by, now, anew=anew))
        audit_log.record(by, "resume", chain, after={"anew": True} if anew else None, now=now)
        CHAINS.wake_on_commit(chain.pk)


def stop_chain(*, chain: Chain, by: User, now: datetime) -> bool:
    """Ends a chain for good; its current run saves and stops. False when it had already ended."""
    open_states = (Chain.State.GOING, Chain.State.APPROVAL, Chain.State.FAILED)
    with transaction.atomic():
        if not guard.update_one(
            Chain.objects.filter(pk=chain.pk, state__in=open_states),
            state=Chain.State.STOPPED,
            ended_at=now,
        ):
            return False
        for link in chain.links.filter(state=Link.State.WORKING, run__isnull=False).select_related(
            "run"
        ):
            if link.run is not None:
                request_stop(run=link.run, by=by, now=now)
        audit_log.record(by, "stop", chain, now=now)
    return True


# --- one step -------------------------------------------------------------------------------------


def _advance(chain: Chain, link: Link, now: datetime) -> bool:
    """Returns whether the next link can start at once."""
    step = steps.STEPS[link.step]
    if link.run is not None:
        return _follow(chain, link, link.run, now)
    if step.asks_raters and suite_checks.is_stopped(chain):
        return _leave_out(link, now)
    if isinstance(step, GateStep):
        return promotion.advance(chain, link, now)
    if _needs_approval(link):
        _request_approval(chain, link, now)
        return False
    match step:
        case SnapshotStep():
            if carry_out.waits_for_raters(outputs_of(chain), step, now):
                return False
            return _create_snapshot(chain, link, step, now)
        case RunStep():
            return _claimed(chain, link, partial(carry_out.queue_run, step), now)
        case CampaignStep():
            return _claimed(chain, link, partial(carry_out.open_campaign, step), now)
        case RequestStep():
            return _claimed(chain, link, partial(carry_out.request_comparison, step), now)
    raise AssertionError(f"{step.name} produces nothing")


def _claimed(
    chain: Chain, link: Link, start: Callable[[Chain, Link, datetime], bool], now: datetime
) -> bool:
    """Locks the chain and claims the link, so that two workers do not both start it."""
    if link.state != Link.State.WAITING:
        return False
    with transaction.atomic():
        if not _is_still_going(chain):
            return False
        if not guard.update_one(
            Link.objects.filter(pk=link.pk, state=Link.State.WAITING),
            state=Link.State.WORKING,
            claimed_at=now,
        ):
            return False
        return start(chain, link, now)


def _needs_approval(link: Link) -> bool:
    return link.state == Link.State.WAITING and link.needs_approval and link.approved_at is None


def _is_still_going(chain: Chain) -> bool:
    """Locks the chain's row, so that stopping it waits and then finds what was started
    meanwhile.
    """
    return Chain.objects.select_for_update().filter(pk=chain.pk, state=Chain.State.GOING).exists()


def _follow(chain: Chain, link: Link, run: Run, now: datetime) -> bool:
    if run.state != Run.State.FINISHED:
        return False
    if run.outcome == Run.Outcome.SUCCEEDED:
        return _done(link, now)
    if run.outcome == Run.Outcome.STOPPED and (
        saved := TrainedModel.objects.filter(run=run).first()
    ):
        if _stopped_by_itself(run) and Plan.from_json(chain.plan).shape.has_gate:
            return _go_on_with(chain, link, saved, now)
        raise StepFailed(
            _(
                "The run “%(run)s” was stopped and saved “%(model)s”. Continue with that model, or"
                " restart the step."
            )
            % {"run": run, "model": saved}
        )
    if run.outcome == Run.Outcome.STOPPED:
        raise StepFailed(_("The run “%(run)s” was stopped.") % {"run": run})
    raise StepFailed(
        _("The run “%(run)s” ended without a result. %(error)s") % {"run": run, "error": run.error}
    )


def _stopped_by_itself(run: Run) -> bool:
    """At a limit that it has, such as PPO's of the KL, and it says which."""
    return bool(run.error) and run.stop_requested_at is None


def _go_on_with(chain: Chain, link: Link, model: TrainedModel, now: datetime) -> bool:
    """With the last good step of a run that stopped by itself: the gate decides as usual."""
    with transaction.atomic():
        if not _done(link, now):
            return False
        chain_notices.notify(
            chain,
            f"kept-{link.position}",
            Notice.Kind.WARNING,
            partial(chain_notices.kept_words, chain, model),
            now,
        )
    return True


def _create_snapshot(chain: Chain, link: Link, step: SnapshotStep, now: datetime) -> bool:
    """Runs outside a transaction, because it can take minutes. Only the worker that claimed the
    link last stores its result.
    """
    free = Link.objects.filter(pk=link.pk, snapshot=None)
    taken = free.filter(state=Link.State.WAITING) | free.filter(
        state=Link.State.WORKING, claimed_at__lt=now - SNAPSHOT_TIMEOUT
    )
    if not guard.update_one(taken, state=Link.State.WORKING, claimed_at=now):
        return False
    snapshot = carry_out.create_snapshot(outputs_of(chain), step, now)
    mine = Link.objects.filter(pk=link.pk, state=Link.State.WORKING, claimed_at=now)
    return guard.update_one(mine, state=Link.State.DONE, snapshot=snapshot, ended_at=now)


def _leave_out(link: Link, now: datetime) -> bool:
    """Marks a step as done that the chain no longer needs."""
    waiting = Link.objects.filter(pk=link.pk, state=Link.State.WAITING)
    return guard.update_one(waiting, state=Link.State.DONE, ended_at=now)


def _request_approval(chain: Chain, link: Link, now: datetime) -> None:
    with transaction.atomic():
        if not _is_still_going(chain):
            return
        if not guard.update_one(
            Link.objects.filter(pk=link.pk, state=Link.State.WAITING), state=Link.State.APPROVAL
        ):
            return
        Chain.objects.filter(pk=chain.pk, state=Chain.State.GOING).update(
            state=Chain.State.APPROVAL
        )
        chain_notices.notify(
            chain,
            f"approval-{link.position}",
            Notice.Kind.APPROVAL,
            partial(chain_notices.approval_words, chain, link.step),
            now,
        )


def _done(link: Link, now: datetime) -> bool:
    return guard.update_one(
        Link.objects.filter(pk=link.pk, state=Link.State.WORKING),
        state=Link.State.DONE,
        ended_at=now,
    )


def _finish(chain: Chain, now: datetime) -> None:
    with transaction.atomic():
        ended = Chain.objects.filter(pk=chain.pk, state=Chain.State.GOING).update(
            state=Chain.State.FINISHED, ended_at=now
        )
        if ended == 1:
            chain_notices.notify(
                chain,
                "finished",
                Notice.Kind.FINISHED,
                partial(chain_notices.finished_words, chain),
                now,
            )


def _fail(chain: Chain, link: Link, sentence: str, kind: Notice.Kind, now: datetime) -> None:
    if link.run is not None and link.run.outcome == Run.Outcome.LOST:
        kind = Notice.Kind.LOST
    with transaction.atomic():
        stopped = Chain.objects.filter(pk=chain.pk, state=Chain.State.GOING)
        if not guard.update_one(stopped, state=Chain.State.FAILED, error=sentence, ended_at=now):
            return
        Link.objects.filter(pk=link.pk).update(state=Link.State.FAILED, ended_at=now)
        chain_notices.warn_of_failures_in_a_row(chain, now)
        chain_notices.notify(
            chain,
            f"{kind}-{link.position}-{now.timestamp()}",
            kind,
            partial(chain_notices.failed_words, chain, sentence),
            now,
        )


def _resumed_state(link: Link, by: User, now: datetime, *, anew: bool) -> dict[str, object]:
    """The new state of a failed link."""
    run = link.run
    unclaimed: dict[str, object] = {"claimed_at": None, "ended_at": None}
    if run is None:
        return unclaimed | {"state": Link.State.WAITING}
    if (
        run.outcome == Run.Outcome.STOPPED
        and not anew
        and TrainedModel.objects.filter(run=run).exists()
    ):
        return {"state": Link.State.DONE}
    if run.state == Run.State.FINISHED and run.outcome != Run.Outcome.SUCCEEDED:
        try:
            retry_run(run=run, by=by, now=now)
        except UnableToRetry:
            return unclaimed | {"state": Link.State.WAITING, "run": None}
    return unclaimed | {"state": Link.State.WORKING}


def _kind_of(problem: Exception) -> Notice.Kind:
    is_empty = isinstance(problem, UnableToCreate) and not isinstance(problem, UnableToWrite)
    return Notice.Kind.NOTHING if is_empty else Notice.Kind.FAILED
