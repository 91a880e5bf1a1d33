"""Wakes the worker that runs imports. The row is the queue: the beat sends a lost message again."""

from config import broker


def ring_import(import_id: int) -> bool:
    """Sends the import's id; call it after commit. False when the broker is away: the beat sends it
    later.
    """
    return broker.send("labeling.data.imports.tasks.run_import", import_id=import_id)


def ring_clearing(import_id: int) -> bool:
    """Like `ring_import`, to delete the rows of a discarded import."""
    return broker.send("labeling.data.imports.tasks.clear_import", import_id=import_id)
