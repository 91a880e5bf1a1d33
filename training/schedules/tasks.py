"""Celery tasks of schedules and chains: fire what is due, and advance chains."""

from django.utils import timezone

from config.celery import short_task
from training.processes import doorbell
from training.schedules import accuracy_triggers, chains, selectors, services


@short_task(time_limit_s=60)
def fire_due_schedules() -> None:
    services.fire_due_schedules(now=timezone.now())


@short_task(time_limit_s=3600)
def advance_chain(*, chain_id: int) -> None:
    """Creating a large snapshot is what can take long here."""
    chains.advance_chain(chain_id=chain_id, now=timezone.now())


@short_task(time_limit_s=3600)
def measure(*, firing_id: int) -> None:
    """Creates a snapshot of new judgments and queues the run that measures a reward
    model on them.
    """
    accuracy_triggers.start_measurement(firing_id=firing_id, now=timezone.now())


@short_task(time_limit_s=30)
def advance_chains() -> None:
    """Rings for every open chain, in case a message was lost."""
    for chain_id in selectors.going_chain_ids():
        doorbell.ring_chain(chain_id)
