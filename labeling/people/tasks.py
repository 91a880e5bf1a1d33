"""Celery tasks about raters: end expired crowd visits, and update the skills they have shown."""

from django.utils import timezone

from config.celery import short_task
from labeling.people.crowd import services as crowd_services
from labeling.people.skills import doorbell
from labeling.people.skills import selectors as skills_selectors
from labeling.people.skills import services as skills_services


@short_task(time_limit_s=120)
def end_crowd_visits() -> None:
    """Frees the places and items of crowd workers whose time is up. A second run finds none."""
    crowd_services.end_expired_visits(now=timezone.now())


@short_task(time_limit_s=300)
def show_topics(*, pool_id: int) -> None:
    """A topic that was shown stays, so a second run adds nothing."""
    skills_services.show_topics(pool_id=pool_id, now=timezone.now())


@short_task(time_limit_s=30)
def ring_topics() -> None:
    """Queues the task for pools in which somebody has judged lately."""
    for pool_id in skills_selectors.active_pool_ids(now=timezone.now()):
        doorbell.ring_topics(pool_id)
