"""Cross-validation over raters: is a reward model as accurate for raters it has never seen as for
those it was trained on?

InstructGPT (Ouyang 2022, §4.1) split its labelers into five groups and found 69.6 % against 72.4 %.
Both are measured on prompts that no fold trains on; the only difference is whose judgments they
are.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, stdev
from typing import TypedDict

from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.data import Row
from training.trainer.reward import breakdown
from training.trainer.reward.rankings import RankingRow

N_FOLDS = 5


class Fold(TypedDict):
    """What folds.json has of each: accuracy for raters whom it has not seen, and for the others."""

    n_raters: int
    unseen: breakdown.Accuracy
    seen: breakdown.Accuracy


Learn = Callable[[frozenset[str]], list[float] | None]
"""Trains without these raters. Returns the resulting model's margins of the held-out pairs, or None
if the run was stopped.
"""


def folds(rows: Iterable[Row]) -> list[frozenset[str]]:
    """Five groups of raters with about the same number of rankings, always the same groups. Empty
    for fewer than five raters.
    """
    counts = Counter(str(row["rater"]) for row in rows if row.get("rater"))
    if len(counts) < N_FOLDS:
        return []
    groups: list[set[str]] = [set() for _fold in range(N_FOLDS)]
    sizes = [0] * N_FOLDS
    for rater, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        smallest = sizes.index(min(sizes))
        groups[smallest].add(rater)
        sizes[smallest] += n
    return [frozenset(group) for group in groups]


def cross_validated(
    folder: RunFolder,
    rows: Sequence[Row],
    held_out: Sequence[RankingRow],
    learn: Learn,
) -> dict[str, object]:
    """Trains the folds one after another and returns their metrics. Folds that an earlier attempt
    measured are not trained again.
    """
    groups, pairs = folds(rows), breakdown.pairs_of(held_out)
    if not groups:
        folder.append_note(
            f"No cross-validation: fewer than {N_FOLDS} raters have ranked training items."
        )
        return {}
    if not any(pair.about.get("rater") in group for pair in pairs for group in groups):
        folder.append_note(
            "No cross-validation: no rater in the training data has a held-out pair."
        )
        return {}
    path = folder.path / run_dir.FOLDS
    done: list[Fold] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    for group in groups[len(done) :]:
        margins = learn(group)
        if margins is None:
            folder.append_note(f"Cross-validation stopped after {len(done)} of {N_FOLDS} folds.")
            return {}
        done.append(_measured(margins, pairs, group, frozenset().union(*groups) - group))
        run_dir.write_json(path, done)
        folder.append_note(_sentence(len(done), done[-1]))
    return summary(done)


def summary(done: Sequence[Fold]) -> dict[str, object]:
    """Mean and standard deviation over the folds that have a pair, and each single fold."""
    record: dict[str, object] = {"cross_validation": list(done)}
    measured = {
        "unseen": [fold["unseen"] for fold in done],
        "seen": [fold["seen"] for fold in done],
    }
    for name, accuracies in measured.items():
        shares = [accuracy["accuracy"] for accuracy in accuracies if accuracy["n"]]
        if shares:
            record[f"{name}_raters_accuracy"] = fmean(shares)
            record[f"{name}_raters_spread"] = stdev(shares) if len(shares) > 1 else 0.0
    return record


def _measured(
    margins: Sequence[float],
    pairs: Sequence[breakdown.Pair],
    unseen: frozenset[str],
    seen: frozenset[str],
) -> Fold:
    def of(raters: frozenset[str]) -> breakdown.Accuracy:
        return breakdown.accuracy(
            [
                (margin, pair.prompt)
                for pair, margin in zip(pairs, margins, strict=True)
                if pair.about.get("rater") in raters
            ]
        )

    return {"n_raters": len(unseen), "unseen": of(unseen), "seen": of(seen)}


def _sentence(number: int, fold: Fold) -> str:
    unseen, seen = fold["unseen"], fold["seen"]
    return (
        f"Fold {number} of {N_FOLDS}, without {fold['n_raters']} raters: accuracy"
        f" {unseen['accuracy']:.1%} on their {unseen['n']} held-out pairs,"
        f" {seen['accuracy']:.1%} on the {seen['n']} of the other raters."
    )
