"""The task that answers the turns of conversations."""

from datetime import timedelta

from labeling.conversations import requests
from labeling.conversations.rounds import TURNS
from training.playground.conversations import answering


@TURNS
def answer_turn(*, turn_id: int) -> None:
    answering.answer_turn(turn_id=turn_id)


TURNS.wakes(requests.waiting_turns, every=timedelta(seconds=10))
