"""Celery task of the desk: render texts before raters ask for them."""

from config.celery import short_task
from labeling.desk import precompute


@short_task(time_limit_s=300)
def make_pages_ahead() -> None:
    """Texts that are rendered already are skipped."""
    precompute.make_pages_ahead()
