"""May a reward model's margin be read as a probability, and where is the model right?

usage: python benchmarks/certainty.py [--quick] [--model DIR]     (the last line is JSON; writes
benchmarks/results/certainty.json)

A linear reward on features of texts learns from public pairs: the models' answers of LLMFAO (13
prompts, 59 models) as GPT-4 and as the crowd's majority judged them, and dialogues of HH (a prompt
each) as people did. The features are SmolLM2-135M's mean hidden states (more than half an hour
on two cores), with --quick counts of words. What is measured is the product's own
(training.trainer.reward.certainty and breakdown).

Of LLMFAO a fifth of the prompts, a fifth of the models and a quarter of the other pairs are held
out, five times, so that each pair is once on a new prompt. Of HH half of the pairs are held out.

- `ece_after`: calibration error on new prompts at the temperature of the other half of them: the
  highest of the data where the product says that it is, or is not, calibrated. `by_data` has all of
  them, with the product's verdict and the error before and by chance.
- `accuracy_by`: by data and kind of strangeness: accuracy, interval over prompts, pairs.
- `least_sure`, `most_sure` in `by_data`: accuracy on the tenth of pairs where it is so.
- `auroc_margin`: how well a small margin finds the pairs that it gets wrong (½ is chance).
- `guessing_called_calibrated`: of 200 judges with the same margins and coins for answers, the share
  called calibrated. `guessing_above_chance`: the share that is not called chance.
"""

import argparse
import csv
import gzip
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import torch  # noqa: E402  # offline first

from benchmarks.fixtures import command_line  # noqa: E402
from training.trainer.modeling import loading  # noqa: E402
from training.trainer.reward import breakdown, certainty  # noqa: E402
from training.trainer.reward.rankings import RankingRow  # noqa: E402

N_FOLDS, N_GUESSING, N_WORDS, LONGEST = 5, 200, 2048, 256
HH = ("chosen", "rejected")
STRENGTH = 1e-3
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """The better text first. `prompt` names the prompt, `sources` the models."""

    prompt: str
    context: str
    texts: tuple[str, str]
    sources: tuple[str, str]

    @property
    def row(self) -> RankingRow:
        return {
            "prompt_ids": [],
            "response_ids": [[0] * len(text.split()) for text in self.texts],
            "winner": [0],
            "loser": [1],
            "weight": [1.0],
            "margin": [0.0],
            "about": [{}],
            "prompt": self.prompt,
            "sources": list(self.sources),
        }


@dataclass(frozen=True)
class Split:
    """Which pairs are learned from, and which are held out."""

    learned: Bools
    held_out: Bools


def main() -> None:
    parser = command_line.parser(__doc__, quick="counts of words; one minute")
    command_line.add_model(parser)
    command_line.add_data(parser)
    quick = parser.parse_known_args()[0].quick
    options = parser.parse_args() if quick else command_line.parsed_with_model(parser)
    started = time.monotonic()
    measured = {
        "llmfao_gpt4": of_data(llmfao(options.data, "gpt4"), options, n_folds=N_FOLDS),
        "llmfao_crowd": of_data(llmfao(options.data, "crowd"), options, n_folds=N_FOLDS),
        "hh": of_data(hh(options.data), options, n_folds=0),
    }
    told = [
        each["ece_after"]
        for each in measured.values()
        if each["verdict"] in (certainty.CALIBRATED, certainty.OFF)
    ]
    figures: dict[str, object] = {
        "ece_after": max(told, default=None),
        "auroc_margin": {name: each["auroc_margin"] for name, each in measured.items()},
        "accuracy_by": {name: each.pop("accuracy_by") for name, each in measured.items()},
        "by_data": measured,
        **{
            name: max(each.pop(name) for each in measured.values())
            for name in ("guessing_called_calibrated", "guessing_above_chance")
        },
        "seconds": round(time.monotonic() - started, 1),
        "commit": command_line.commit(),
    }
    command_line.keep("certainty", figures, is_quick=options.quick)


def llmfao(data: Path, judge: str) -> list[Pair]:
    """Pairs that this judge decided; the crowd by its majority."""
    votes: defaultdict[str, int] = defaultdict(int)
    with (data / f"llmfao_{judge}_comparisons.csv").open(encoding="utf-8", newline="") as file:
        for vote in csv.DictReader(file):
            votes[vote["id"]] += {"left": 1, "right": -1, "tie": 0}[vote["winner"]]
    pairs = []
    for line in (data / "llmfao_pairs.jsonl").read_text(encoding="utf-8").split("\n"):
        row: dict[str, Any] = json.loads(line) if line else {"id": ""}
        if ahead := votes[str(row["id"])]:
            sides = [(row[f"result_{side}"], str(row[f"model_{side}"])) for side in "xy"]
            (better, model), (worse, other) = sides if ahead > 0 else sides[::-1]
            pairs.append(Pair(str(row["prompt"]), row["text"], (better, worse), (model, other)))
    return pairs


