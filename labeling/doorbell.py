"""Tells the workers that an import is waiting. The row is the queue: a message lost here is sent again by the beat."""

import logging

from kombu.exceptions import OperationalError

from config.celery import app

logger = logging.getLogger(__name__)


def ring_import(import_id: int) -> bool:
    """Sends the import's id; call it after commit. False when the broker is away: the beat rings again."""
    return _ring("labeling.tasks.run_import", import_id)


def ring_clearing(import_id: int) -> bool:
    """As `ring_import`, to delete the rows of a discarded import."""
    return _ring("labeling.tasks.clear_import", import_id)


def _ring(task: str, import_id: int) -> bool:
    try:
        app.send_task(task, kwargs={"import_id": import_id}, retry=False)
    except OperationalError as problem:
        logger.warning("Import %s waits, but the broker is away (%s). The beat rings again.", import_id, problem)
        return False
    return True
