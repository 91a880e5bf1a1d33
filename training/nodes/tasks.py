"""What a Celery worker does when it starts and stops."""

import os
import signal
from typing import Any

from billiard.process import current_process
from celery.signals import worker_process_init, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from jobs.messages import GPU, MODELS
from training.nodes import node_heartbeat
from training.playground import playground
from training.processes import linux, shutdown_notice


@worker_ready.connect  # type: ignore[untyped-decorator]
def start_heartbeat(sender: Any, **_signal: object) -> None:
    """A worker on the queue `gpu` is a node, and sends heartbeats as long as it lives."""
    queues = {queue.name for queue in sender.task_consumer.queues}
    if GPU in queues:
        node_heartbeat.start(settings.NODE_NAME)
    if MODELS in queues:
        playground.start_worker(sender.hostname)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def die_with_worker(**_signal: object) -> None:
    """Without systemd, an idle pool process would outlive a worker that was killed."""
    linux.die_with_parent(signal.SIGKILL)
    if os.getppid() != current_process()._parent_pid:  # it died while this process was starting
        os._exit(1)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def notify_supervisors(**_signal: object) -> None:
    """A worker that shuts down waits for its task, so the task has to know that it should save and
    end.
    """
    shutdown_notice.post(os.getpid())


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def forget_worker(sender: Any, **_signal: object) -> None:
    shutdown_notice.remove(os.getpid())
    playground.stop_worker(sender.hostname)
