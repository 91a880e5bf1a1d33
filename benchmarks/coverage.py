"""How often do the 95 % intervals that the product shows contain the truth?

    python benchmarks/coverage.py [--quick] [--repetitions 1000]

Campaigns are simulated over and over: 30, 100 and 300 items, K = 4 and K = 2, three raters each out
of a pool of twelve, whose skill differs. Items differ in difficulty: on some, everybody sees the
same order; on others, hardly anybody does. Utilities that are about equal tie. Some items are
repeated for self-agreement, a second pool ranks the same responses, and an expert knows the order.

Every figure that a report shows is computed by the product's own functions, and its interval is
compared with the figure of one campaign of 12,000 items by the same raters, which stands for the
truth. Intervals of one kind, such as those of all raters' agreement, count together.

Then raters differ more (benchmarks/fixtures/simulated/differing_raters.py). In taste: 6, 12 and 30
raters are new in each campaign, with a standard deviation of .6 or 1 on the logit, and the
truth is what all raters of the kind would say. In care: reliability counts by kind of rater. And
two raters rate everything, for the kappa of a pair. Raters also rate on a scale and by yes or no,
for each one's agreement beyond chance.

The last line is JSON: `coverage` has each measure's share of intervals that hold the truth, for all
sizes and by number of items, `min_coverage` the lowest of all sizes, and `zero_width` the number of
intervals whose ends are equal.
"""

import argparse
import json
import math
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from arithmetic import intervals
from arithmetic.bias import looks
from benchmarks.fixtures import command_line
from benchmarks.fixtures.simulated import differing_raters, rated_agreement
from labeling.quality.measures import (
    against,
    agreeing,
    contests,
    groups,
    habits,
    raters,
    strengths,
    wording,
)
from labeling.votes.arrays import Grouping, OtherVotes, Record, Votes, as_record

