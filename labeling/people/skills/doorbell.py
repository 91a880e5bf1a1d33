"""Wakes the worker that finds which topics raters know."""

from config import broker


def ring_topics(pool_id: int) -> bool:
    """Like `ring_import`, to find which topics a pool's raters know. The beat does so again after
    new judgments.
    """
    return broker.send("labeling.people.tasks.show_topics", pool_id=pool_id)
