"""Tells the workers that an import is waiting, or that quality is to be computed. Rows are the
queue: the beat sends again.
"""

import logging

from kombu.exceptions import OperationalError

from config.celery import app

logger = logging.getLogger(__name__)


def ring_import(import_id: int) -> bool:
    """Sends the import's id; call it after commit. False when the broker is away: the beat rings
    again.
    """
    return _ring("labeling.tasks.run_import", import_id=import_id)


def ring_clearing(import_id: int) -> bool:
    """As `ring_import`, to delete the rows of a discarded import."""
    return _ring("labeling.tasks.clear_import", import_id=import_id)


def ring_quality(campaign_id: int) -> bool:
    """As `ring_import`, to compute a campaign's quality anew. The beat rings again only when there
    are new judgments.
    """
    return _ring("labeling.tasks.compute_quality", campaign_id=campaign_id)


def ring_topics(pool_id: int) -> bool:
    """As `ring_import`, to see which topics a pool's raters have shown to know. The beat rings
    again after new judgments.
    """
    return _ring("labeling.tasks.show_topics", pool_id=pool_id)


def ring_figures(name: str, pk: int) -> bool:
    """To make the figures `name` of a campaign anew (labeling.selectors.kept). Who looks next rings
    again.
    """
    return _ring("labeling.tasks.renew_figures", name=name, pk=pk)


def _ring(task: str, **ids: int | str) -> bool:
    try:
        app.send_task(task, kwargs=ids, retry=False)
    except OperationalError as problem:
        logger.warning(
            "%s of %s waits, but the broker is away (%s). The beat rings again.", task, ids, problem
        )
        return False
    return True
