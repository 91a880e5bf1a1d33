"""Attack success with a detector that makes mistakes: how often its interval contains the truth.

    python benchmarks/attack.py [--quick] [--runs 2000]

Each run draws attacks on 100 goals, 12 answers each. A fifth of them succeed; the detector has a
sensitivity of .9 and a specificity of .7, and people judged a random 100 answers. The last line is
JSON:

    coverage                share of runs whose interval, corrected by the labels, contains the
                            true rate (aim .95)
    coverage_known_rates    the same, corrected by sensitivity and specificity, which were measured
                            on 300 other answers in each run
    coverage_uncorrected    the same for what the detector says
    width, width_known_rates, width_uncorrected    mean widths of these intervals
    zero_width              intervals of width zero; some runs are of attacks of which none or all
                            succeed, and these count here only

Then one real attack: the run kind `attack` in its child process, with the goals that come with the
product, against a model on an HTTP server that gives in to a fifth of the attempts. The refusal
classifier judges them, and it makes the same mistakes; a random 100 get their true label.

    attempts, n_goals       how many were made and answered
    seconds_run             of the child process
    true, seen              share of attempts that the model gave in to; that the classifier found
    corrected, low, high    the estimate with the labels
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fixtures.attacks.attacked_model import GAVE_IN, attacked_model
from benchmarks.fixtures.attacks.simulated_attacks import Attacks, Drawn, drawn
from training.benchmarks.scoring.refusal import classifier
from training.benchmarks.scoring.refusal.labels import COMPLIES
from training.benchmarks.statistics import attack_success
from training.benchmarks.statistics.attack_success import Rates, Share
from training.configs import kinds
from training.configs.evaluation.attack import AttackConfig
from training.processes import run_dir
from training.processes.run_dir import Job

ROOT = Path(__file__).resolve().parent.parent
GOALS = ROOT / "training/benchmarks/suites/shipped/attack-goals/items.jsonl"
ATTACKS = Attacks()
N_QUICK = 400
N_POSITIVE, N_NEGATIVE = 100, 200


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{N_QUICK} runs")
    parser.add_argument("--runs", type=int, default=2_000)
    options = parser.parse_args()
    started, rng = time.monotonic(), np.random.default_rng(20261128)
    found: dict[str, list[Share]] = {}
    for _run in range(N_QUICK if options.quick else options.runs):
        for name, share in _estimates(drawn(rng, ATTACKS), rng).items():
            found.setdefault(name, []).append(share)
    figures: dict[str, float] = {}
    for name, shares in found.items():
        n_covered = sum(one.low <= ATTACKS.rate <= one.high for one in shares)
        figures[f"coverage{name}"] = round(n_covered / len(shares), 4)
    for name, shares in found.items():
        width = statistics.mean(one.high - one.low for one in shares)
        figures[f"width{name}"] = round(width, 3)
    ends = [one for rate in (0.0, 1.0) for one in _estimates(_all_alike(rate), rng).values()]
    every = [*ends, *(one for shares in found.values() for one in shares)]
    figures["zero_width"] = sum(one.low == one.high for one in every)
    figures |= _real_attack(rng)
    print(json.dumps(figures | {"seconds": round(time.monotonic() - started, 1)}))


def _estimates(attacks: Drawn, rng: np.random.Generator) -> dict[str, Share]:
    rates = Rates(
        sensitivity=rng.binomial(N_POSITIVE, ATTACKS.sensitivity) / N_POSITIVE,
        specificity=rng.binomial(N_NEGATIVE, ATTACKS.specificity) / N_NEGATIVE,
        n_positive=N_POSITIVE,
        n_negative=N_NEGATIVE,
    )
    estimates = {
        "": attack_success.by_labels(attacks.found, attacks.labels, attacks.goals),
        "_known_rates": attack_success.by_rates(attacks.found, attacks.goals, rates),
        "_uncorrected": attack_success.uncorrected(attacks.found, attacks.goals),
    }
    return {name: share for name, share in estimates.items() if share is not None}


def _real_attack(rng: np.random.Generator) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as path, attacked_model() as model:
        started = time.monotonic()
        rows = _attempts(Path(path), model.url)
        seconds = time.monotonic() - started
    found = [classifier.classify(row["text"], classifier.shipped())[0] == COMPLIES for row in rows]
    truth = [row["text"] in GAVE_IN for row in rows]
    labels: list[bool | None] = [None] * len(rows)
    for place in rng.choice(len(rows), ATTACKS.n_labelled, replace=False):
        labels[place] = truth[place]
    share = attack_success.by_labels(found, labels, [row["item"] for row in rows])
    assert share is not None
    return {
        "attempts": len(rows),
        "n_goals": len({row["item"] for row in rows}),
        "seconds_run": round(seconds, 1),
        "true": round(statistics.mean(truth), 3),
        "seen": round(statistics.mean(found), 3),
        "corrected": round(share.share, 3),
        "low": round(share.low, 3),
        "high": round(share.high, 3),
    }


def _attempts(path: Path, url: str) -> list[dict[str, Any]]:
    """The rows that the child process stores."""
    snapshot, folder = path / "snapshot", path / "run"
    snapshot.mkdir()
    goals = [json.loads(line) for line in GOALS.read_text(encoding="utf-8").splitlines()]
    rows = [
        {
            "id": f"item-{number}",
            "item": number,
            "suite": 1,
            "kind": "generate",
            "options": {},
            "key": goal["id"],
            "prompt": [{"role": "user", "content": goal["prompt"]}],
            "wants": goal["wants"],
        }
        for number, goal in enumerate(goals)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (snapshot / "test.jsonl").write_text(text, encoding="utf-8")
    job = Job(
        kind="attack",
        run_id=1,
        attempt=1,
        config=kinds.as_json(AttackConfig()),
        model=url,
        snapshot=str(snapshot),
        endpoint=(url, "attacked", ""),
        threads=len(os.sched_getaffinity(0)),
    )
    run_dir.write_job(folder, job)
    command = [sys.executable, "-m", "training.trainer", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
    return list(run_dir.read_lines(folder / run_dir.ANSWERS))


def _all_alike(rate: float) -> Drawn:
    answers = [bool(rate)] * 120
    return Drawn(answers, [*answers[:30], *[None] * 90], list(range(120)))


if __name__ == "__main__":
    main()
