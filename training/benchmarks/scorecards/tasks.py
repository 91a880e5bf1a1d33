"""Celery tasks of scorecards."""

from django.utils import timezone

from config.celery import short_task
from training.benchmarks.scorecards import overlap, rescoring, services
from training.benchmarks.scorecards.people import scores
from training.models import Run


@services.OVERLAPS
def find_overlap(*, run_id: int) -> None:
    """Notes which items of a benchmark its model was trained on."""
    overlap.note_overlap(run=Run.objects.select_related("base_model").get(pk=run_id))


@rescoring.RESCORING
def rescore(*, run_id: int, scorer: str) -> None:
    """Long for a large suite: each answer is read and scored."""
    run = Run.objects.get(pk=run_id)
    rescoring.rescore(run=run, scorer=scorer, now=timezone.now())


@short_task(time_limit_s=600)
def store_people_scores() -> None:
    scores.store(now=timezone.now())
