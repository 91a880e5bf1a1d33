"""Celery tasks that answer the turns of conversations."""

from django.utils import timezone

from config.celery import run_task, short_task
from labeling.conversations import doorbell, requests
from training.playground.conversations import answering


@run_task()
def answer_turn(*, turn_id: int) -> None:
    answering.answer_turn(turn_id=turn_id)


@short_task(time_limit_s=30)
def ring_turns() -> None:
    """Rings again for turns whose message was lost or whose worker has died."""
    for turn_id in requests.waiting_turns(now=timezone.now()):
        doorbell.ring(turn_id)
