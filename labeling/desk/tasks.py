"""Celery task of the desk: render texts before raters ask for them."""

from config.celery import short_task
from labeling.desk import precompute


@short_task(time_limit_s=300)
def precompute_texts() -> None:
    """Texts that are rendered already are skipped."""
    precompute.precompute_texts()
