"""Celery task of the desk: render texts before raters ask for them."""

from config.celery import short_task
from labeling.desk import precompute


@short_task(time_limit_s=300)
def make_pages_ahead() -> None:
    """What is there already is not made again."""
    precompute.make_pages_ahead()
