"""Sends the worker a message to find which topics raters know."""

from config import broker


def ring_topics(pool_id: int) -> bool:
    """Queue the task for a pool. The beat does so again after new judgments."""
    return broker.send("labeling.people.tasks.show_topics", pool_id=pool_id)
