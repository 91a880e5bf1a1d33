"""How much of what raters could find does a gate find, with the same number of votes?

    python benchmarks/gates.py [--quick] [--lines 400]

A year of 52 cycles is simulated over and over. In each cycle training makes the model a little
better (or worse), and raters compare it with the current one on test prompts, two votes each. There
are 6 or 12 raters, some of whom answer three times as much as others. They differ: each has a taste
for or against what one cycle changed, with a standard deviation of .6 on the logit, and prompts
differ by 1. The tastes of cycles that go on from each other add up.

The gate is the product's: its interval (arithmetic.clustering), its levels and its rule for
stopping (arithmetic.sequential.group_sequential). Keys that begin with `once_` are of the rule that
schedules had until 0.2: one look at 100 prompts, 95 %, and a model that does not pass is forgotten.

The last line is JSON, each figure the worse of 6 and 12 raters. `lost_gain_55` is the share of a
year's gain that the current model lacks in the end if every cycle's model would win 55 % against
the one before; `lost_gain_525` if they win 52.5 % on average (sd .1 on the logit).
`false_promotion` is how often a model that is exactly as good is promoted in a cycle, at any look.
`median_votes_60` are the votes on one model that would win 60 %, `promoted_60` how often it passes.
`worse_line` is what a year of models that win 47.5 % (sd .1) does to the current model, in logits,
and `no_gain_line` one of models without a trend (sd .2). `votes_a_cycle` is the mean of all years.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.special import expit, logit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from arithmetic import clustering
from arithmetic.sequential import group_sequential
from arithmetic.sequential.group_sequential import DIFFICULTY, TASTE
from benchmarks.fixtures import command_line

N_CYCLES, N_VOTES, BAR = 52, 2, 0.5
POOLS = (6, 12)


@dataclass(frozen=True)
class Rule:
    """When a gate looks, and what becomes of a model that does not pass."""

    n_prompts: int
    n_looks: int
    error: float
    keeps_undecided: bool

    @property
    def levels(self) -> tuple[float, ...]:
        shares = [(place + 1) / self.n_looks for place in range(self.n_looks)]
        return group_sequential.levels(shares, self.error)


ONCE = Rule(n_prompts=100, n_looks=1, error=0.025, keeps_undecided=False)
SEQUENTIAL = Rule(n_prompts=104, n_looks=4, error=0.05, keeps_undecided=True)
RULES = {"once_": ONCE, "": SEQUENTIAL}


@dataclass(frozen=True)
class Steps:
    """How much better than the one before each cycle's model is, on the logit."""

    mean: float
    sd: float = 0.0


YEARS = {
    "gain_55": Steps(float(logit(0.55))),
    "gain_525": Steps(float(logit(0.525)), 0.1),
    "worse_line": Steps(float(logit(0.475)), 0.1),
    "no_gain_line": Steps(0.0, 0.2),
    "equal": Steps(0.0),
}
STRETCH = group_sequential.on_logit(0.55) / float(logit(0.55))
"""From the logit of a win rate to what a usual rater sees on a usual prompt"""


@dataclass(frozen=True)
class Ended:
    """What a gate did with one model."""

    passes: bool
    is_behind: bool
    n_votes: int


def judged(random: np.random.Generator, ahead: float, tastes: np.ndarray, rule: Rule) -> Ended:
    """One model that is `ahead` on the logit, before raters whose tastes are these."""
    load = np.log(np.linspace(1, 3, len(tastes)))
    drawn = load + random.gumbel(size=(rule.n_prompts, len(tastes)))
    rater = np.argsort(-drawn, axis=1)[:, :N_VOTES]
    prompt = np.repeat(np.arange(rule.n_prompts), N_VOTES)
    difficulty = random.normal(0, DIFFICULTY, rule.n_prompts)
    won = random.random(prompt.shape) < expit(
        STRETCH * ahead + tastes[rater.reshape(-1)] + difficulty[prompt]
    )
    is_behind = False
    for place, error in enumerate(rule.levels, start=1):
        n = round(rule.n_prompts * place / rule.n_looks) * N_VOTES
        rate = clustering.share(
            won[:n], prompts=prompt[:n], raters=rater.reshape(-1)[:n], error=error
        )
        if rate.low is not None and rate.low >= BAR:
            return Ended(passes=True, is_behind=False, n_votes=n)
        is_behind = group_sequential.is_behind(rate, BAR)
        if is_behind:
            return Ended(passes=False, is_behind=True, n_votes=n)
    return Ended(passes=False, is_behind=is_behind, n_votes=len(prompt))


