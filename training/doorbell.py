"""Tells the workers that a run, a chain or a publication is waiting. The row is the queue: the beat
sends a lost message again.
"""

from config import broker

QUEUE = "gpu"


def ring(run_id: int) -> bool:
    """Sends the run's id; call it after commit. False when the broker is away: the run stays queued
    and the beat sends it later.
    """
    return broker.send("training.tasks.execute_run", run_id=run_id)


def ring_chain(chain_id: int) -> None:
    """Moves a chain on now instead of with the next beat; call it after commit."""
    broker.send("training.tasks.advance_chain", chain_id=chain_id)


def ring_firing(firing_id: int) -> None:
    """Starts the measurement for a schedule now instead of with the next beat; call it after
    commit.
    """
    broker.send("training.tasks.measure", firing_id=firing_id)


def ring_models(task: str, **ids: object) -> bool:
    """Sends a task to the workers that hold models; call it after commit. False when the broker is
    away.

    The beat sends a publication again; a person asks their question again.
    """
    return broker.send(f"training.tasks.{task}", otherwise="No worker knows of it.", **ids)


def n_waiting(queue: str = QUEUE) -> int:
    """Messages that no worker has taken; 0 as well when the broker is away."""
    return broker.n_waiting(queue)
