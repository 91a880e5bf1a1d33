"""Celery tasks of schedules and chains: fire what is due, and advance chains."""

from datetime import timedelta

from django.utils import timezone

from config.celery import short_task
from training.processes.messages import CHAINS
from training.schedules import accuracy_triggers, chains, selectors, services


@short_task(time_limit_s=60)
def fire_due_schedules() -> None:
    services.fire_due_schedules(now=timezone.now())


@CHAINS
def advance_chain(*, chain_id: int) -> None:
    """Creating a large snapshot is what can take long here."""
    chains.advance_chain(chain_id=chain_id, now=timezone.now())


@accuracy_triggers.MEASUREMENTS
def measure(*, firing_id: int) -> None:
    """Creates a snapshot of new judgments and queues the run that measures a reward
    model on them.
    """
    accuracy_triggers.start_measurement(firing_id=firing_id, now=timezone.now())


CHAINS.wakes(selectors.going_chain_ids, every=timedelta(seconds=30))
