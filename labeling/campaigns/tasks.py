"""Celery tasks of campaigns: refresh cached figures, and warn about pay below the minimum."""

from django.utils import timezone

from config.celery import short_task
from labeling.campaigns import board
from labeling.pay import services as pay_services
from labeling.quality import figure_cache


@figure_cache.REFRESH
def refresh_figures(*, name: str, pk: int) -> None:
    """Recomputes cached figures of a large campaign."""
    board.refresh_figures(name=name, pk=pk, now=timezone.now())


@short_task(time_limit_s=300)
def warn_of_floors() -> None:
    """Each rater is reported once a month."""
    pay_services.warn_of_floors(now=timezone.now())
