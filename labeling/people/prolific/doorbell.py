"""Sends the workers messages about studies and bonuses on Prolific. The rows are the queue: the
beat sends a lost message again.
"""

from config import broker


def ring_study(study_id: int) -> bool:
    """Queue a look at a study."""
    return broker.send("labeling.people.tasks.poll_prolific_study", study_id=study_id)


def ring_bonus(batch_id: int) -> bool:
    """Queue the payment of confirmed bonuses."""
    return broker.send("labeling.people.tasks.send_prolific_bonus", batch_id=batch_id)


def ring_look(batch_id: int) -> bool:
    """Queue a look at whether bonuses were paid."""
    return broker.send("labeling.people.tasks.look_up_prolific_bonus", batch_id=batch_id)
