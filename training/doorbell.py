"""Tells the GPU workers that a run is waiting. The row is the queue: a message lost here is sent
again by the beat.
"""

import logging

from kombu.exceptions import ChannelError, OperationalError

from config.celery import app

QUEUE = "gpu"
logger = logging.getLogger(__name__)


def ring(run_id: int) -> bool:
    """Sends the run's id; call it after commit. False when the broker is away: the run stays queued
    and is rung again later.
    """
    return _send("execute_run", f"Run {run_id} is queued. The beat rings again.", run_id=run_id)


def ring_chain(chain_id: int) -> None:
    """Lets a chain go on now and not with the next beat; call it after commit."""
    _send("advance_chain", f"Chain {chain_id} waits for the beat.", chain_id=chain_id)


def ring_firing(firing_id: int) -> None:
    """Lets the measurement for a schedule begin now; call it after commit. The beat rings again for
    one that was lost.
    """
    _send("measure", f"Measurement {firing_id} waits for the beat.", firing_id=firing_id)


def ring_models(task: str, **what: object) -> bool:
    """Sends a task to the workers that have models at hand; call it after commit. False when the
    broker is away.

    The beat rings again for a publication; a question to a model is asked again by who asked it.
    """
    return _send(task, f"No worker was told of {task}.", **what)


def _send(task: str, otherwise: str, **what: object) -> bool:
    try:
        with app.connection_for_write() as connection:
            # Once, at once: left to itself kombu keeps a person waiting for six seconds before it
            # gives up.
            connection.ensure_connection(max_retries=1, interval_start=0)
            app.send_task(f"training.tasks.{task}", kwargs=what, retry=False, connection=connection)
    except OperationalError as problem:
        logger.warning("The broker is away (%s). %s", problem, otherwise)
        return False
    return True


def n_waiting(queue: str = QUEUE) -> int:
    """Rings that no worker has answered; 0 as well when the broker is away."""
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            return int(
                connection.default_channel.queue_declare(queue=queue, passive=True).message_count
            )
    except (OperationalError, ChannelError):
        return 0
