"""Writes the files of a snapshot, and says why one would be empty."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from training.processes import run_dir
from training.snapshots.contents.snapshot_card import CardTally, Row

DEMONSTRATIONS = "demonstrations.jsonl"


def write(rows: Iterable[Row], folder: Path) -> CardTally:
    tally = CardTally()
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {
            split: stack.enter_context((folder / f"{split}.jsonl").open("wb"))
            for split in run_dir.SPLITS
        }
        for row in rows:
            files[row.split].write(
                json.dumps(row.content, ensure_ascii=False, sort_keys=True).encode() + b"\n"
            )
            tally.add(row)
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    return tally


def write_demonstrations(chosen: list[Row], folder: Path, tally: CardTally) -> None:
    """A reward model learns from them, so the tally counts them too."""
    lines = [json.dumps(row.content, ensure_ascii=False, sort_keys=True) + "\n" for row in chosen]
    run_dir.write_atomically(folder / DEMONSTRATIONS, "".join(lines))
    tally.add_demonstrations(chosen)


def empty_sentence(kind: str, left_out: Counter[str]) -> str:
    """Why there is nothing to learn from; `kind` may also be `responses`, of sampling runs, or
    `votes` on responses.
    """
    sentence = {
        "demonstrations": _(
            "There are no demonstrations to learn from. Collect or import some, or widen the"
            " filters."
        ),
        "comparisons": _(
            "There are no decided pairs to learn from: no comparison ranks one response above"
            " another. Collect or import some, or widen the filters."
        ),
        "unpaired": _(
            "There are no responses that somebody called good or bad: no rankings, ratings of"
            " single responses, or imported labels. Collect or import some, or widen the filters."
        ),
        "responses": _(
            "The sampling run has no responses to learn from. Wait until it ends, or choose"
            " another."
        ),
        "votes": _(
            "There are no responses to learn from: raters clearly prefer none. Wait until they have"
            " ranked more, or choose another campaign."
        ),
        "prompts": _(
            "No prompts remain after setting aside those for evaluation. Import prompts, or widen"
            " the filters."
        ),
    }[kind]
    if left_out:
        sentence += " " + _("Left out: %(reasons)s.") % {
            "reasons": ", ".join(f"{n} × {why}" for why, n in left_out.most_common())
        }
    return sentence
