"""Celery tasks of schedules and chains: fire what is due, and take each chain to its next step."""

from django.utils import timezone

from config.celery import short_task
from training.processes import doorbell
from training.schedules import accuracy_triggers, chains, selectors, services


@short_task(time_limit_s=60)
def fire_due_schedules() -> None:
    services.fire_due_schedules(now=timezone.now())


@short_task(time_limit_s=3600)
def advance_chain(*, chain_id: int) -> None:
    """Takes a chain as far as it goes by itself. Cutting a large snapshot is what takes time
    here.
    """
    chains.advance_chain(chain_id=chain_id, now=timezone.now())


@short_task(time_limit_s=3600)
def measure(*, firing_id: int) -> None:
    """Cuts what is fresh for a reward model and queues the run that measures it."""
    accuracy_triggers.begin_measuring(firing_id=firing_id, now=timezone.now())


@short_task(time_limit_s=30)
def advance_chains() -> None:
    """Rings for the chains that go on: what a lost ring would have told them, they find out by
    themselves.
    """
    for chain_id in selectors.going_chain_ids():
        doorbell.ring_chain(chain_id)
