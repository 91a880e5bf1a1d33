"""The default data of `make loop`."""

import json
from collections import Counter

import loop

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

    placed = [
        neighbourhood.place(sketch, near_duplicates.fingerprint(prompt)[:16])
        for prompt, sketch in zip(prompts, near_duplicates.sketches(prompts), strict=True)
    ]

    splits = Counter(placement.cluster.split for placement in placed if placement.cluster)
    assert splits["train"] >= 60
    assert min(splits["validation"], splits["test"]) >= 10
