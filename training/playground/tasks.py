"""The task that answers one message in the playground."""

from training.playground import playground
from training.playground.services import QUESTIONS


@QUESTIONS
def answer_question(*, question: str) -> None:
    playground.answer_question(question=question)
