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
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fixtures.attacks.simulated_attacks import Attacks, Drawn, drawn
from training.benchmarks.statistics import attack_success
from training.benchmarks.statistics.attack_success import Rates, Share

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


def _all_alike(rate: float) -> Drawn:
    answers = [bool(rate)] * 120
    return Drawn(answers, [*answers[:30], *[None] * 90], list(range(120)))


if __name__ == "__main__":
    main()
