"""Notifies people and webhooks when a run ends, and wakes the chain that it belongs to."""

from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Notice
from accounts.notices import services as notices_services
from accounts.webhooks import services as webhooks_services
from training.models import Firing, Link, Run
from training.processes.messages import CHAINS

_KINDS = {
    Run.Outcome.SUCCEEDED: Notice.Kind.FINISHED,
    Run.Outcome.FAILED: Notice.Kind.FAILED,
    Run.Outcome.LOST: Notice.Kind.LOST,
}


def notify_run_finished(*, run_id: int, now: datetime) -> None:
    """Call it in the transaction that ends the run. A run of a chain wakes its chain after commit,
    and the chain notifies people when it is done.
    """
    queue_webhooks(event=webhooks_services.Event.RUN_FINISHED, run_id=run_id, now=now)
    link = Link.objects.filter(run_id=run_id).first()
    if link is not None:
        CHAINS.wake_on_commit(link.chain_id)
        return
    run = Run.objects.select_related("created_by").get(pk=run_id)
    kind = _KINDS.get(Run.Outcome(run.outcome))
    if kind is None or run.created_by is None:
        return
    if kind == Notice.Kind.FINISHED and Firing.objects.filter(run=run).exists():
        return  # a measurement for a schedule: the schedule reports it
    notices_services.notify(
        people=[run.created_by],
        key=f"run-{run.pk}-{run.attempt}-{kind}",
        kind=kind,
        words=partial(_words, run),
        path=reverse("run", args=[run.pk]),
        now=now,
    )


def queue_webhooks(*, event: webhooks_services.Event, run_id: int, now: datetime) -> None:
    """Call it in the transaction of the event."""
    listeners = webhooks_services.listening(event=event)
    if not listeners:
        return
    run = Run.objects.get(pk=run_id)
    data = {
        "id": run.pk,
        "name": run.name,
        "kind": run.kind,
        "state": run.state,
        "outcome": run.outcome,
        "error": run.error,
        "attempt": run.attempt,
        "node": run.node,
        "metrics": run.metrics,
    }
    payloads = {f"run-{run.pk}-{run.attempt}-{event}-{now.timestamp()}": data}
    webhooks_services.queue_deliveries(webhooks=listeners, event=event, payloads=payloads, now=now)


def _words(run: Run) -> str:
    sentence = {
        Run.Outcome.SUCCEEDED: _("The run “%(run)s” has finished."),
        Run.Outcome.FAILED: _("The run “%(run)s” failed. %(error)s"),
        Run.Outcome.LOST: _("The run “%(run)s” was lost. %(error)s"),
    }[Run.Outcome(run.outcome)]
    return sentence % {"run": run.name, "error": run.error}
