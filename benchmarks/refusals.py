"""How well the refusal classifier does on models that it has not seen.

    python benchmarks/refusals.py [--shipped] [--pyrit pyrit-1.1.0-….whl]
    python benchmarks/refusals.py --train --pyrit pyrit-1.1.0-….whl

Reads XSTest's answers with people's labels from $PREFERABLY_DATA/xstest_labels and leaves one model
out at a time. The penalty and the weight of n-grams are chosen by leaving out one of the remaining
models, so that nothing is chosen on the model that is measured. `binary` counts a partial refusal
as a refusal; `…_with_people` gives the fifth of each model's answers that the classifier is least
sure of to people, whose labels are then right. The last line is JSON.

`--shipped` measures the weights that come with the product instead, of use on models that they were
not trained on. `--train` trains those weights on every model, and writes them with their card.
`--pyrit` measures on another domain: unzipped in place, never installed.
"""

import argparse
import json
import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from arithmetic import intervals  # noqa: E402
from benchmarks.fixtures import command_line  # noqa: E402
from benchmarks.fixtures.refusals import fitting, phrases, sets, writing  # noqa: E402
from benchmarks.fixtures.refusals.fitting import Example, Settings  # noqa: E402
from training.benchmarks.scoring import refusal_strings  # noqa: E402
from training.benchmarks.scoring.refusal import classifier, weights  # noqa: E402
from training.benchmarks.scoring.refusal.labels import COMPLIES, LABELS, PARTLY  # noqa: E402
from training.benchmarks.scoring.refusal.weights import Weights  # noqa: E402

GRID = [Settings(penalty=penalty) for penalty in (0.225, 0.675, 2.0, 6.0)]
N_FOLDS = 5

Models = dict[str, list[sets.Labelled]]
Examples = dict[str, list[Example]]


@dataclass(frozen=True)
class Outcome:
    """What a classifier said of one model's answers."""

    true: list[int]
    said: list[int]
    certainties: list[float]

    def shares(self) -> dict[str, float]:
        """Its accuracy, alone and with people."""
        helped = self.with_people(classifier.least_sure(self.certainties))
        return {
            "binary": self.binary(),
            "three_way": self.three_way(),
            "partial_recall": self.partial_recall(),
            "three_way_with_people": helped.three_way(),
            "partial_recall_with_people": helped.partial_recall(),
        }

    def with_people(self, sent: Sequence[int]) -> "Outcome":
        said = [self.true[i] if i in set(sent) else label for i, label in enumerate(self.said)]
        return replace(self, said=said)

    def binary(self) -> float:
        complies = LABELS.index(COMPLIES)
        return _mean([(t == complies) == (s == complies) for t, s in self._pairs()])

    def three_way(self) -> float:
        return _mean([t == s for t, s in self._pairs()])

    def partial_recall(self) -> float:
        partly = LABELS.index(PARTLY)
        return _mean([s == partly for t, s in self._pairs() if t == partly])

    def _pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.true, self.said, strict=True))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--shipped", action="store_true", help="measure the shipped weights")
    options.add_argument("--train", action="store_true", help="train and write those weights")
    options.add_argument("--pyrit", type=Path, help="the wheel pyrit-1.1.0; --train needs it")
    command_line.add_data(options)
    chosen = options.parse_args()
    if chosen.train and not chosen.pyrit:
        options.error("--train writes the card, and needs --pyrit for its figures elsewhere")
    started = time.monotonic()
    models = sets.xstest(chosen.data / "xstest_labels")
    if not models:
        options.error(f"{chosen.data / 'xstest_labels'} has no .csv files; set PREFERABLY_DATA")
    figures = shipped_figures(models) if chosen.shipped else left_out_figures(models)
    if chosen.train:
        figures["unseen_prompts"] = unseen_prompts(models, figures["chosen_without"])
        writing.write_weights(trained(models, figures["settings"], figures["unsure_below"]))
        classifier.shipped.cache_clear()
        known = shipped_figures(models)
        figures["on_training_data"] = {name: known[name] for name in _FIGURES}
    if chosen.pyrit:
        figures["elsewhere"] = elsewhere_figures(chosen.pyrit, classifier.shipped())
    if chosen.train:
        writing.write_card(figures, sizes=sizes(classifier.shipped()))
    print(json.dumps(figures | {"seconds": round(time.monotonic() - started, 1)}))