SIZES, KS = (30, 100, 300), (4, 2)
ALL_SIZES = (10, *SIZES)
"""With that of two raters who rate everything."""
N_RATERS, OVERLAP, N_OTHERS = 12, 3, 6
N_TRUE = 12_000
FEWEST_INTERVALS = 200
"""A measure with fewer intervals in a cell is not judged there."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--quick", action="store_true", help="fewer repetitions")
    options.add_argument("--repetitions", type=int, default=1_000)
    options.add_argument("--processes", type=int, default=os.cpu_count())
    chosen = options.parse_args()
    start = time.perf_counter()
    n = 120 if chosen.quick else chosen.repetitions
    tasks = [
        (k, size, seed) for size in SIZES[::-1] for k in KS for seed in range(1_000, 1_000 + n)
    ]
    found = Found()
    with ProcessPoolExecutor(chosen.processes) as pool:
        for (_k, size, _seed), held in zip(
            tasks, pool.map(covered, tasks, chunksize=max(1, n // 8)), strict=True
        ):
            found.add(size, held)
        others = differing(n)
        for (size, _figures), held in zip(
            others, pool.map(covered_by_differing, others, chunksize=max(1, n // 8)), strict=True
        ):
            found.add(size, held)
    print(json.dumps(summary(found, n) | {"seconds": round(time.perf_counter() - start, 1)}))


class Found:
    """By measure and number of items, how many intervals there were and how many held the truth."""

    def __init__(self) -> None:
        self.n: dict[tuple[str, int], int] = defaultdict(int)
        self.held: dict[tuple[str, int], int] = defaultdict(int)
        self.zero_width = 0

    def add(self, size: int, shown: list[tuple[str, bool, bool]]) -> None:
        for name, holds, is_flat in shown:
            self.n[name, size] += 1
            self.held[name, size] += holds
            self.zero_width += is_flat


def summary(found: Found, n: int) -> dict[str, Any]:
    coverage: dict[str, dict[str, float]] = defaultdict(dict)
    for name in sorted({name for name, _size in found.n}):
        for label, sizes in (("all", ALL_SIZES), *((str(size), (size,)) for size in ALL_SIZES)):
            shown = sum(found.n[name, size] for size in sizes)
            held = sum(found.held[name, size] for size in sizes)
            if shown >= FEWEST_INTERVALS:
                coverage[name][label] = round(held / shown, 3)
    for name, of in coverage.items():
        print(f"{name:44}" + "".join(f"  {size}: {share:.3f}" for size, share in of.items()))
    worst = min((of["all"], name) for name, of in coverage.items())
    cell = min((share, name, size) for name, of in coverage.items() for size, share in of.items())
    return {
        "min_coverage": worst[0],
        "worst": worst[1],
        "worst_cell": f"{cell[1]}, {cell[2]} items: {cell[0]}",
        "zero_width": found.zero_width,
        "intervals": sum(found.n.values()),
        "repetitions": n,
        "coverage": coverage,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": command_line.commit(),
    }


def covered(task: tuple[int, int, int]) -> list[tuple[str, bool, bool]]:
    """For each interval of one simulated campaign: its measure, whether it holds the truth, and
    whether it has no width.
    """
    k, size, seed = task
    true = truth(k)
    found = []
    for path, figure in figures(measured(simulate(k, size, seed))):
        value = true.get(path)
        if figure["low"] is None or value is None:
            continue
        found.append((name_of(path), *holds(figure, value)))
    return found


@cache
def truth(k: int) -> dict[tuple[str, ...], float]:
    return {
        path: figure["value"]
        for path, figure in figures(measured(simulate(k, N_TRUE, 1)))
        if figure["value"] is not None
    }


def differing(n: int) -> list[tuple[int, Callable[[], differing_raters.Figures]]]:
    """With their number of items, campaigns of raters who differ; more of the small ones, as few
    intervals of one kind would leave much to chance.
    """
    pools = [
        differing_raters.Tastes(size, n_raters, spread)
        for n_raters in differing_raters.POOLS
        for spread in differing_raters.SPREADS
        for size in SIZES[:2]
    ]
    return [
        *(
            (pool.n_items, partial(differing_raters.by_taste, pool, seed))
            for pool in pools
            for seed in range(3 * n)
        ),
        *(
            (size, partial(differing_raters.by_care, size, k, seed))
            for size, k in differing_raters.CARES
            for seed in range(2 * n)
        ),
        *(
            (size, partial(rated_agreement.by_rating, size, k, seed))
            for size, k in rated_agreement.CELLS
            for seed in range(n)
        ),
        *(
            (size, partial(differing_raters.by_pair, size, k, noises, seed))
            for size, k, noises in differing_raters.KAPPAS
            for seed in range(3 * n)
        ),
    ]


def covered_by_differing(
    task: tuple[int, Callable[[], differing_raters.Figures]],
) -> list[tuple[str, bool, bool]]:
    """As `covered` has it."""
    return [
        (name, *holds(figure, truth))
        for name, figure, truth in task[1]()
        if figure["low"] is not None
    ]


def holds(figure: Record, truth: float) -> tuple[bool, bool]:
    """Whether the interval holds the truth, and whether it has no width."""
    low, high = figure["low"], figure["high"]
    return low - 1e-9 <= truth <= high + 1e-9, not low < high


def figures(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Record]]:
    """Every figure in a report, with the way to it."""
    if isinstance(found, dict) and "note" in found and "low" in found:
        yield path, found
    elif isinstance(found, dict):
        for name, value in found.items():
            yield from figures(value, (*path, str(name)))
    elif isinstance(found, list):
        for place, value in enumerate(found):
            label = value.get("name", place) if isinstance(value, dict) else place
            yield from figures(value, (*path, f"#{label}"))


def name_of(path: tuple[str, ...]) -> str:
    """Without raters, groups and other names of the simulated campaign."""
    return ".".join(part for part in path if not part.startswith("#") and not part.isdigit())


# --- campaigns ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    votes: Votes
    expert: np.ndarray
    """by row, the right rank"""
    others: OtherVotes
    confidence: np.ndarray
    """by row, how confident the response sounds"""


@cache
def skills() -> tuple[np.ndarray, np.ndarray]:
    """By rater, the noise of their utilities, and how far position draws them; the second pool's
    raters come last.
    """
    random = np.random.default_rng(7)
    n = N_RATERS + N_OTHERS
    return random.uniform(0.5, 1.6, n), random.normal(0.15, 0.15, n)


def simulate(k: int, n_items: int, seed: int) -> Simulated:
    random = np.random.default_rng((seed, k, n_items))
    difficulty = np.exp(random.normal(0, 0.8, (n_items, 1)))
    length = np.exp(random.normal(6, 0.5, (n_items, k))).astype(int) + 40
    source = np.tile(1 + np.arange(k) % 2, (n_items, 1))
    quality = difficulty * (
        random.normal(0, 1, (n_items, k)) + 0.3 * (source == 2) + 0.2 * np.log2(length / 400)
    )
    confidence = np.round(random.normal(0, 1, (n_items, k)), 1)
    who = np.array([random.permutation(N_RATERS)[:OVERLAP] for _ in range(n_items)])
    item, rater = np.repeat(np.arange(n_items), OVERLAP), who.reshape(-1)
    n_repeats = n_items // 3
    again = random.permutation(len(item))[:n_repeats]
    place = random.permuted(np.tile(np.arange(k), (len(item), 1)), axis=1)
    item, rater = np.r_[item, item[again]], np.r_[rater, rater[again]]
    place = np.vstack([place, k - 1 - place[again]])
    utility, rank = ranked(random, quality[item], place, rater)
    n = len(item)
    rows = np.repeat(np.arange(n), k)
    is_repeat = np.arange(n) >= len(who) * OVERLAP
    votes = Votes(
        judgment=rows,
        item=np.where(is_repeat, n_items + np.arange(n), item)[rows],
        prompt=item[rows],
        rater=1 + rater[rows],
        response=(item[:, None] * k + np.arange(k)).reshape(-1),
        source=source[item].reshape(-1),
        rank=rank.reshape(-1),
        position=place.reshape(-1),
        at_s=np.arange(n, dtype=float)[rows],
        active_s=np.full(n * k, np.nan),
        looks=looks.Looks(
            length[item].reshape(-1).astype(float),
            {name: random.random((n_items, k))[item].reshape(-1) < 0.3 for name in looks.SIGHTS},
        ),
        answers={
            "overall": np.clip(np.round(4 + utility), 1, 7).reshape(-1),
            "wrong": (utility < random.normal(-1, 0.5, utility.shape)).reshape(-1).astype(float),
        },
        groups={"category": Grouping(("chat", "code"), (item % 2)[rows])},
        is_repeat=is_repeat[rows],
    )
    expert = np.argsort(np.argsort(-quality, axis=1), axis=1)[item].reshape(-1) + 1.0
    return Simulated(votes, expert, other_pool(random, quality), confidence[item].reshape(-1))


def ranked(
    random: np.random.Generator, quality: np.ndarray, place: np.ndarray, rater: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Utilities, and ranks in which those that are about equal tie."""
    noise, pull = skills()
    utility = quality + noise[rater][:, None] * random.normal(0, 1, quality.shape)
    utility += pull[rater][:, None] * (place == 0)
    rough = np.round(utility / 0.6)
    return utility, 1.0 + (rough[:, None, :] > rough[:, :, None]).sum(axis=2)


