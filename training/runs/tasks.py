"""Celery tasks of runs: execute one, resend lost messages, requeue lost runs."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from config.celery import short_task
from training.processes import shutdown_notice
from training.processes.messages import RUNS
from training.runs import lost_runs, placement, selectors
from training.runs.multi_node import selectors as multi_node_selectors
from training.runs.multi_node import services as multi_node_services
from training.runs.supervisor import supervise
from training.storage import services as storage_services

logger = logging.getLogger(__name__)


@RUNS
def execute_run(*, run_id: int) -> None:
    """Starts whichever run is next in the queue and fits this node. `run_id` only says that a run
    is waiting.
    """
    node = settings.NODE_NAME
    if not supervise.has_room():
        logger.warning("The disk of %s is full: it takes no run.", node)
        if placement.can_run_elsewhere(run_id=run_id, node=node, now=timezone.now()):
            RUNS.wake(run_id)
        return
    if seat := multi_node_services.take_seat(node=node, now=timezone.now()):
        with shutdown_notice.watch(has_worker=True) as is_leaving:
            supervise.supervise_joined_machine(seat=seat, is_leaving=is_leaving)
        return
    first = placement.next_run_id(node=node, now=timezone.now())
    if first != run_id and placement.can_run_elsewhere(
        run_id=run_id, node=node, now=timezone.now()
    ):
        RUNS.wake(run_id)
    # Two nodes may choose the same run at the same moment. The slower one chooses again: its
    # message would otherwise be lost, and the next run would wait for the beat.
    while first is not None:
        with shutdown_notice.watch(has_worker=True) as is_leaving:
            has_supervised = supervise.supervise(run_id=first, node=node, is_leaving=is_leaving)
        if has_supervised:
            storage_services.remove_freed_files()
            storage_services.remove_old_run_folders(now=timezone.now())
            # Other processes of this worker may have found no room for what waits now.
            if (waiting := placement.next_run_id(node=node, now=timezone.now())) is not None:
                RUNS.wake(waiting)
            return
        first = placement.next_run_id(node=node, now=timezone.now())


def _waiting(*, now: datetime) -> list[int]:
    return [*multi_node_selectors.gathering_run_ids(), *selectors.queued_run_ids()]


RUNS.wakes(_waiting, every=timedelta(seconds=15))


@short_task(time_limit_s=60)
def reap_runs() -> None:
    lost_runs.reap_runs(now=timezone.now())
