"""Is a judge trusted, and its trust taken back, as rarely wrongly as promised, and do means from
people and a judge have intervals that hold the truth?

    python benchmarks/judge.py [--quick]
    python scripts/run_with_services.py python benchmarks/judge.py --llmfao FOLDER
    python scripts/run_with_services.py --durable python benchmarks/judge.py --endpoint [--quick]

The last line is JSON, and benchmarks/results/judge.json has it too. Everything is simulated, and
decided by the product's own functions (arithmetic.judges). An agreement of .85 is wanted, and what
is said of it may be wrong with .1. Each key has its bar.

Trust. Sites get three calibration pairs a day on average and decide anew every day of a year. A
judge's confidence is .5 + x / 2 with x = u ** (1 / 1.42) for a uniform u.
- `wrongly_trusted_year` <= .10: share of sites where a threshold was ever granted above which
  people agree less, for the worst of four judges: calibrated (a share of .77 may be trusted), right
  in .82 whatever its confidence, overconfident (right in .5 + .4 x), and most often wrong where it
  is surest (.92 - .14 x).
- `trusted_share_800` >= .55: share of a calibrated judge's verdicts that stand after 800 pairs.
- `trusted_share_good_400` >= .80: after 400, of a judge that is right in .86 + .07 x.
  `trusted_share_895_400` is of one that is right in .895 whatever its confidence.

Taking it back. Agreement in audits is .90, and after 200 of them .75.
- `revoked_within_audits` <= 150: the median of audits after the fall. `..._5_below` is of the test
  that agreement is at least .80 in place of .85.
- `revoked_wrongly` <= .05: the share of years with three audits a day in which an agreement of .90
  loses trust. `revoked_at_target` is of an agreement of just .85.

Means. People answered 30, 100 or 400 of 1,000 pairs, in 39 % of which they tie. There are 1, 3 or
10 pairs a prompt, which resemble each other (.25), also to the judge. The judge's correlation with
one person is -.3, 0, .2, .5 or .8.
- `coverage_min` >= .93 and `coverage_max` <= .985, of all 45 cells.
- `gain_to_theory` >= .93: the squared error of people alone over that of the estimate, divided by
  1 / (1 - rho² (1 - n / N)), at 100 answers and a pair a prompt, for the worst of .2, .5 and .8.
- `gain_random_judge` >= .97: the same without theory, for a correlation of 0, the worst of 1, 3
  and 10.
- `says_nothing_added` >= .9: how often that is said of a random judge, in the worst cell.

With `--llmfao`, a crowd's public votes come in by the site's import, and GPT-4 and GPT-3.5 are
judges of the same pairs (benchmarks/fixtures/judging/public_judges.py). The figures have been
published, or follow from published ones; `gain_to_theory` lies within .03 of 1.

With `--endpoint`, a judge asks a server with 16 slots that takes a second for an answer, refuses
5 % of the requests with 500, answers 2 % with no choice and 1 % never, while eight raters work at
the desk (benchmarks/fixtures/judging/busy_judge.py). A minute, or 20 s with --quick.
- `throughput` >= .95: the share of the slots' time that went into answers which the site stored.
- `lost` == 0 and `double` == 0: requests that did not end with what the server sent, and pairs
  judged wrongly or twice, and answered requests that were asked again.
- `desk_p95` <= 1.1: the 95th percentile of a submit at the desk, over that without the judge.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import django
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from arithmetic.judges import audits, trust, with_people
from benchmarks.fixtures import command_line

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ROOT = Path(__file__).resolve().parent.parent
TARGET, ERROR = 0.85, 0.1
N_SITES, N_DAYS, A_DAY, SHAPE = 200, 365, 3, 1.42
GOOD, WORSE, N_GOOD = 0.90, 0.75, 200
N_PAIRS, TIES, ALIKE = 1_000, 0.39, 0.25
CORRELATIONS, ANSWERED, PER_PROMPT = (-0.3, 0.0, 0.2, 0.5, 0.8), (30, 100, 400), (1, 3, 10)
MEAN = 0.505
LOSSES = 1 - MEAN - TIES / 2
"""The share of pairs that are lost."""
N_PARTS = 8

JUDGES: dict[str, Callable[[Floats], Floats]] = {
    "calibrated": lambda x: 0.5 + 0.5 * x,
    "flat_82": lambda x: np.full_like(x, 0.82),
    "overconfident": lambda x: 0.5 + 0.4 * x,
    "top_heavy_wrong": lambda x: 0.92 - 0.14 * x,
    "good": lambda x: 0.86 + 0.07 * x,
    "flat_895": lambda x: np.full_like(x, 0.895),
}
WRONG = ("calibrated", "flat_82", "overconfident", "top_heavy_wrong")


def main() -> None:
    parser = command_line.parser(__doc__, quick="fewer repetitions; three minutes on two cores")
    parser.add_argument("--llmfao", type=Path, help="a folder with LLMFAO's comparisons")
    parser.add_argument("--endpoint", action="store_true", help="a real site, beside the desk")
    options = parser.parse_args()
    if options.endpoint:
        print(json.dumps(at_endpoint(seconds=20 if options.quick else 60)))
        return
    if options.llmfao:
        print(json.dumps(of_public_votes(options.llmfao)))
        return
    is_quick = options.quick
    times = 1 if is_quick else 5
    started = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = {**in_parts(pool, times), **of_means(pool, times)}
    figures = {
        **found,
        "seconds": round(time.monotonic() - started, 1),
        "processor_seconds": round(sum(os.times()[:4]), 1),
        "commit": command_line.commit(),
    }
    command_line.keep("judge", figures, is_quick=is_quick)


def at_endpoint(*, seconds: float) -> dict[str, object]:
    sys.path.insert(0, str(ROOT / "scripts"))
    from benchmarks.fixtures.judging import busy_judge  # noqa: PLC0415  # sets up the site

    return {**busy_judge.figures(seconds=seconds), "commit": command_line.commit()}


def of_public_votes(folder: Path) -> dict[str, object]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PREFERABLY_ENDPOINT_HOSTS": "127.0.0.1",
        "PREFERABLY_LOG_LEVEL": "WARNING",
    }
    django.setup()
    from benchmarks.fixtures.judging import public_judges  # noqa: PLC0415  # needs the site

    return {**public_judges.figures(folder.resolve()), "commit": command_line.commit()}


def in_parts(pool: ProcessPoolExecutor, times: int) -> dict[str, object]:
    years = {
        name: np.concatenate(list(pool.map(partial(wrong_years, name, times), range(N_PARTS))))
        for name in WRONG
    }
    wrongly = {name: round(float(of.mean()), 4) for name, of in years.items()}
    asked = {
        "trusted_share_800": ("calibrated", 800),
        "trusted_share_good_400": ("good", 400),
        "trusted_share_895_400": ("flat_895", 400),
    }
    shares = {
        key: mean_of(pool.map(partial(shares_trusted, *of, times), range(N_PARTS)))
        for key, of in asked.items()
    }
    falls = {
        key: list(pool.map(partial(audits_until_noticed, least, times), range(N_PARTS)))
        for key, least in (("", TARGET), ("_5_below", TARGET - 0.05))
    }
    return {
        "wrongly_trusted_year": max(wrongly.values()),
        "wrongly_trusted_by_judge": wrongly,
        "best_possible_share": round(1 - best_threshold("calibrated") ** SHAPE, 3),
        **shares,
        **{
            f"revoked_within_audits{key}": float(np.median(np.concatenate(of)))
            for key, of in falls.items()
        },
        **{
            key: mean_of(pool.map(partial(years_revoked, rate, times), range(N_PARTS)))
            for key, rate in (("revoked_wrongly", GOOD), ("revoked_at_target", TARGET))
        },
    }


def mean_of(parts: Iterator[Floats] | Iterator[Bools]) -> float:
    return round(float(np.concatenate(list(parts)).mean()), 4)


# --- trust ----------------------------------------------------------------------------------------


def judged(random: np.random.Generator, name: str, n: int) -> tuple[list[float], list[bool]]:
    x = random.random(n) ** (1 / SHAPE)
    return (0.5 + 0.5 * x).tolist(), (random.random(n) < JUDGES[name](x)).tolist()


@cache
def agreement_above(name: str) -> Floats:
    """The true agreement of all verdicts with at least each x of 0, .001, .002, …"""
    middle = ((np.arange(200_000) + 0.5) / 200_000) ** (1 / SHAPE)
    rates = JUDGES[name](middle)[::-1]
    means = (np.cumsum(rates) / np.arange(1, len(rates) + 1))[::-1]
    return means[np.minimum(np.searchsorted(middle, np.arange(1_001) / 1_000), len(means) - 1)]


def best_threshold(name: str) -> float:
    return float(np.argmax(agreement_above(name) >= TARGET)) / 1_000


def x_of(threshold: float) -> float:
    return max(0.0, 2 * threshold - 1)


def wrong_years(name: str, times: int, part: int) -> Bools:
    """Whether a threshold was ever wrongly granted, by site."""
    random = np.random.default_rng([1, WRONG.index(name), part])
    wrong = []
    for _site in range(times * N_SITES // N_PARTS):
        n_pairs = np.cumsum(random.poisson(A_DAY, N_DAYS))
        confidences, agrees = judged(random, name, int(n_pairs[-1]))
        granted = set()
        for n in n_pairs:
            decision = trust.decide(confidences[:n], agrees[:n], target=TARGET, error=ERROR)
            if decision.granted and decision.granted.threshold is not None:
                granted.add(decision.granted.threshold)
        true = agreement_above(name)
        wrong.append(any(true[round(1_000 * x_of(one))] < TARGET for one in granted))
    return np.array(wrong)


def shares_trusted(name: str, n: int, times: int, part: int) -> Floats:
    random = np.random.default_rng([2, n, part])
    shares = []
    for _site in range(times * 1_600 // N_PARTS):
        granted = trust.decide(*judged(random, name, n), target=TARGET, error=ERROR).granted
        lowest = 1.0 if granted is None or granted.threshold is None else granted.threshold
        shares.append(1 - x_of(lowest) ** SHAPE)
    return np.array(shares)


# --- taking it back -------------------------------------------------------------------------------


def audits_until_noticed(least: float, times: int, part: int) -> Floats:
    """After the fall, of runs that kept trust until then."""
    random = np.random.default_rng([3, part])
    needed = []
    for _run in range(times * 400 // N_PARTS):
        rates = np.repeat([GOOD, WORSE], [N_GOOD, 3_000])
        at = audits.state((random.random(len(rates)) < rates).tolist(), least=least).revoked_at
        if at is None or at > N_GOOD:
            needed.append(np.inf if at is None else at - N_GOOD)
    return np.array(needed)


def years_revoked(rate: float, times: int, part: int) -> Bools:
    random = np.random.default_rng([4, part])
    revoked = []
    for _run in range(times * 800 // N_PARTS):
        rows = (random.random(N_DAYS * A_DAY) < rate).tolist()
        revoked.append(audits.state(rows, least=TARGET).revoked_at is not None)
    return np.array(revoked)


# --- means ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    correlation: float
    n_answered: int
    per_prompt: int

    @property
    def n_runs(self) -> int:
        """More where the gain is compared with theory."""
        is_compared = self.n_answered == 100 and (self.per_prompt == 1 or self.correlation == 0)
        return 8_000 if is_compared else 2_000


@dataclass(frozen=True)
class Runs:
    """Arrays with an entry a run."""

    covers: Bools
    nothing_added: Bools
    error: Floats
    error_alone: Floats

    @property
    def gain(self) -> float:
        return float((self.error_alone**2).mean() / (self.error**2).mean())


def of_means(pool: ProcessPoolExecutor, times: int) -> dict[str, object]:
    cells = [Cell(*of) for of in product(CORRELATIONS, ANSWERED, PER_PROMPT)]
    tasks = [(cell, times, part) for cell in cells for part in range(N_PARTS)]
    done = list(pool.map(runs, tasks))
    of = {
        cell: Runs(*map(np.concatenate, zip(*done[at * N_PARTS : (at + 1) * N_PARTS], strict=True)))
        for at, cell in enumerate(cells)
    }
    coverage = {cell: float(found.covers.mean()) for cell, found in of.items()}
    gains = {cell: found.gain for cell, found in of.items() if cell.n_answered == 100}
    to_theory = {
        cell.correlation: gain * (1 - cell.correlation**2 * (1 - 100 / N_PAIRS))
        for cell, gain in gains.items()
        if cell.correlation > 0 and cell.per_prompt == 1
    }
    random = [cell for cell in cells if cell.correlation == 0]
    return {
        "coverage_min": round(min(coverage.values()), 4),
        "coverage_max": round(max(coverage.values()), 4),
        "gain_to_theory": round(min(to_theory.values()), 4),
        "gain_random_judge": round(min(gains[cell] for cell in random if cell in gains), 4),
        "says_nothing_added": round(
            min(float(of[cell].nothing_added.mean()) for cell in random), 4
        ),
        "gain_to_theory_by_correlation": {str(key): round(to, 4) for key, to in to_theory.items()},
        "by_cell": [
            {
                "correlation": cell.correlation,
                "answered": cell.n_answered,
                "per_prompt": cell.per_prompt,
                "coverage": round(coverage[cell], 4),
                "gain": round(found.gain, 3),
                "nothing_added": round(float(found.nothing_added.mean()), 3),
            }
            for cell, found in of.items()
        ],
    }


def runs(
    task: tuple[Cell, int, int],
) -> tuple[Bools, Bools, Floats, Floats]:
    cell, times, part = task
    seed = [5, part, cell.n_answered, cell.per_prompt, CORRELATIONS.index(cell.correlation)]
    random = np.random.default_rng(seed)
    covers, nothing_added, error, error_alone = [], [], [], []
    for _run in range(times * cell.n_runs // N_PARTS):
        judge, people, prompts = votes(random, cell)
        found = with_people.estimate(judge, people, prompts)
        assert found is not None
        covers.append(found.low <= MEAN <= found.high)
        nothing_added.append(found.judge_added_nothing)
        error.append(found.value - MEAN)
        error_alone.append(np.mean([answer for answer in people if answer is not None]) - MEAN)
    return np.array(covers), np.array(nothing_added), np.array(error), np.array(error_alone)


def votes(
    random: np.random.Generator, cell: Cell
) -> tuple[list[float], list[float | None], list[int]]:
    """The judge says what a person says (or the opposite) in as many pairs as the correlation, and
    otherwise what has nothing to do with it.
    """
    prompts = np.arange(N_PAIRS) // cell.per_prompt
    truth, other = outcomes(random, prompts), outcomes(random, prompts)
    judge = np.where(random.random(N_PAIRS) < abs(cell.correlation), truth, other)
    if cell.correlation < 0:
        judge = 1 - judge
    people: list[float | None] = [None] * N_PAIRS
    for place in random.choice(N_PAIRS, cell.n_answered, replace=False):
        people[place] = float(truth[place])
    return judge.tolist(), people, prompts.tolist()


def outcomes(random: np.random.Generator, prompts: npt.NDArray[np.int64]) -> Floats:
    """0, ½ and 1. With probability √ALIKE each pair ends as its prompt's pairs usually do."""
    usual = drawn(random, int(prompts[-1]) + 1)[prompts]
    return np.where(random.random(N_PAIRS) < ALIKE**0.5, usual, drawn(random, N_PAIRS))


def drawn(random: np.random.Generator, n: int) -> Floats:
    u = random.random(n)
    return np.where(u < LOSSES, 0.0, np.where(u < LOSSES + TIES, 0.5, 1.0))


if __name__ == "__main__":
    main()