def hh(data: Path) -> list[Pair]:
    pairs = []
    with gzip.open(data / "hh_harmless_base_test.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            parts = [json.loads(line)[name].rpartition("\n\nAssistant:") for name in HH]
            (context, _marker, chosen), (other_context, _marker, rejected) = parts
            if context == other_context and chosen != rejected:
                pairs.append(Pair(context, context, (chosen, rejected), ("hh", "hh")))
    return pairs


# --- splits ---------------------------------------------------------------------------------------


def splits(pairs: Sequence[Pair], n_folds: int) -> Iterator[Split]:
    """Without folds, half of the prompts is held out."""
    random = np.random.default_rng(0)
    prompts, models = (
        dict(zip(random.permutation(sorted(names)), range(len(names)), strict=True))
        for names in (
            {pair.prompt for pair in pairs},
            {source for pair in pairs for source in pair.sources},
        )
    )
    prompt = np.array([prompts[pair.prompt] for pair in pairs])
    if not n_folds:
        yield Split(prompt % 2 == 0, prompt % 2 == 1)
        return
    model = np.array([[models[source] for source in pair.sources] for pair in pairs])
    for fold in range(n_folds):
        is_new = (prompt % n_folds == fold) | (model % n_folds == fold).any(axis=1)
        learned = ~is_new & (random.random(len(pairs)) < 0.75)
        yield Split(learned, ~learned)


# --- a linear reward ------------------------------------------------------------------------------


def features(pairs: Sequence[Pair], options: argparse.Namespace) -> Floats:
    """(pairs, features): of the better text minus of the worse."""
    texts = list(dict.fromkeys((pair.context, text) for pair in pairs for text in pair.texts))
    place = {key: number for number, key in enumerate(texts)}
    if options.quick:
        counts = HashingVectorizer(n_features=N_WORDS, norm=None, alternate_sign=False)
        values = np.log1p(counts.transform([text for _context, text in texts]).toarray())
        length = np.log1p([[len(text)] for _context, text in texts])
        values = np.hstack([values, length])
    else:
        values = hidden(texts, options.model)
    better, worse = (
        values[[place[pair.context, pair.texts[side]] for pair in pairs]] for side in (0, 1)
    )
    difference: Floats = better - worse
    return difference / (difference.std(axis=0) + 1e-9)


def hidden(texts: Sequence[tuple[str, str]], model: Path) -> Floats:
    """The mean of the last hidden states over each text, after its context."""
    tokenizer = loading.load_tokenizer(str(model))
    policy = loading.load_policy(str(model), tokenizer, torch.float32).eval()
    means = []
    for context, text in texts:
        before, ids = (
            tokenizer(part, add_special_tokens=False).input_ids for part in (context, text)
        )
        ids = ids[:LONGEST] or [tokenizer.eos_token_id]
        before = before[max(0, len(before) + len(ids) - LONGEST) :]
        with torch.no_grad():
            states = policy.model(torch.tensor([before + ids])).last_hidden_state[0]
        means.append(states[-len(ids) :].mean(dim=0).double().numpy())
    return np.array(means)


def margins_of(difference: Floats, learned: Bools) -> Floats:
    """Of all pairs, by a head that learned from some: it sees each pair in both directions."""
    seen = difference[learned]
    head = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=2000)
    head.fit(np.vstack([seen, -seen]), np.repeat([1, 0], len(seen)))
    margins: Floats = difference @ head.coef_[0]
    return margins


# --- figures --------------------------------------------------------------------------------------


def of_data(pairs: Sequence[Pair], options: argparse.Namespace, *, n_folds: int) -> dict[str, Any]:
    difference = features(pairs, options)
    groups: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    number = {name: at for at, name in enumerate(sorted({pair.prompt for pair in pairs}))}
    for split in splits(pairs, n_folds):
        margins = margins_of(difference, split.learned)
        learned = breakdown.learned_from(
            pair.row for pair, is_learned in zip(pairs, split.learned, strict=True) if is_learned
        )
        for at in np.flatnonzero(split.held_out).tolist():
            scored = (float(margins[at]), number[pairs[at].prompt])
            for kind in breakdown.strangeness(pairs[at].row, (0, 1), learned):
                groups[kind].append(scored)
    found = figures_of(groups[breakdown.NEW_PROMPT])
    found["accuracy_by"] = {
        kind: _shown(breakdown.accuracy(groups[kind]))
        for kind in breakdown.STRANGENESS
        if len(groups[kind]) >= breakdown.FEWEST_STRANGE
    }
    return found


def figures_of(held_out: Sequence[tuple[float, int]]) -> dict[str, Any]:
    margins, prompts = (list(column) for column in zip(*held_out, strict=True))
    measured = certainty.metrics(margins, prompts)
    sureness: Any = measured["certainty"]
    random = np.random.default_rng(1)
    verdicts: list[str] = []
    for _judge in range(N_GUESSING):
        signs = random.choice([-1.0, 1.0], len(margins))
        guessed: Any = certainty.metrics((signs * np.abs(margins)).tolist(), prompts)
        verdicts.append(guessed["certainty"]["verdict"])
    return {
        "verdict": sureness["verdict"],
        "pairs": len(margins),
        "temperature": _rounded(measured["temperature"]),
        **{name: _rounded(sureness[name]) for name in ("ece_before", "ece_after", "ece_by_chance")},
        **{name: _shown(sureness[name]) for name in ("least_sure", "most_sure")},
        "auroc_margin": auroc(np.array(margins)),
        "guessing_called_calibrated": verdicts.count(certainty.CALIBRATED) / N_GUESSING,
        "guessing_above_chance": round(1 - verdicts.count(certainty.CHANCE) / N_GUESSING, 4),
    }


def auroc(margins: Floats) -> float:
    """How often a pair that it gets right has a larger margin than one it gets wrong."""
    right = margins > 0
    ranks = rankdata(np.abs(margins))
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    larger = ranks[right].sum() - n_right * (n_right + 1) / 2
    return round(float(larger / (n_right * n_wrong)), 3)


def _shown(measured: breakdown.Accuracy) -> dict[str, float | None]:
    low, high = (
        None if end is None else round(end, 3) for end in (measured["low"], measured["high"])
    )
    share = round(measured["accuracy"], 3)
    return {"accuracy": share, "low": low, "high": high, "n": measured["n"]}


def _rounded(value: Any) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    main()
