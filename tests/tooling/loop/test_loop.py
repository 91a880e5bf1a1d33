"""The default data of `make loop`, and its raters, who share a guideline."""

import itertools
import json
import random
from collections import Counter

import loop
import simulated_raters
from simulated_raters import RATERS

from labeling.splits import near_duplicates
from training.management import demo


def test_the_loop_on_the_demos_own_content_holds_prompts_out_for_every_run() -> None:
    read = [
        json.loads(line)
        for name in loop.OWN_FILES
        for line in (demo.FOLDER / name).read_text().splitlines()
    ]
    prompts = [row.get("messages") or row["prompt"] for row in read]
    neighbourhood = near_duplicates.Neighbourhood()

    wanted = [row.get("split") for row in read]
    placed = [
        neighbourhood.place(sketch, near_duplicates.fingerprint(prompt)[:16])
        for prompt, sketch in zip(prompts, near_duplicates.sketches(prompts), strict=True)
    ]

    splits = Counter(
        split or placement.cluster.split
        for split, placement in zip(wanted, placed, strict=True)
        if placement.cluster
    )
    assert splits["train"] + splits["validation"] >= loop.N_PROMPTS
    assert splits["validation"] >= 10
    assert splits["test"] >= 80


def test_no_two_of_the_demos_prompts_are_nearly_the_same() -> None:
    prompts = [
        row.get("messages") or row["prompt"]
        for name in loop.OWN_FILES
        for row in map(json.loads, (demo.FOLDER / name).read_text().splitlines())
    ]
    neighbourhood = near_duplicates.Neighbourhood()
    names = [
        placement.cluster.name
        for sketch, prompt in zip(near_duplicates.sketches(prompts), prompts, strict=True)
        if (placement := neighbourhood.place(sketch, near_duplicates.fingerprint(prompt)[:16]))
        and placement.cluster
    ]

    assert len(names) == len(prompts)
    assert Counter(names).most_common(1)[0][1] == 1


# --- raters ---------------------------------------------------------------------------------------

PROMPT = "Explain why bread dough rises overnight in a warm kitchen."
ABOUT = "because yeast slowly turns sugar into gas and the and of so it then very quite a lot also"
WORDS = [*PROMPT.lower().split(), *ABOUT.split()]


def responses(n: int) -> list[str]:
    """Some on topic, some with repetitions, some cut off, some long."""
    chance = random.Random(1)
    return [
        " ".join(chance.choices(WORDS, k=chance.randint(8, 45))) + chance.choice(["", "."])
        for _ in range(n)
    ]


def test_every_part_of_the_guideline_matters_to_every_rater() -> None:
    good = "Bread dough rises overnight because yeast turns sugar into gas."
    poorer = {
        "off topic": "Green ideas dance beside my oldest yellow lamp all morning.",
        "repetitive": "Bread dough rises dough rises dough rises overnight overnight overnight.",
        "unfinished": "Bread dough rises overnight because yeast turns sugar into",
        "long": good + " More words of all kinds follow here without adding anything" * 3 + ".",
    }

    for rater in RATERS:
        for text in poorer.values():
            assert rater.score(PROMPT, good) > rater.score(PROMPT, text), (rater.name, text)


def test_two_raters_agree_on_about_seven_pairs_in_ten() -> None:
    chance = random.Random(2)
    agreed = n = 0
    for _ in range(150):
        texts = responses(400)[chance.randrange(390) :][:6]
        one, other = (
            simulated_raters.read_scores(rater, PROMPT, texts, chance)
            for rater in chance.sample(RATERS, 2)
        )
        for left, right in itertools.combinations(range(len(texts)), 2):
            if one[left] != one[right] and other[left] != other[right]:
                n += 1
                agreed += (one[left] > one[right]) == (other[left] > other[right])

    assert 0.6 < agreed / n < 0.85


def test_the_same_rater_with_the_same_seed_reads_the_same() -> None:
    texts = responses(6)

    one, other = (
        simulated_raters.read_scores(RATERS[0], PROMPT, texts, random.Random(3)) for _ in "ab"
    )

    assert one == other
