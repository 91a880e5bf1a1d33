"""Sends the worker a message to run an import. The row is the queue: the beat sends a lost message
again.
"""

from config import broker


def ring_import(import_id: int) -> bool:
    """Queue the task after commit. False when the broker is away; the beat sends it later."""
    return broker.send("labeling.data.imports.tasks.run_import", import_id=import_id)


def ring_clearing(import_id: int) -> bool:
    """Queue the task that deletes the rows of a discarded import."""
    return broker.send("labeling.data.imports.tasks.clear_import", import_id=import_id)
