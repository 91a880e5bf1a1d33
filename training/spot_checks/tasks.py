"""Celery tasks of spot checks."""

from django.utils import timezone

from config.celery import short_task
from training.spot_checks import services


@short_task(time_limit_s=120)
def advance_spot_checks() -> None:
    """Asks raters about the next checkpoint of each run, and notes what they have said."""
    services.advance_all(now=timezone.now())
