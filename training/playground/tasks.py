"""Celery task that answers one message in the playground."""

from config.celery import run_task
from training.playground import playground


@run_task()
def answer_question(*, question: str) -> None:
    playground.answer_question(question=question)
