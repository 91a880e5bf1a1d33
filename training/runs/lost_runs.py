"""Runs that lose their worker: it shuts down, it crashes, or it sends no more heartbeats."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.webhooks.services import Event
from jobs import guard
from training.models import Run, RunPoint
from training.processes.messages import RUNS
from training.runs import run_finished
from training.runs.multi_node.selectors import is_silent
from training.runs.selectors import running_attempt


def return_to_queue(*, run_id: int, attempt: int, reason: str = "", now: datetime) -> bool:
    """Requeues a saved run whose worker is shutting down; this does not count as a crash. False
    when the attempt is over.

    `reason` is shown on the run's page while it waits.
    """
    with transaction.atomic():
        ours = running_attempt(run_id=run_id, attempt=attempt)
        if _finish_if_stopped(
            ours, run_id, _("Its node shut down before the run had stopped."), now
        ):
            return True
        if not guard.update_one(ours, state=Run.State.QUEUED, error=reason, node=""):
            return False
        run_finished.queue_webhooks(event=Event.RUN_QUEUED, run_id=run_id, now=now)
        RUNS.wake_on_commit(run_id)
    return True


def give_up_attempt(
    *, run_id: int, attempt: int, reason: str, now: datetime, only_if_silent: bool = False
) -> bool:
    """Requeues a run whose attempt ended without a result. After RUN_MAX_ATTEMPTS crashes in a row
    without progress it is LOST instead.

    With `only_if_silent`, does nothing while heartbeats arrive. False when nothing was changed.
    """
    ours = running_attempt(run_id=run_id, attempt=attempt)
    if only_if_silent:
        ours = ours.filter(is_silent(now))
    n_allowed = settings.RUN_MAX_ATTEMPTS
    lost = _(
        "%(reason)s That was the last of %(n)s attempts. Check the log, then retry: the run resumes"
        " from its last checkpoint."
    )
    made_progress = _made_progress(run_id, attempt)
    with transaction.atomic():
        if _finish_if_stopped(ours, run_id, reason, now):
            return True
        if not made_progress and guard.update_one(
            ours.filter(n_crashes__gte=n_allowed - 1),
            state=Run.State.FINISHED,
            outcome=Run.Outcome.LOST,
            n_crashes=F("n_crashes") + 1,
            error=lost % {"reason": reason, "n": n_allowed},
            finished_at=now,
        ):
            run_finished.notify_run_finished(run_id=run_id, now=now)
            return True
        n_crashes = 1 if made_progress else F("n_crashes") + 1
        if not guard.update_one(
            ours, state=Run.State.QUEUED, n_crashes=n_crashes, error=reason, node=""
        ):
            return False
        run_finished.queue_webhooks(event=Event.RUN_QUEUED, run_id=run_id, now=now)
        RUNS.wake_on_commit(run_id)
    return True


def _finish_if_stopped(ours: QuerySet[Run], run_id: int, reason: str, now: datetime) -> bool:
    """Ends the run if a person has asked it to stop: a new attempt would only load and stop. False
    otherwise.
    """
    is_ended = ours.filter(stop_requested_at__isnull=False).update(
        state=Run.State.FINISHED,
        outcome=Run.Outcome.STOPPED,
        error=_("%(reason)s It was being stopped, and nothing was saved after its last checkpoint.")
        % {"reason": reason},
        finished_at=now,
    )
    if is_ended:
        run_finished.notify_run_finished(run_id=run_id, now=now)
    return bool(is_ended)


def _made_progress(run_id: int, attempt: int) -> bool:
    """Whether the attempt got further than every attempt before it. A long run may outlive many
    nodes, so crashes after progress do not add up.
    """
    points = RunPoint.objects.filter(run_id=run_id, attempt__lte=attempt)
    reached = points.aggregate(
        own=Max("step", filter=Q(attempt=attempt)),
        before=Max("step", filter=Q(attempt__lt=attempt)),
    )
    return (reached["own"] or 0) > (reached["before"] or 0)


def reap_runs(*, now: datetime) -> int:
    """Gives up the attempts of supervisors that stopped sending heartbeats. Returns how many."""
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
