"""The Celery tasks of the labeling half: one call each."""

from django.utils import timezone

from config.celery import short_task
from labeling import doorbell, selectors, services
from labeling.selectors import skills


@short_task(time_limit_s=6 * 3600)
def run_import(*, import_id: int) -> None:
    """Answers the doorbell. An import that is not waiting is somebody else's, or done."""
    services.run_import(import_id=import_id, clock=timezone.now)


@short_task(time_limit_s=3600)
def clear_import(*, import_id: int) -> None:
    services.clear_import(import_id=import_id)


@short_task(time_limit_s=30)
def ring_imports() -> None:
    """Rings for imports that wait, whose worker is gone, or whose rows are still to be deleted."""
    for import_id in selectors.waiting_import_ids(now=timezone.now()):
        doorbell.ring_import(import_id)
    for import_id in selectors.uncleared_import_ids():
        doorbell.ring_clearing(import_id)


@short_task(time_limit_s=1800)
def compute_quality(*, campaign_id: int) -> None:
    """Computing twice gives the same report."""
    services.compute_quality(campaign_id=campaign_id, now=timezone.now())


@short_task(time_limit_s=30)
def ring_quality() -> None:
    """Rings for campaigns whose report is behind their judgments."""
    for campaign_id in selectors.stale_quality_ids(now=timezone.now()):
        doorbell.ring_quality(campaign_id)


@short_task(time_limit_s=300)
def renew_figures(*, name: str, pk: int) -> None:
    """Figures of a large campaign, which its pages show as they were kept."""
    selectors.renew_figures(name=name, pk=pk, now=timezone.now())


@short_task(time_limit_s=300)
def make_pages_ahead() -> None:
    """What is there already is not made again."""
    services.make_pages_ahead()


@short_task(time_limit_s=120)
def end_crowd_visits() -> None:
    """Frees the places and items of crowd workers whose time is up; a second run finds none of
    them.
    """
    services.end_expired_visits(now=timezone.now())


@short_task(time_limit_s=60)
def tell_of_judgments() -> None:
    services.tell_of_judgments(now=timezone.now())


@short_task(time_limit_s=300)
def show_topics(*, pool_id: int) -> None:
    """Shown once, a topic stays: a second run adds nothing."""
    services.show_topics(pool_id=pool_id, now=timezone.now())


@short_task(time_limit_s=300)
def warn_of_floors() -> None:
    """A rater's month is told once."""
    services.warn_of_floors(now=timezone.now())


@short_task(time_limit_s=30)
def ring_topics() -> None:
    """Rings for pools in which somebody has judged of late."""
    for pool_id in skills.active_pool_ids(now=timezone.now()):
        doorbell.ring_topics(pool_id)
