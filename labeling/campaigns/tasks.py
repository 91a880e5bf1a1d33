"""Celery tasks of campaigns: cached figures, and warnings about pay below the minimum."""

from django.utils import timezone

from config.celery import short_task
from labeling.campaigns import board
from labeling.pay import services as pay_services


@short_task(time_limit_s=300)
def renew_figures(*, name: str, pk: int) -> None:
    """Figures of a large campaign, which its pages show as they were kept."""
    board.renew_figures(name=name, pk=pk, now=timezone.now())


@short_task(time_limit_s=300)
def warn_of_floors() -> None:
    """A rater's month is told once."""
    pay_services.warn_of_floors(now=timezone.now())
