"""Sends the worker a message to apply a recipe. The row is the queue: the beat sends a lost message
again.
"""

from config import broker


def ring_curation(curation_id: int) -> bool:
    """Call it after commit. False when the broker is down; the beat sends it later."""
    return broker.send("training.snapshots.curation.tasks.run_curation", curation_id=curation_id)