@dataclass(frozen=True)
class Year:
    gained: float
    """by the current model, on the logit"""
    n_promoted: int
    n_votes: int


def year(steps: Steps, n_raters: int, rule: Rule, seed: int) -> Year:
    random = np.random.default_rng((seed, n_raters))
    gained, ahead, tastes = 0.0, 0.0, np.zeros(n_raters)
    n_promoted = n_votes = 0
    for _cycle in range(N_CYCLES):
        ahead += random.normal(steps.mean, steps.sd)
        tastes = tastes + random.normal(0, TASTE, n_raters)
        ended = judged(random, ahead, tastes, rule)
        n_votes += ended.n_votes
        if ended.passes:
            gained, n_promoted = gained + ahead, n_promoted + 1
        if ended.passes or ended.is_behind or not rule.keeps_undecided:
            ahead, tastes = 0.0, np.zeros(n_raters)
    return Year(gained, n_promoted, n_votes)


def alone(n_raters: int, rule: Rule, seed: int) -> Ended:
    """One model that would win 60 %."""
    random = np.random.default_rng((seed, n_raters, 60))
    return judged(random, float(logit(0.6)), random.normal(0, TASTE, n_raters), rule)


Result = TypeVar("Result")


def run(pool: ProcessPoolExecutor, task: Callable[[int], Result], n: int) -> list[Result]:
    return list(pool.map(task, range(n), chunksize=max(1, n // 8)))


def figures(rule: Rule, n_lines: int, pool: ProcessPoolExecutor) -> Mapping[str, float]:
    """Each the worse of both pools."""
    rows = []
    n_votes = []
    for n_raters in POOLS:
        years = {
            name: run(pool, partial(year, steps, n_raters, rule), n_lines)
            for name, steps in YEARS.items()
        }
        ends = run(pool, partial(alone, n_raters, rule), 10 * n_lines)
        gains = {name: float(np.mean([one.gained for one in ran])) for name, ran in years.items()}
        promoted = float(np.mean([one.n_promoted for one in years["equal"]])) / N_CYCLES
        n_votes += [one.n_votes / N_CYCLES for ran in years.values() for one in ran]
        rows.append(
            {
                "lost_gain_55": 1 - gains["gain_55"] / (N_CYCLES * YEARS["gain_55"].mean),
                "lost_gain_525": 1 - gains["gain_525"] / (N_CYCLES * YEARS["gain_525"].mean),
                "false_promotion": promoted,
                "median_votes_60": float(np.median([one.n_votes for one in ends])),
                "unpromoted_60": float(np.mean([not one.passes for one in ends])),
                "worse_line": -gains["worse_line"],
                "no_gain_line": -gains["no_gain_line"],
            }
        )
        print(json.dumps({"n_raters": n_raters} | rows[-1]), file=sys.stderr)
    worst = {name: max(row[name] for row in rows) for name in rows[0]}
    lines = {name: -worst.pop(name) for name in ("worse_line", "no_gain_line")}
    lines["promoted_60"] = 1 - worst.pop("unpromoted_60")
    shown = worst | lines | {"votes_a_cycle": float(np.mean(n_votes))}
    return {name: round(value, 3) for name, value in shown.items()}


def main() -> None:
    options = command_line.parser(__doc__, quick="fewer years: under two minutes on two cores")
    options.add_argument("--lines", type=int, default=400)
    chosen = options.parse_args()
    start = time.perf_counter()
    n_lines = 40 if chosen.quick else chosen.lines
    found: dict[str, float] = {}
    with ProcessPoolExecutor() as pool:
        for prefix, rule in RULES.items():
            found |= {f"{prefix}{name}": at for name, at in figures(rule, n_lines, pool).items()}
    print(json.dumps(found | {"seconds": round(time.perf_counter() - start, 1)}))


if __name__ == "__main__":
    main()
