"""Wakes workers when a run, a chain or a publication is waiting. The database row is the queue: if
a message is lost, Celery beat sends it again.
"""

from config import broker

QUEUE = "gpu"
MODELS_QUEUE = "models"
"""For workers that keep models loaded: they answer in the playground and publish to hubs."""


def ring(run_id: int) -> bool:
    """Sends the run's id; call it after commit. False when the broker is down: the run stays
    queued, and beat sends it later.
    """
    return broker.send("training.runs.tasks.execute_run", run_id=run_id)


def ring_chain(chain_id: int) -> None:
    """Advances a chain now instead of at the next beat; call it after commit."""
    broker.send("training.schedules.tasks.advance_chain", chain_id=chain_id)


def ring_firing(firing_id: int) -> None:
    """Starts a schedule's measurement now instead of at the next beat; call it after commit."""
    broker.send("training.schedules.tasks.measure", firing_id=firing_id)


def ring_publication(publication_id: int) -> bool:
    """Publishes a model; call it after commit. False when the broker is down: beat sends
    it again.
    """
    return broker.send("training.registry.tasks.publish_model", publication_id=publication_id)


def ring_question(question: str) -> bool:
    """Asks a model in the playground; call it after commit. False when the broker is down: nothing
    sends it again.
    """
    return broker.send(
        "training.playground.tasks.answer_question",
        otherwise="The person asks again.",
        question=question,
    )


def n_waiting(queue: str = QUEUE) -> int:
    """Messages that no worker has taken; also 0 when the broker is down."""
    return broker.n_waiting(queue)
