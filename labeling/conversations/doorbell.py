"""Wakes those who answer turns. The row is the queue: a lost message is sent again by the beat."""

from config import broker
from config.third_party import celery_options


def ring(turn_id: int) -> bool:
    """Send the turn's id; call it after commit."""
    return broker.send(celery_options.ANSWER_TURN, turn_id=turn_id)
