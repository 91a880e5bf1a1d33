"""Do the product's flags find planted bad raters, and does weighting by reliability beat the
majority?

    python benchmarks/raters.py [--quick] [--seeds 101 102 103]

A hundred simulated raters rank 2,000 items with K = 4, three raters each, and 40 calibration items
that all of them rank: 100 rankings per rater. Honest raters order a pair correctly in 75 % of
cases. Twenty-nine raters are planted and follow their habit in 70 % of their rankings (otherwise
they are honest): 10 answer at random, 5 put the response shown first on top, 5 rank by length, 4
get the same items as a colleague and later submit the colleague's ranking, and 5 answer at random
after an hour in one session. Longer responses are slightly better (correlation 0.2), as they often
are.

The thresholds (`labeling.statistics.bias.flagging.THRESHOLDS`) were chosen on seeds 1 to 16
(`--tuning`) and fixed before seeds 101 to 103 were run. A rater is found if any flag names them.
The last line is JSON; `weighted_vs_majority_gain` is the gain in accuracy on the pairs of the 2,000
items, in percentage points.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labeling.statistics.agreement import pairs as agreement_pairs
from labeling.statistics.bias import flagging
from labeling.statistics.bias.judgment_table import Rankings
from labeling.statistics.consensus import reliability, votes

N_RATERS, N_ITEMS, K, OVERLAP, N_CALIBRATION = 100, 2_000, 4, 3, 40
EACH = N_ITEMS * OVERLAP // N_RATERS
PLANTED = {"chance": 10, "first": 5, "longer": 5, "copy": 4, "tires": 5}
HABIT = 0.7
SEEN = tuple(range(1, 17))
UNSEEN = (101, 102, 103)


@dataclass(frozen=True)
class Pool:
    habit: list[str]
    """by rater; "" is honest"""
    quality: np.ndarray
    """(items, K)"""
    rankings: Rankings


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="one seed")
    options.add_argument("--seeds", type=int, nargs="+", default=list(UNSEEN))
    options.add_argument(
        "--tuning", action="store_true", help="the seeds that thresholds were chosen on"
    )
    chosen = options.parse_args()
    seeds = list(SEEN) if chosen.tuning else chosen.seeds
    start = time.perf_counter()
    results = [measure(seed) for seed in (seeds[:1] if chosen.quick else seeds)]
    found, flagged, planted = (
        sum(result[name] for result in results) for name in ("found", "flagged", "planted")
    )
    summary = {
        "precision": round(found / max(1, flagged), 4),
        "recall": round(found / planted, 4),
        "weighted_vs_majority_gain": round(
            float(np.mean([result["gain"] for result in results])), 3
        ),
        "worst_precision": round(
            min(result["found"] / max(1, result["flagged"]) for result in results), 4
        ),
        "worst_recall": round(min(result["found"] / result["planted"] for result in results), 4),
        "seeds": [result["seed"] for result in results],
        "seconds": round(time.perf_counter() - start, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": (
            subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
            ).stdout.strip()
        ),
    }
    print(json.dumps(summary))


def measure(seed: int) -> dict[str, float]:
    pool = simulate(seed)
    flags = flagging.flags(pool.rankings)
    flagged = {flag.rater for flag in flags}
    planted = {rater for rater, habit in enumerate(pool.habit) if habit}
    majority, weighted, posterior = accuracies(pool)
    print(
        f"seed {seed}: flagged {len(flagged)}, planted {len(planted)}, found"
        f" {len(flagged & planted)}; pairs right: majority {majority:.2f} %, by reliability"
        f" {weighted:.2f} %, one-coin {posterior:.2f} %"
    )
    for habit in PLANTED:
        whom = {rater for rater, its in enumerate(pool.habit) if its == habit}
        named = {flag.rater for flag in flags if flag.kind == habit}
        print(
            f"  {habit}: {len(whom & named)} of {len(whom)} by this flag, {len(whom & flagged)}"
            " by any"
        )
    for flag in flags:
        if flag.rater not in planted:
            print(f"  honest, but flagged: {flag.kind}: {flag.value:.2f} of {flag.n}")
    return {
        "seed": seed,
        "found": len(flagged & planted),
        "flagged": len(flagged),
        "planted": len(planted),
        "gain": weighted - majority,
    }


def simulate(seed: int) -> Pool:
    random = np.random.default_rng(seed)
    habit = [name for name, n in PLANTED.items() for _ in range(n)]
    habit += [""] * (N_RATERS - len(habit))
    habit = [habit[at] for at in random.permutation(N_RATERS)]
    honest = [rater for rater, name in enumerate(habit) if not name]
    copiers = [rater for rater, name in enumerate(habit) if name == "copy"]
    colleague = dict(
        zip(copiers, random.choice(honest, len(copiers), replace=False).tolist(), strict=True)
    )
    n_items = N_ITEMS + N_CALIBRATION
    quality = random.standard_normal((n_items, K))
    chars = np.exp(
        6.3 + 0.5 * (0.2 * quality + np.sqrt(1 - 0.2**2) * random.standard_normal((n_items, K)))
    ).round()
    queues = deal(random, colleague)
    rows: list[tuple[np.ndarray, ...]] = []
    handed_in: dict[tuple[int, int], np.ndarray] = {}
    when: dict[int, np.ndarray] = {}
    for rater in sorted(
        range(N_RATERS), key=lambda rater: rater in colleague
    ):  # colleagues before those who copy them
        queue = queues[rater] if rater not in colleague else queues[colleague[rater]]
        active = np.exp(
            np.log(140) + 0.35 * random.standard_normal() + 0.5 * random.standard_normal(len(queue))
        )
        at = (
            clock(random, active)
            if rater not in colleague
            else when[colleague[rater]] + random.uniform(300, 900)
        )
        when[rater] = at
        minutes = flagging.minutes_in_sitting(at, 1_800)
        for step, item in enumerate(queue.tolist()):
            shown = random.permutation(K)
            score = quality[item] + random.standard_normal(
                K
            )  # noise with the spread of quality: 75 % of pairs right
            if random.random() < HABIT:
                copied = handed_in.get((colleague.get(rater, -1), item))
                score = by_habit(
                    random, habit[rater], score, shown, chars[item], minutes[step], copied
                )
            handed_in[rater, item] = score
            ranks = (-score).argsort().argsort() + 1
            whole = np.full(K, len(rows))
            rows.append(
                (whole, np.full(K, item), np.full(K, rater), item * K + np.arange(K), ranks,
                 shown.argsort(), chars[item], np.full(K, at[step]), np.full(K, active[step]))
            )  # fmt: skip
    return Pool(
        habit,
        quality,
        Rankings(*(np.concatenate(column) for column in zip(*rows, strict=True))),
    )


def by_habit(
    random: np.random.Generator,
    habit: str,
    honest: np.ndarray,
    shown: np.ndarray,
    chars: np.ndarray,
    minutes: float,
    copied: np.ndarray | None,
) -> np.ndarray:
    """The scores that a rater's habit gives instead of honest ones."""
    if habit == "chance" or (habit == "tires" and minutes > 60):
        return random.standard_normal(K)
    if habit == "first":
        score = honest.copy()
        score[shown[0]] = honest.max() + 1
        return score
    if habit == "longer":
        return chars
    if habit == "copy":
        assert copied is not None
        return copied
    return honest