def sizes(given: Weights) -> dict[str, int]:
    return {
        "n_signs": len(given.names),
        "n_hashes": len(given.hashes),
        "n_kb": round(weights.SHIPPED.stat().st_size / 1000),
        "n_phrases": len(phrases.labelled()),
    }


def left_out_figures(models: Models) -> dict[str, Any]:
    """Each model measured by a classifier that was trained and set on the others."""
    examples = read(models)
    outcomes, chosen, sent = {}, {}, []
    for model in models:
        others = {name: each for name, each in examples.items() if name != model}
        settings, unsure_below = choose(others)
        trained_on = [each for name in others for each in others[name]]
        outcomes[model] = measured(models[model], fitting.fit(trained_on, settings))
        chosen[model] = vars(settings) | {"unsure_below": round(unsure_below, 3)}
        sent.append(by_threshold(outcomes[model], unsure_below))
    settings, unsure_below = choose(examples)
    return summary(models, outcomes) | {
        "below_threshold": {
            "sent": round(_mean([share for share, _ in sent]), 4),
            "three_way_with_people": round(_mean([accuracy for _, accuracy in sent]), 4),
        },
        "chosen_without": chosen,
        "settings": vars(settings),
        "unsure_below": round(unsure_below, 3),
    }


def unseen_prompts(models: Models, chosen: dict[str, dict[str, float]]) -> dict[str, float]:
    """The same if the model's prompts are left out of the training data as well as the model: what
    was learned about the prompts themselves does not help.
    """
    examples, shares = read(models), []
    for model, rows in models.items():
        others = [each for name in examples if name != model for each in examples[name]]
        outcome = Outcome([], [], [])
        for fold in range(N_FOLDS):
            held = [row for row in rows if hash_of(row.id) % N_FOLDS == fold]
            unseen = {row.prompt for row in held}
            seen = [each for each in others if each.prompt not in unseen]
            settings = Settings(chosen[model]["penalty"], chosen[model]["gain"])
            part = measured(held, fitting.fit(seen, settings))
            outcome = Outcome(
                outcome.true + part.true,
                outcome.said + part.said,
                outcome.certainties + part.certainties,
            )
        shares.append(outcome.shares())
    return {name: round(_mean([each[name] for each in shares]), 4) for name in _FIGURES}


def shipped_figures(models: Models) -> dict[str, Any]:
    """Each model measured by the shipped weights, which may have been trained on it."""
    given = classifier.shipped()
    return summary(models, {model: measured(models[model], given) for model in models})


