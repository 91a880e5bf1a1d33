"""What a Celery worker does when it starts and stops: announce its node, end with its parent."""

import os
import signal
from typing import Any

from billiard.process import current_process
from celery.signals import worker_process_init, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from training.nodes import node_heartbeat
from training.playground import playground
from training.processes import doorbell, linux, process_cleanup


@worker_ready.connect  # type: ignore[untyped-decorator]
def announce_node(sender: Any, **_signal: Any) -> None:
    """A worker on the queue `gpu` is a node: it says so now and then for as long as it lives."""
    queues = {queue.name for queue in sender.task_consumer.queues}
    if doorbell.QUEUE in queues:
        node_heartbeat.begin(settings.NODE_NAME)
    if doorbell.MODELS_QUEUE in queues:
        playground.begin(sender.hostname)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def die_with_the_worker(**_signal: Any) -> None:
    """An idle pool process would outlive a worker that was killed, where no systemd ends them
    all.
    """
    linux.die_with_parent(signal.SIGKILL)
    if os.getppid() != current_process()._parent_pid:  # it died while this process was starting
        os._exit(1)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def tell_supervisors(**_signal: Any) -> None:
    """A worker that was asked to end waits for its task; its task has to know."""
    process_cleanup.announce(os.getpid())


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def forget_worker(sender: Any, **_signal: Any) -> None:
    process_cleanup.withdraw(os.getpid())
    playground.leave(sender.hostname)