def other_pool(random: np.random.Generator, quality: np.ndarray) -> OtherVotes:
    """Two raters of another pool for each item."""
    n_items, k = quality.shape
    item = np.repeat(np.arange(n_items), 2)
    rater = N_RATERS + np.array([random.permutation(N_OTHERS)[:2] for _ in range(n_items)])
    place = random.permuted(np.tile(np.arange(k), (len(item), 1)), axis=1)
    _utility, rank = ranked(random, quality[item], place, rater.reshape(-1))
    rows = np.repeat(np.arange(len(item)), k)
    return OtherVotes(
        pool=np.full(len(rows), 2),
        item=item[rows],
        rater=1 + rater.reshape(-1)[rows],
        response=(item[:, None] * k + np.arange(k)).reshape(-1),
        rank=rank.reshape(-1),
        position=place.reshape(-1),
    )


# --- what the product shows -----------------------------------------------------------------------


def measured(campaign: Simulated) -> Record:
    votes = campaign.votes
    of_raters = raters.rater_measures(votes, {})
    half = frozenset(range(1, 1 + N_RATERS // 2))
    members = [groups.RaterGroup("half", half, pool=1)]
    pairs, right = votes.once.pairs, campaign.expert[~votes.is_repeat]
    credit = 1 - np.abs(pairs.label - np.sign(right[pairs.row] - right[pairs.other_row])) / 2
    prompt = votes.once.prompt[pairs.row]
    agreed = np.bincount(prompt, weights=credit).astype(float)
    n_decided = np.bincount(prompt).astype(float)
    found = groups.groups_of(votes, members, campaign.others, {2: "other"}, fewest=N_RATERS // 2)
    return {
        "agreement": agreeing.agreement_of(votes, differing_raters.QUESTIONS),
        "two_raters": two_raters(agreeing.matrix_of(votes)),
        "rater": {str(rater): of_raters[rater] for rater in of_raters},
        "habits": habits.habits_of(votes),
        "contest": contests.contests_of(votes, {1: "old", 2: "new"}),
        "strength": strengths.strengths_of(votes, {1: "old", 2: "new"}, of_raters)["sources"],
        "with_order": as_record(against.with_order(votes, campaign.expert)),
        "with_golds": as_record(against.with_golds(agreed, n_decided, np.arange(len(agreed)))),
        "with_pool": against.with_pools(votes, campaign.others, {2: "other"}),
        "groups": {name: found.get(name) for name in ("everybody", "pools", "elsewhere")},
        "wording": wording_of(campaign),
        "reward_accuracy": reward_accuracy(credit, prompt),
    }


def two_raters(matrix: Record) -> Record:
    """The listed pairs of raters as figures."""
    return {
        f"{pair['one']}{pair['other']:02}": {
            "value": pair["score"] / pair["n"],
            "low": pair["low"],
            "high": pair["high"],
            "note": "",
        }
        for pair in matrix["pairs"]
    }


def wording_of(campaign: Simulated) -> Record:
    votes = campaign.votes.once
    once = ~campaign.votes.is_repeat
    found = wording.confident_wording(
        wording.ExpertVotes(
            judgment=votes.judgment,
            item=votes.item,
            prompt=votes.prompt,
            rater=votes.rater,
            response=votes.response,
            rank=votes.rank,
            expert_rank=campaign.expert[once],
            confidence=campaign.confidence[once],
        )
    )
    return {name: found[name] for name in ("towards", "away", "gap", "raters") if name in found}


def reward_accuracy(credit: np.ndarray, prompt: np.ndarray) -> Record:
    """As a reward model's accuracy on held-out pairs."""
    ends = intervals.of_votes(credit.tolist(), prompt.tolist()) or (None, None)
    return {"value": math.fsum(credit) / len(credit), "low": ends[0], "high": ends[1], "note": ""}


if __name__ == "__main__":
    main()
