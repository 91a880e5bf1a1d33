"""Which judgments a report of a large campaign is computed from, so that its time and memory do not
grow with the campaign. A report of up to MOST judgments uses all of them.

Above that there are two choices, both of whole prompts with all the votes on them:

- figures of the campaign use prompts drawn at random: by a hash of the prompt, so that a prompt
  stays drawn while the campaign grows, and any report of the same judgments draws the same;
- measures of raters use each rater's latest judgments. They are consecutive, as tests for rhythms
  and sittings need.

Both depend on nothing but the judgments, so a report is the same whether it was updated a
thousand times or computed once.
"""

from dataclasses import dataclass

import numpy as np

from arithmetic.figures import Floats, Ints, codes
from labeling.votes.arrays import Truths

MOST = 100_000
"""Judgments in a choice: at most this many are drawn, and of the latest ones about as many."""
FEWEST_OF_RATER = 200
"""A rater's latest judgments are at least this many, however many raters there are."""


@dataclass(frozen=True)
class Sample:
    share: float
    """of the prompts, how many are drawn"""
    of_rater: int | None
    """how many of each rater's latest judgments are used; None for all"""
    recent: Ints
    """the prompts of these judgments, sorted"""
    n_judgments: dict[int, int]
    """all judgments that count, by rater"""

    @property
    def is_whole(self) -> bool:
        return self.of_rater is None

    def is_drawn(self, prompts: Ints) -> Truths:
        return np.asarray(places(prompts) < self.share)

    def is_recent(self, prompts: Ints) -> Truths:
        return among(prompts, self.recent)


def sample_of(*, judgments: Ints, prompts: Ints, raters: Ints) -> Sample:
    """From parallel arrays with one entry per judgment that counts."""
    rater, names = codes(raters)
    counts = np.bincount(rater, minlength=len(names))
    n_judgments = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if len(judgments) <= MOST:
        return Sample(1.0, None, np.zeros(0, dtype=np.int64), n_judgments)
    share = 1.0
    # Halves, so that a growing campaign keeps its prompts until it has doubled.
    while len(judgments) * share > MOST:
        share /= 2
    of_rater = _of_each(counts)
    order = np.lexsort((-judgments, rater))
    starts = np.cumsum(counts) - counts
    is_latest = np.arange(len(order)) - starts[rater[order]] < of_rater
    return Sample(share, of_rater, np.unique(prompts[order[is_latest]]), n_judgments)


def places(prompts: Ints) -> Floats:
    """The place of each prompt between 0 and 1, as good as random, by its id (the finalizer of
    SplitMix64, Steele 2014). Those with the first places are drawn.
    """
    mixed = prompts.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) / 2.0**64, dtype=float)


def among(values: Ints, known: Ints) -> Truths:
    """Which values are in `known`, which is sorted."""
    if not known.size:
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[place] == values)


def _of_each(counts: Ints) -> int:
    """The largest number of judgments of each rater whose sum is at most MOST."""
    low, high = FEWEST_OF_RATER, max(FEWEST_OF_RATER, int(counts.max()))
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(counts, middle).sum()) <= MOST:
            low = middle
        else:
            high = middle - 1
    return low
