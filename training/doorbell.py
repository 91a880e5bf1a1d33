"""Tells the GPU workers that a run is waiting. The row is the queue: a message lost here is sent again by the beat."""

import logging

from kombu.exceptions import ChannelError, OperationalError

from config.celery import app

QUEUE = "gpu"
logger = logging.getLogger(__name__)


def ring(run_id: int) -> bool:
    """Sends the run's id; call it after commit. False when the broker is away: the run stays queued and is rung again later."""
    try:
        with app.connection_for_write() as connection:
            # Once, at once: left to itself kombu keeps a person waiting for six seconds before it gives up.
            connection.ensure_connection(max_retries=1, interval_start=0)
            app.send_task("training.tasks.execute_run", kwargs={"run_id": run_id}, retry=False, connection=connection)
    except OperationalError as problem:
        logger.warning("Run %s is queued, but the broker is away (%s). The beat rings again.", run_id, problem)
        return False
    return True


def ring_chain(chain_id: int) -> None:
    """Lets a chain go on now and not with the next beat; call it after commit."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            app.send_task("training.tasks.advance_chain", kwargs={"chain_id": chain_id}, retry=False, connection=connection)
    except OperationalError as problem:
        logger.warning("Chain %s waits for the beat: the broker is away (%s).", chain_id, problem)


def ring_models(task: str, **what: object) -> bool:
    """Sends a task to the workers that have models at hand; call it after commit. False when the broker is away."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            app.send_task(f"training.tasks.{task}", kwargs=what, retry=False, connection=connection)
    except OperationalError as problem:
        logger.warning("No worker was told of %s: the broker is away (%s).", task, problem)
        return False
    return True


def ring_firing(firing_id: int) -> None:
    """Lets the measurement for a schedule begin now; call it after commit. The beat rings again for one that was lost."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            app.send_task("training.tasks.measure", kwargs={"firing_id": firing_id}, retry=False, connection=connection)
    except OperationalError as problem:
        logger.warning("Measurement %s waits for the beat: the broker is away (%s).", firing_id, problem)


def n_waiting() -> int:
    """Rings that no worker has answered; 0 as well when the broker is away."""
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            return int(connection.default_channel.queue_declare(queue=QUEUE, passive=True).message_count)
    except (OperationalError, ChannelError):
        return 0
