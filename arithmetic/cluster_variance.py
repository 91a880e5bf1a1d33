"""The variance of an estimate, taken between clusters: votes on one prompt belong together, and so
do votes by one rater.

To first order an estimate moves by a sum over its rows, their influences (scores, in a regression).
Rows of one cluster are added up before they are squared (Liang and Zeger 1986), and the result is
multiplied by g / (g − 1) for g clusters.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from arithmetic.figures import RATERS_LIKE_THESE, THESE_RATERS, Floats, Ints, codes

FEWEST_RATERS = 3
"""Two raters say too little about a third one."""


def of_sums(sums: ArrayLike, n_clusters: int) -> Floats:
    """From the sum over each cluster's rows: (clusters,) → a number, (clusters, k) → (k, k)."""
    s = np.asarray(sums, dtype=float)
    return np.asarray(s.T @ s * n_clusters / max(1, n_clusters - 1))


def of_rows(influence: Floats, cluster: ArrayLike) -> float:
    """From each row's influence."""
    return _of_numbered(influence, codes(cluster)[0])


@dataclass(frozen=True)
class Spread:
    """A variance, the degrees of freedom that it is known with, and whom it is about."""

    variance: float
    df: float
    df_prompts: int
    """those of the spread between prompts, the most there can be"""
    about: str = ""
    """RATERS_LIKE_THESE if it has the spread between raters, THESE_RATERS if they are too few"""

    def at_least(self, variance: float) -> "Spread":
        """With this variance if it is larger: what is estimated is then less of the whole."""
        if variance <= self.variance:
            return self
        growth = variance / self.variance if self.variance > 0 else math.inf
        return replace(self, variance=variance, df=min(self.df_prompts, self.df * growth**2))


def by_prompts_and_raters(
    influence: Floats, prompts: ArrayLike, raters: ArrayLike, weights: ArrayLike | None = None
) -> Spread:
    """Clustered by both at once (Cameron, Gelbach and Miller 2011): by prompt, plus what raters
    differ more than votes that have neither in common. `weights` are votes in a row, one if absent.

    A rater with many votes pulls the mean towards their own, so they seem closer to it than they
    are. The sum over raters is scaled up for this, and raters count as Kish's (1965) effective
    number, 1 / Σ share². The degrees of freedom are Satterthwaite's (1946).
    """
    prompt = codes(prompts)[0]
    rater, both = _with_raters(prompt, raters)
    by_prompt, df_prompts = _of_numbered(influence, prompt), max(1, int(prompt.max()))
    votes = np.bincount(rater, weights=None if weights is None else np.asarray(weights).reshape(-1))
    share = votes / votes.sum()
    square = float((share**2).sum())
    if len(share) < FEWEST_RATERS or square >= 1 / (FEWEST_RATERS - 1):
        return Spread(by_prompt, df_prompts, df_prompts, THESE_RATERS)
    df_raters = 1 / square - 1
    scale = square / (square - 2 * float((share**3).sum()) + square**2)
    by_rater = scale * float((np.bincount(rater, weights=influence) ** 2).sum())
    alone = scale * (1 - square) * _of_numbered(influence, both)
    variance = by_prompt + max(0.0, by_rater - alone)
    df = min(df_prompts, df_raters)
    if variance > 0:
        parts = by_prompt**2 / df_prompts + by_rater**2 / df_raters
        df = min(df_prompts, max(df, variance**2 / parts))
    return Spread(variance, df, df_prompts, RATERS_LIKE_THESE)


def by_group(sums: ArrayLike, group: Ints, n_clusters: Ints) -> Floats:
    """The variance of many estimates at once, such as each rater's: `sums` are over one cluster's
    rows of one group, and `n_clusters` counts each group's clusters.
    """
    squares = np.bincount(group, weights=np.square(sums), minlength=len(n_clusters))
    return np.asarray(squares * n_clusters / np.maximum(1, n_clusters - 1), dtype=float)


def _with_raters(cluster: Ints, raters: ArrayLike) -> tuple[Ints, Ints]:
    """The number of each row's rater, and of its pair of cluster and rater."""
    rater = codes(raters)[0]
    return rater, codes(cluster * (int(rater.max(initial=0)) + 1) + rater)[0]


def _of_numbered(influence: Floats, group: Ints) -> float:
    sums = np.bincount(group, weights=influence)
    return float(of_sums(sums, len(sums)))
