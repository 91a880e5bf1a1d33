"""Celery tasks that compute quality reports."""

from django.utils import timezone

from config.celery import short_task
from labeling.quality import doorbell, selectors, services


@short_task(time_limit_s=1800)
def compute_quality(*, campaign_id: int) -> None:
    """Computing twice gives the same report."""
    services.compute_quality(campaign_id=campaign_id, now=timezone.now())


@short_task(time_limit_s=30)
def ring_quality() -> None:
    """Queues reports for campaigns whose report is behind their judgments."""
    for campaign_id in selectors.stale_quality_ids(now=timezone.now()):
        doorbell.ring_quality(campaign_id)
