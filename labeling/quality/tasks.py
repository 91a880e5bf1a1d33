"""The task that computes quality reports, for campaigns whose report is behind their judgments."""

from datetime import timedelta

from django.utils import timezone

from labeling.quality import selectors, services
from labeling.quality.services import QUALITY


@QUALITY
def compute_quality(*, campaign_id: int) -> None:
    """Computing twice gives the same report."""
    services.compute_quality(campaign_id=campaign_id, now=timezone.now())


QUALITY.wakes(selectors.stale_quality_ids, every=timedelta(minutes=3))
