"""The Celery tasks of the training half: one call each."""

import logging
import os
import signal
from typing import Any

from billiard.process import current_process  # type: ignore[import-untyped]
from celery.signals import worker_process_init, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.utils import timezone

from config.celery import run_task, short_task
from training import (
    conversing,
    doorbell,
    heralding,
    leaving,
    processes,
    selectors,
    sending,
    services,
    supervisor,
    trying,
)

logger = logging.getLogger(__name__)


@run_task()
def execute_run(*, run_id: int) -> None:
    """Answers the doorbell: somebody waits. Who goes first, and whether this node is large enough,
    is in the rows.
    """
    node = settings.NODE_NAME
    if not supervisor.has_room():
        logger.warning("The disk of %s is full: it takes no run.", node)
        if selectors.is_wanted_elsewhere(run_id=run_id, node=node, now=timezone.now()):
            doorbell.ring(run_id)
        return
    if seat := services.take_seat(node=node, now=timezone.now()):
        with leaving.noticed(has_worker=True) as is_leaving:
            supervisor.assist(seat=seat, is_leaving=is_leaving)
        return
    first = selectors.next_run_id(node=node, now=timezone.now())
    if first != run_id and selectors.is_wanted_elsewhere(
        run_id=run_id, node=node, now=timezone.now()
    ):
        doorbell.ring(run_id)
    if first is None:
        return
    with leaving.noticed(has_worker=True) as is_leaving:
        supervisor.supervise(run_id=first, node=node, is_leaving=is_leaving)
    services.tidy_node()


@short_task(time_limit_s=30)
def ring_queued_runs() -> None:
    """Rings for the runs that wait, unless rings wait too: then every worker is busy and more would
    only pile up.
    """
    if doorbell.n_waiting():
        return
    for run_id in [*selectors.gathering_run_ids(), *selectors.queued_run_ids()]:
        doorbell.ring(run_id)


@short_task(time_limit_s=60)
def reap_runs() -> None:
    services.reap_runs(now=timezone.now())


@short_task(time_limit_s=60)
def fire_due_schedules() -> None:
    services.fire_due_schedules(now=timezone.now())


@short_task(time_limit_s=3600)
def free_by_night() -> None:
    services.free_by_night(now=timezone.now())


@short_task(time_limit_s=3600)
def advance_chain(*, chain_id: int) -> None:
    """Takes a chain as far as it goes by itself. Cutting a large snapshot is what takes time
    here.
    """
    services.advance_chain(chain_id=chain_id, now=timezone.now())


@short_task(time_limit_s=3600)
def measure(*, firing_id: int) -> None:
    """Cuts what is fresh for a reward model and queues the run that measures it."""
    services.begin_measuring(firing_id=firing_id, now=timezone.now())


@short_task(time_limit_s=30)
def advance_chains() -> None:
    """Rings for the chains that go on: what a lost ring would have told them, they find out by
    themselves.
    """
    for chain_id in selectors.going_chain_ids():
        doorbell.ring_chain(chain_id)


@run_task()
def publish_model(*, publication_id: int) -> None:
    sending.send(publication_id=publication_id)


@short_task(time_limit_s=30)
def ring_publications() -> None:
    services.ring_publications(now=timezone.now())


@run_task()
def answer_question(*, question: str) -> None:
    trying.answer_question(question=question)


@worker_ready.connect  # type: ignore[untyped-decorator]
def announce_node(sender: Any, **_signal: Any) -> None:
    """A worker on the queue `gpu` is a node: it says so now and then for as long as it lives."""
    queues = {queue.name for queue in sender.task_consumer.queues}
    if doorbell.QUEUE in queues:
        heralding.begin(settings.NODE_NAME)
    if conversing.QUEUE in queues:
        trying.begin(sender.hostname)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def die_with_the_worker(**_signal: Any) -> None:
    """An idle pool process would outlive a worker that was killed, where no systemd ends them
    all.
    """
    processes.die_with_parent(signal.SIGKILL)
    if os.getppid() != current_process()._parent_pid:  # it died while this process was starting
        os._exit(1)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def tell_supervisors(**_signal: Any) -> None:
    """A worker that was asked to end waits for its task; its task has to know."""
    leaving.announce(os.getpid())


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def forget_worker(sender: Any, **_signal: Any) -> None:
    leaving.withdraw(os.getpid())
    trying.leave(sender.hostname)