def elsewhere_figures(wheel: Path, given: Weights) -> dict[str, Any]:
    """Accuracy in telling refusals from answers on PyRIT's labels, and that of string match."""
    figures = {}
    for name in ("refusal", "refusal_extra"):
        rows = sets.pyrit(wheel, name)
        outcome = measured(rows, given)
        strings = [refusal_strings.label(row.text) == LABELS[row.label] for row in rows]
        low, high = intervals.wilson(outcome.binary() * len(rows), len(rows))
        figures[name] = {
            "n": len(rows),
            "binary": round(outcome.binary(), 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "string_match": round(_mean(strings), 4),
        }
    return figures


def read(models: Models) -> Examples:
    return {
        model: [fitting.example(prompt=row.prompt, text=row.text, label=row.label) for row in rows]
        for model, rows in models.items()
    }


def choose(examples: Examples) -> tuple[Settings, float]:
    """The settings that make the labels of a left-out model likeliest, and the certainty that a
    fifth of the left-out answers stays below.
    """
    if len(examples) < 2:
        return Settings(), 0.0
    tried = [(*left_out_loss(examples, settings), settings) for settings in GRID]
    _, certainties, settings = min(tried, key=lambda each: each[0])
    return settings, float(np.quantile(certainties, classifier.SHARE_TO_PEOPLE))


def left_out_loss(examples: Examples, settings: Settings) -> tuple[float, list[float]]:
    losses, certainties = [], []
    for model, rows in examples.items():
        others = [each for name in examples if name != model for each in examples[name]]
        given = fitting.fit(others, settings)
        for row in rows:
            shares = given.of(row.signs, row.n_grams)
            losses.append(-float(np.log(shares[row.label])))
            certainties.append(float(shares[classifier.likeliest(shares)]))
    return _mean(losses), certainties


def trained(models: Models, settings: dict[str, float], unsure_below: float) -> Weights:
    examples = [each for rows in read(models).values() for each in rows]
    found = fitting.fit(examples, Settings(**settings))
    return replace(found, unsure_below=np.array(unsure_below))


def measured(rows: Sequence[sets.Labelled], given: Weights) -> Outcome:
    """What weights say, by the same door as the scorer."""
    said = [classifier.classify(row.text, given) for row in rows]
    return Outcome(
        true=[row.label for row in rows],
        said=[LABELS.index(label) for label, _ in said],
        certainties=[certainty for _, certainty in said],
    )


def by_threshold(outcome: Outcome, unsure_below: float) -> tuple[float, float]:
    """The share of answers below the threshold, and the accuracy if people label those."""
    sent = [i for i, each in enumerate(outcome.certainties) if each < unsure_below]
    return len(sent) / len(outcome.true), outcome.with_people(sent).three_way()


def summary(models: Models, outcomes: dict[str, Outcome]) -> dict[str, Any]:
    """The means over models, each model's own, and string match beside them."""
    by_model = {model: outcome.shares() for model, outcome in outcomes.items()}
    means = {name: _mean([each[name] for each in by_model.values()]) for name in _FIGURES}
    return {
        **{name: round(value, 4) for name, value in means.items()},
        "sent_to_people": classifier.SHARE_TO_PEOPLE,
        "intervals": {name: _interval(models, outcomes, name) for name in ("binary", "three_way")},
        "calibration_error": round(_mean([calibration(each) for each in outcomes.values()]), 4),
        "models": {
            model: {name: round(value, 4) for name, value in each.items()}
            for model, each in by_model.items()
        },
        "string_match": {model: round(string_match(rows), 3) for model, rows in models.items()},
        "n": sum(len(rows) for rows in models.values()),
    }


def string_match(rows: Sequence[sets.Labelled]) -> float:
    """The share of answers in which string match and people agree on whether it refuses."""
    return _mean(
        [
            (refusal_strings.label(row.text) == COMPLIES) == (LABELS[row.label] == COMPLIES)
            for row in rows
        ]
    )


def calibration(outcome: Outcome, n_bins: int = 10) -> float:
    """The expected calibration error of the certainties, in bins of equal width."""
    right = np.array(outcome.true) == np.array(outcome.said)
    certain = np.array(outcome.certainties)
    bins = np.minimum((certain * n_bins).astype(int), n_bins - 1)
    return float(
        sum(
            np.mean(bins == each) * abs(right[bins == each].mean() - certain[bins == each].mean())
            for each in np.unique(bins)
        )
    )


def _interval(models: Models, outcomes: dict[str, Outcome], name: str) -> list[float] | None:
    """By prompt: the answers of several models to one prompt are not independent."""
    complies = LABELS.index(COMPLIES)
    votes, prompts = [], []
    for model, outcome in outcomes.items():
        for row, said in zip(models[model], outcome.said, strict=True):
            right = said == row.label
            if name == "binary":
                right = (said == complies) == (row.label == complies)
            votes.append(float(right))
            prompts.append(hash_of(row.id))
    found = intervals.of_votes(votes, prompts)
    return [round(bound, 4) for bound in found] if found else None


def hash_of(key: str) -> int:
    """A number for a prompt's id, as `intervals` takes them; the same in each run."""
    return zlib.crc32(key.encode())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


_FIGURES = (
    "binary",
    "three_way",
    "partial_recall",
    "three_way_with_people",
    "partial_recall_with_people",
)

if __name__ == "__main__":
    main()
