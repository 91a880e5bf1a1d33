"""Do the product's flags find planted bad raters, spare honest ones, and leave a minority alone?
And does weighting by reliability beat the majority?

    python benchmarks/raters.py [--quick] [--seeds 101 102 103]

A hundred simulated raters each work for about eight hours (35 seconds a response, at least 100
answers): 400 answers with K = 2 responses, 267 with 3, 200 with 4, 100 with 9. Three raters answer
each item, and 40 % of a rater's answers are on calibration items that everybody ranks. Honest
raters order 67 to 82 % of pairs correctly. Longer responses are slightly better (correlation 0.2).

For each K there are pools with

- 29 planted raters who follow their habit in 70 % of their answers (otherwise they are honest): 10
  answer at random, 5 put the response shown first on top, 5 rank by length, 4 get the same items as
  a colleague and later submit the colleague's ranking, 5 answer at random after an hour in one
  session (`precision_k…`, `recall_k…`);
- the same with 100 answers each, to see what a short campaign finds (`recall_k…_short`);
- no planted rater (`honest_flagged_k…`: the share of honest raters with any flag);
- 20 raters of other kinds (`recall_by_kind`): the last-shown on top, positions in turn, a program
  that answers well in constant time, and an account shared with somebody who answers at random in
  every second session;
- 10, 20, 30 or 40 % of raters with an equally careful taste that has nothing to do with the
  others' (`minority_flagged`, the share of them with any flag).

Small pools, as most campaigns have them, have 20 or 24 raters with 70 answers each, of whom two or
three answer an item, or all answer 40 % or all of them (`fixtures.simulated.small_pools`):

- 3 of 20, 4 of 24 or 7 of 24 raters with a taste of their own (`minority_small_flagged`: the
  highest share of them with any flag over these sizes; at most 0.1);
- bad raters who follow their habit in every answer: clickers, random ones, programs, copies and
  shared accounts (`honest_beside_bad`: the share of honest raters beside them with any flag; at
  most 0.02).

Writers are simulated too: four of eight paste, and two hand in the same texts. So are pools whose
answers are ratings on a scale (`ratings_…`, see `ratings_found`).

The thresholds (`arithmetic.bias.thresholds`) were chosen on seeds 1 to 16 (`--tuning`) and
fixed before seeds 101 and up were run. A rater is found if any flag names them. The last line is
JSON; `weighted_vs_majority_gain` is the gain in accuracy on the pairs of the regular items with
K = 4, in percentage points.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias import flagging
from arithmetic.consensus import reliability, votes
from arithmetic.ratings import flagging as flag_ratings
from benchmarks.fixtures import command_line
from benchmarks.fixtures.simulated.ratings import RatedPool
from benchmarks.fixtures.simulated.ratings import simulate as simulated_ratings
from benchmarks.fixtures.simulated.small_pools import small_pools
from benchmarks.fixtures.simulated.writers import FOUR_PASTE, TWO_ALIKE, found_writers
from benchmarks.fixtures.simulated_raters import N_RATERS, Pool, simulate

SIZES = (2, 3, 4, 9)
PLANTED = {"chance": 10, "first": 5, "longer": 5, "copy": 4, "tires": 5}
OTHER_KINDS = {"last": 5, "alternates": 5, "even": 5, "shared": 5}
MINORITIES = (10, 20, 30, 40)
SHORT = 100
SEEN = tuple(range(1, 17))
UNSEEN = tuple(range(101, 111))
EMPTY_POOLS = 3
"""pools without planted raters for each seed"""
SMALL_SIZES = (2, 4)
SMALL = 10
"""small pools of a kind for each seed"""
QUICK = 4
"""seeds of a quick run"""


class Tally:
    """Counts over pools: raters by kind, those of them with a flag, and kinds of false flags."""

    def __init__(self) -> None:
        self.n: Counter[str] = Counter()
        self.flagged: Counter[str] = Counter()
        self.false: Counter[str] = Counter()

    def add(self, pool: Pool) -> None:
        flags = flagging.flags(pool.rankings)
        flagged = {flag.rater for flag in flags}
        self.n.update(pool.habit)
        self.flagged.update(pool.habit[rater] for rater in flagged)
        self.false.update(flag.kind for flag in flags if not pool.habit[flag.rater])

    def rated(self, pool: RatedPool, *, is_beside: bool = False) -> None:
        """With `is_beside`, the same raters have ranked with care, and all flags count."""
        if is_beside:
            rankings = flagging.review(pool.rankings)
            flags = [*rankings.flags, *flag_ratings.beside(rankings, pool.ratings)]
        else:
            flags = flag_ratings.review(pool.ratings).flags
        self.n.update(pool.habit)
        self.flagged.update(pool.habit[rater] for rater in {flag.rater for flag in flags})
        self.false.update(flag.kind for flag in flags if not pool.habit[flag.rater])

    @property
    def precision(self) -> float:
        return self._found / max(1, sum(self.flagged.values()))

    @property
    def recall(self) -> float:
        return self._found / max(1, sum(self.n.values()) - self.n[""])

    @property
    def _found(self) -> int:
        return sum(self.flagged.values()) - self.flagged[""]

    def share(self, kind: str) -> float:
        return self.flagged[kind] / max(1, self.n[kind])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help=f"{QUICK} seeds")
    options.add_argument("--seeds", type=int, nargs="+", default=list(UNSEEN))
    options.add_argument(
        "--tuning", action="store_true", help="the seeds that thresholds were chosen on"
    )
    chosen = options.parse_args()
    seeds = list(SEEN) if chosen.tuning else chosen.seeds
    start = time.perf_counter()
    summary = measure(seeds[:QUICK] if chosen.quick else seeds) | {
        "seconds": round(time.perf_counter() - start, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "commit": command_line.commit(),
    }
    print(json.dumps(summary))


def measure(seeds: Iterable[int]) -> dict[str, Any]:
    seeds = list(seeds)
    found: dict[str, Any] = {}
    kinds, minority = Tally(), Tally()
    for k in SIZES:
        planted = tallied(seeds, k, PLANTED)
        short = tallied(seeds, k, PLANTED, n_each=SHORT)
        # Few honest raters are flagged, so their share needs more pools than the others.
        empty = [seed + 1_000 * more for seed in seeds for more in range(EMPTY_POOLS)]
        honest, honest_short = tallied(empty, k, {}), tallied(seeds, k, {}, n_each=SHORT)
        others = tallied(seeds, k, OTHER_KINDS)
        few = Tally()
        for seed, share in zip(seeds, cycle(MINORITIES), strict=False):
            few.add(simulate(seed, k, {"minority": share * N_RATERS // 100}))
        found |= {
            f"precision_k{k}": round(planted.precision, 4),
            f"recall_k{k}": round(planted.recall, 4),
            f"honest_flagged_k{k}": round(honest.share(""), 4),
            f"recall_k{k}_short": round(short.recall, 4),
            f"honest_flagged_k{k}_short": round(honest_short.share(""), 4),
            f"precision_other_kinds_k{k}": round(others.precision, 4),
            f"minority_flagged_k{k}": round(few.share("minority"), 4),
        }
        tell(k, {"planted": planted, "none": honest, "other kinds": others, "minority": few})
        for tally in (planted, others):
            kinds.n.update(tally.n)
            kinds.flagged.update(tally.flagged)
        minority.n.update(few.n)
        minority.flagged.update(few.flagged)
    small: dict[str, float] = {}
    for k in SMALL_SIZES:
        small |= small_pools([seed + 1_000 * more for seed in seeds for more in range(SMALL)], k=k)
    by_kind = {kind: round(kinds.share(kind), 4) for kind in (PLANTED | OTHER_KINDS)}
    gains = [weighted_gain(simulate(seed, 4, PLANTED)) for seed in seeds]
    small |= {
        name: max(small[f"{name}_k{k}"] for k in SMALL_SIZES)
        for name in ("minority_small_flagged", "honest_beside_bad")
    }
    return {
        **found,
        **small,
        "minority_flagged": round(minority.share("minority"), 4),
        "recall_by_kind": by_kind | writers_found(seeds),
        "weighted_vs_majority_gain": round(float(np.mean(gains)), 3),
        **ratings_found(seeds),
        "seeds": seeds,
    }


def tallied(
    seeds: Iterable[int], k: int, planted: Mapping[str, int], n_each: int | None = None
) -> Tally:
    tally = Tally()
    for seed in seeds:
        tally.add(simulate(seed, k, planted, n_each=n_each))
    return tally


def tell(k: int, tallies: Mapping[str, Tally]) -> None:
    for name, tally in tallies.items():
        by_kind = ", ".join(
            f"{kind or 'honest'} {tally.flagged[kind]} of {n}"
            for kind, n in sorted(tally.n.items())
        )
        false = ", ".join(f"{n} {kind}" for kind, n in tally.false.most_common())
        print(f"K = {k}, {name}: flagged {by_kind}{f'; honest: {false}' if false else ''}")


def writers_found(seeds: Iterable[int]) -> dict[str, float]:
    """Recall of writers who paste and who hand in the same texts; false marks are printed."""
    found: dict[str, float] = {}
    for kind in (FOUR_PASTE, TWO_ALIKE):
        results = [found_writers(seed, kind) for seed in seeds]
        n = sum(result.n_planted for result in results)
        found[kind] = round(sum(result.n_found for result in results) / n, 4)
        n_false, n_honest = (
            sum(getattr(result, name) for result in results) for name in ("n_false", "n_honest")
        )
        print(f"writers, {kind}: {n_false} of {n_honest} honest marked")
    return found


def weighted_gain(pool: Pool) -> float:
    """By how many percentage points weighting by reliability beats the majority on regular
    items.
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
    regular = pairs.item[first] < pool.n_regular
    plain = votes.majority(units=pairs.unit, labels=pairs.label)
    weighed = votes.majority(units=pairs.unit, labels=pairs.label, weights=weights)
    by_majority, by_reliability = (
        float(100 * (found.labels[found.label] == truth)[regular].mean())
        for found in (plain, weighed)
    )
    return by_reliability - by_majority


