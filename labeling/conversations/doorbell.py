"""Wakes those who answer turns. The row is the queue: a lost message is sent again by the beat."""

from config import broker


def ring(turn_id: int) -> bool:
    """Send the turn's id; call it after commit. Nothing but the task's name says who answers."""
    return broker.send("training.playground.conversations.tasks.answer_turn", turn_id=turn_id)