def deal(random: np.random.Generator, colleague: dict[int, int]) -> dict[int, np.ndarray]:
    """Which rater gets which items: three raters per item, sixty items per rater, mixed with the
    calibration items.
    """
    copied = sorted(colleague.values())
    others = [rater for rater in range(N_RATERS) if rater not in colleague and rater not in copied]
    items = random.permutation(N_ITEMS)
    own: dict[int, list[int]] = {
        rater: items[at * EACH : (at + 1) * EACH].tolist() for at, rater in enumerate(copied)
    }
    own |= {rater: [] for rater in others}
    n_copied = len(copied) * EACH
    needs = [
        int(item) for at, item in enumerate(items) for _ in range(1 if at < n_copied else OVERLAP)
    ]
    blocks = range(0, len(needs), len(others))
    for start in blocks:
        block = needs[start : start + len(others)]
        turn = random.permutation(others)
        while any(item in own[rater] for rater, item in zip(turn.tolist(), block, strict=False)):
            turn = random.permutation(others)
        for rater, item in zip(turn.tolist(), block, strict=False):
            own[rater].append(item)
    calibration = np.arange(N_ITEMS, N_ITEMS + N_CALIBRATION)
    return {
        rater: random.permutation(np.concatenate([given, calibration]).astype(int))
        for rater, given in own.items()
    }


def clock(random: np.random.Generator, active: np.ndarray) -> np.ndarray:
    """When each ranking is submitted: sessions of 1.5 to 3 hours, hours apart."""
    now, began, lasts, times = random.uniform(0, 36_000), 0.0, random.uniform(5_400, 10_800), []
    began = now
    for seconds in active:
        if now - began > lasts:
            now += random.uniform(30_000, 60_000)
            began, lasts = now, random.uniform(5_400, 10_800)
        now += seconds * random.uniform(1.0, 1.3)
        times.append(now)
    return np.array(times)


def accuracies(pool: Pool) -> tuple[float, float, float]:
    """Percentage of correct pairs in the 2,000 items: by majority, weighted by reliability, and by
    the one-coin model.
    """
    rankings = pool.rankings
    pairs = agreement_pairs.expand(
        items=rankings.item, raters=rankings.rater, responses=rankings.response, ranks=rankings.rank
    )
    given: dict[str, Any] = {"units": pairs.unit, "raters": pairs.rater, "labels": pairs.label}
    model = votes.one_coin(**given)
    found = reliability.reliability(model, **given, prompts=pairs.item)
    weights = np.array([found[rater].weight for rater in range(N_RATERS)])[pairs.rater]
    first = np.unique(pairs.unit, return_index=True)[1]
    best = pool.quality.reshape(-1)
    truth = np.where(best[pairs.right[first]] > best[pairs.left[first]], 1, -1)
    regular = pairs.item[first] < N_ITEMS
    plain = votes.majority(units=pairs.unit, labels=pairs.label)
    weighed = votes.majority(units=pairs.unit, labels=pairs.label, weights=weights)
    labels = (plain.labels[plain.label], weighed.labels[weighed.label], model.labels[model.label])
    by_majority, by_reliability, by_model = (
        float(100 * (label == truth)[regular].mean()) for label in labels
    )
    return by_majority, by_reliability, by_model


if __name__ == "__main__":
    main()