RATED = {
    3: {"same": 1, "chance": 1, "copy": 1, "copy_one": 1},
    20: {"same": 3, "chance": 3, "copy": 3},
}
"""By number of raters, how many of a kind are planted in pools of ratings."""


def ratings_found(seeds: Iterable[int]) -> dict[str, Any]:
    """Pools of 3 and 20 raters who rate 1 to 4 responses an item on a scale of five: the share of
    honest raters flagged where nobody is planted (30, 100 and 300 items) and beside planted ones,
    and the recall of each kind with 100 items, or 300 among 20 raters. The same of ratings that are
    given beside rankings.
    """
    honest, beside, both, both_planted = Tally(), Tally(), Tally(), Tally()
    for seed in seeds:
        for n_raters, planted in RATED.items():
            for n_items, k in product((30, 100, 300), (1, 2, 4)):
                pool = simulated_ratings(seed, n_raters=n_raters, n_items=n_items, k=k)
                honest.rated(pool)
                if k > 1:
                    both.rated(pool, is_beside=True)
            for kind, n in planted.items():
                n_items = 100 if n_raters == 3 else 300
                pool = simulated_ratings(
                    seed, n_raters=n_raters, n_items=n_items, k=2, planted={kind: n}
                )
                beside.rated(pool)
                both_planted.rated(pool, is_beside=True)
    kinds = sorted(beside.n.keys() - {""})
    tell(2, {"ratings, none": honest, "ratings, planted": beside})
    tell(2, {"beside rankings, none": both, "beside rankings, planted": both_planted})
    return {
        "ratings_honest_flagged": round(honest.share(""), 4),
        "ratings_honest_beside_bad": round(beside.share(""), 4),
        "ratings_recall": {kind: round(beside.share(kind), 4) for kind in kinds},
        "ratings_and_rankings_honest_flagged": round(both.share(""), 4),
        "ratings_and_rankings_honest_beside_bad": round(both_planted.share(""), 4),
        "ratings_and_rankings_recall": {kind: round(both_planted.share(kind), 4) for kind in kinds},
    }


if __name__ == "__main__":
    main()
