"""Celery tasks of scorecards."""

from config.celery import short_task
from training.benchmarks.scorecards import overlap
from training.models import Run


@short_task(time_limit_s=1800)
def find_overlap(*, run_id: int) -> None:
    """Notes which items of a benchmark its model was trained on."""
    overlap.note_overlap(run=Run.objects.select_related("base_model").get(pk=run_id))
