"""The raters who were simulated for the demo's recorded site."""

import random

import simulated_raters
from record_demo.raters import CARELESS, OTHERS, PEOPLE

PROMPT = "Explain why bread dough rises overnight in a warm kitchen."
SHORT = "Bread dough rises overnight because yeast turns sugar into gas."
LONG = SHORT + " Bakers often describe many further small details about flour, water and salt." * 4


def test_a_small_group_likes_long_responses_and_the_others_short_ones() -> None:
    likes_long = [one for one in PEOPLE if one.score(PROMPT, LONG) > one.score(PROMPT, SHORT)]

    assert set(likes_long) == set(OTHERS)
    assert len(PEOPLE) == 8


def test_the_careless_rater_does_not_read() -> None:
    chance = random.Random(1)
    read = [
        simulated_raters.read_scores(CARELESS, PROMPT, [SHORT, LONG], chance) for _ in range(400)
    ]

    assert 160 < sum(first > second for first, second in read) < 240
