"""The variance of an estimate, taken between clusters: votes on one prompt belong together, and so
do votes by one rater.

To first order an estimate moves by a sum over its rows, their influences (scores, in a regression).
Rows of one cluster are added up before they are squared (Liang and Zeger 1986), and the result is
multiplied by g / (g − 1) for g clusters.
"""

import numpy as np
from numpy.typing import ArrayLike

from arithmetic.figures import Floats, Ints, codes


def of_sums(sums: ArrayLike, n_clusters: int) -> Floats:
    """From the sum over each cluster's rows: (clusters,) → a number, (clusters, k) → (k, k)."""
    s = np.asarray(sums, dtype=float)
    return np.asarray(s.T @ s * n_clusters / max(1, n_clusters - 1))


def of_rows(influence: Floats, cluster: ArrayLike, raters: ArrayLike | None = None) -> float:
    """From each row's influence; with `raters` clustered by both at once (Cameron, Gelbach and
    Miller 2011).
    """
    own = codes(cluster)[0]
    by_cluster = _of_numbered(influence, own)
    if raters is None:
        return float(by_cluster)
    rater, both = _with_raters(own, raters)
    return float(two_way(by_cluster, _of_numbered(influence, rater), _of_numbered(influence, both)))


def of_scores(scores: Floats, cluster: ArrayLike, raters: ArrayLike) -> tuple[Floats, ...]:
    """(rows, k) → three (k, k): by cluster, by rater, and by both."""
    own = codes(cluster)[0]
    return tuple(_of_numbered(scores, of) for of in (own, *_with_raters(own, raters)))


def two_way(by_cluster: Floats, by_rater: Floats, by_both: Floats) -> Floats:
    """By cluster, plus by rater, minus by both: votes with the same prompt and rater are in both
    clusterings, and would count twice. Never less than by cluster alone, as in a small sample it
    could be.
    """
    return np.maximum(0.0, np.maximum(by_cluster, by_cluster + by_rater - by_both))


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


def _of_numbered(scores: Floats, group: Ints) -> Floats:
    n_groups = int(group.max(initial=0)) + 1
    if scores.ndim == 1:
        return of_sums(np.bincount(group, weights=scores, minlength=n_groups), n_groups)
    sums = [np.bincount(group, weights=column, minlength=n_groups) for column in scores.T]
    return of_sums(np.column_stack(sums), n_groups)
