"""Compares a few sources from very many votes: strengths from counts, with clustered errors.

Votes are counted by pair, rater and label before anything is fitted. Errors allow for votes that
depend on each other because they are on one prompt or by one rater (a sandwich estimator, Liang and
Zeger 1986), and are never smaller than for independent votes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from arithmetic import cluster_variance, clustering
from arithmetic.cluster_variance import Spread
from arithmetic.consensus.strengths import RIGHT, WRONG, rater_aware, with_ties
from arithmetic.figures import Figure, Floats, Ints, absent, codes, gettext_noop

ROUNDS = 100
_RIDGE = 0.1

_APART = gettext_noop("It has not been compared with any source on this scale.")
_UNBOUNDED = gettext_noop(
    "It won or lost every vote against the others, so its strength is unbounded."
)
_TIED = gettext_noop("Every vote is a tie, so no source is stronger than another.")
_ONE_WAY = gettext_noop(
    "No two sources have each beaten the other: all votes go one way or tie, so strengths are"
    " unbounded."
)
_UNKNOWN = gettext_noop(
    "The reliability of these raters is mostly unknown: too few pairs were rated by two of them."
)


@dataclass(frozen=True)
class Compared:
    """By source, its log-ability above the baseline's; the baseline's own is 0 without an
    interval.
    """

    sources: Ints
    baseline: int | None
    """the first source of the largest group that shares one scale; None if no two sources do"""
    by_all: tuple[Figure, ...]
    """Davidson 1970; its σ is how often the source would win a decided vote"""
    by_reliability: tuple[Figure, ...]
    """Chen 2013; its σ is how often a rater who never errs would vote for it"""
    n_votes: Ints
    tie: float | None
    """how often two equally strong sources would tie; None if nobody tied"""


@dataclass(frozen=True)
class _Tally:
    """Votes counted in cells, one per pair i < j, rater and label (−1: i is better)."""

    i: Ints
    j: Ints
    rater: Ints
    label: Ints
    n: Floats
    cell: Ints
    """by vote"""
    prompt: Ints
    """by vote"""
    n_sources: int
    n_raters: int


def compared(
    *,
    left: ArrayLike,
    right: ArrayLike,
    labels: ArrayLike,
    raters: ArrayLike,
    prompts: ArrayLike,
    reliability: Mapping[int, tuple[float, float]],
) -> Compared:
    """Compares the sources `left` and `right` of each vote: −1 (left is better), 0 (tie) or 1.
    Votes on two responses of one source are ignored.

    `reliability` by rater: how often their decided votes are right, and the number of votes that
    this is based on.
    """
    first, second = np.asarray(left), np.asarray(right)
    apart = np.flatnonzero(first != second)
    place, sources = codes(np.concatenate([first[apart], second[apart]]))
    rater, names = codes(np.asarray(raters)[apart])
    if not apart.size:
        return Compared(
            np.zeros(0, dtype=np.int64), None, (), (), np.zeros(0, dtype=np.int64), None
        )
    tally = _tallied(
        place,
        np.asarray(labels)[apart],
        rater,
        np.asarray(prompts)[apart],
        len(sources),
        len(names),
    )
    n_votes = np.bincount(tally.i, weights=tally.n, minlength=len(sources))
    n_votes += np.bincount(tally.j, weights=tally.n, minlength=len(sources))
    together = _together(tally, tally.n > 0)
    baseline = _baseline(together)
    if baseline is None:
        notes = _by_source(tally, None, np.zeros(len(sources), dtype=bool))
        return Compared(
            sources.astype(np.int64), None, notes, notes, n_votes.astype(np.int64), None
        )
    by_all, tie = _davidson(tally, baseline, together == together[baseline])
    known = {
        place: reliability[int(name)]
        for place, name in enumerate(names.tolist())
        if int(name) in reliability
    }
    by_reliability = _with_reliability(tally, baseline, known)
    return Compared(
        sources.astype(np.int64),
        int(sources[baseline]),
        by_all,
        by_reliability,
        n_votes.astype(np.int64),
        tie,
    )


def _tallied(
    place: Ints, labels: Ints, rater: Ints, prompts: np.ndarray, n_sources: int, n_raters: int
) -> _Tally:
    n = len(labels)
    first, second = place[:n], place[n:]
    # Cells are every combination of pair, rater and label, empty ones included, so that a cell's
    # number alone gives all three.
    pair, pairs = codes(np.minimum(first, second) * n_sources + np.maximum(first, second))
    cell = (pair * n_raters + rater) * 3 + np.where(first < second, labels, -labels) + 1
    cells = np.arange(len(pairs) * n_raters * 3)
    names = pairs.astype(np.int64)[cells // (3 * n_raters)]
    return _Tally(
        i=names // n_sources,
        j=names % n_sources,
        rater=cells // 3 % n_raters,
        label=cells % 3 - 1,
        n=np.bincount(cell, minlength=len(cells)).astype(float),
        cell=cell,
        prompt=codes(prompts)[0],
        n_sources=n_sources,
        n_raters=n_raters,
    )


def _together(tally: _Tally, counts: np.ndarray) -> Ints:
    """Groups of sources that share one scale: within a group, each reaches each other by votes it
    won or tied.
    """
    up, down = counts & (tally.label <= 0), counts & (tally.label >= 0)
    rows, columns = np.r_[tally.i[up], tally.j[down]], np.r_[tally.j[up], tally.i[down]]
    edges = csr_matrix(
        (np.ones(len(rows)), (rows, columns)), shape=(tally.n_sources, tally.n_sources)
    )
    return np.asarray(
        connected_components(edges, directed=True, connection="strong")[1], dtype=np.int64
    )


def _baseline(together: Ints) -> int | None:
    """The first source of the largest group; None if all groups are single."""
    sizes = np.bincount(together)[together]
    return int(sizes.argmax()) if sizes.max() > 1 else None


def _by_source(
    tally: _Tally,
    values: Floats | None,
    inside: np.ndarray,
    spreads: Sequence[Spread] = (),
    n_prompts: int = 0,
) -> tuple[Figure, ...]:
    """Figures for those `inside`, and a sentence for each of the others. The baseline has no
    variance, and no interval.
    """
    n = np.bincount(
        np.r_[tally.i, tally.j], weights=np.r_[tally.n, tally.n], minlength=tally.n_sources
    )
    met = np.zeros(tally.n_sources, dtype=bool)
    for side, other_side in ((tally.i, tally.j), (tally.j, tally.i)):
        met[side[(tally.n > 0) & (inside[other_side] | ~inside.any())]] = True
    figures = []
    for at in range(tally.n_sources):
        votes = int(n[at])
        if not inside[at] or values is None:
            figures.append(absent(_UNBOUNDED if met[at] else _APART, votes))
        elif not spreads or not spreads[at].variance:
            figures.append(Figure(float(values[at]), votes))
        else:
            figures.append(
                clustering.normal(
                    float(values[at]),
                    votes,
                    spreads[at].variance,
                    n_prompts=n_prompts,
                    df=spreads[at].df,
                    about=spreads[at].about,
                )
            )
    return tuple(figures)


def _davidson(
    tally: _Tally, baseline: int, inside: np.ndarray
) -> tuple[tuple[Figure, ...], float | None]:
    is_used = (tally.n > 0) & inside[tally.i] & inside[tally.j]
    fit = with_ties(
        left=tally.i[is_used],
        right=tally.j[is_used],
        labels=tally.label[is_used],
        weights=tally.n[is_used],
    )
    if fit.values is None:
        note = _ONE_WAY if (is_used & (tally.label != 0)).any() else _TIED
        return tuple(absent(note, int(tally.n.sum())) for _ in range(tally.n_sources)), None
    values = np.zeros(tally.n_sources)
    values[fit.items] = fit.values
    nu = fit.tie or 0.0
    delta = values[tally.i] - values[tally.j]
    worth = np.exp(np.abs(delta) / 2)
    total = worth + 1 / worth + nu
    better, tie = np.where(delta > 0, worth, 1 / worth) / total, nu / total
    lead = 2 * better - 1 + tie  # P(i wins) − P(j wins)
    by_delta = np.choose(tally.label + 1, [(1 - lead) / 2, -lead / 2, -(1 + lead) / 2]) * is_used
    by_theta = (np.where(tally.label == 0, 1.0, 0.0) - tie) * is_used
    n = tally.n * is_used
    size = tally.n_sources + 1
    signs = _signs(tally, size)
    # Expected information of one vote, in the difference of strengths and in log ν.
    parts = np.stack([(1 - tie - lead**2) / 4, -lead * tie / 2, tie * (1 - tie)])
    information = (signs * (n * parts[0])[:, None]).T @ signs
    cross = (signs * (n * parts[1])[:, None]).sum(axis=0)
    information[-1] += cross
    information[:, -1] += cross
    information[-1, -1] = float((n * parts[2]).sum())
    scores = signs * by_delta[:, None]
    scores[:, -1] = by_theta
    n_prompts = _n_prompts(tally, is_used)
    spreads = _spreads(information, scores, tally, baseline, is_used)
    tie_share = nu / (2 + nu) if fit.tie is not None else None
    figures = _by_source(tally, values - values[baseline], inside, spreads, n_prompts)
    return figures, tie_share


def _with_reliability(
    tally: _Tally, baseline: int, known: Mapping[int, tuple[float, float]]
) -> tuple[Figure, ...]:
    """Ties are left out: they give no evidence of who errs. A rater starts with the votes that
    their reliability is based on.
    """
    decided = (tally.n > 0) & (tally.label != 0)
    together = _together(tally, decided)
    inside = together == together[baseline]
    is_used = decided & inside[tally.i] & inside[tally.j]
    n_known = tally.n[is_used & np.isin(tally.rater, list(known))].sum()
    if not is_used.any():
        return _by_source(tally, None, np.zeros(tally.n_sources, dtype=bool))
    if 2 * n_known < tally.n[is_used].sum():
        return tuple(absent(_UNKNOWN, int(tally.n.sum())) for _ in range(tally.n_sources))
    prior = {rater: _start(*counts) for rater, counts in known.items()}
    first_won = tally.label[is_used] < 0
    fit = rater_aware(
        winners=np.where(first_won, tally.i[is_used], tally.j[is_used]),
        losers=np.where(first_won, tally.j[is_used], tally.i[is_used]),
        raters=tally.rater[is_used],
        weights=tally.n[is_used],
        prior=prior,
        ridge=_RIDGE,
        rounds=ROUNDS,
    )
    assert fit.strengths.values is not None  # a ridge holds every strength
    values, eta = np.zeros(tally.n_sources), np.full(tally.n_raters, RIGHT / (RIGHT + WRONG))
    values[fit.strengths.items] = fit.strengths.values
    eta[fit.raters.astype(np.int64)] = fit.eta
    information, scores = _of_reliable(tally, is_used, values, eta, prior)
    n_prompts = _n_prompts(tally, is_used)
    spreads = _spreads(information, scores, tally, baseline, is_used)
    return _by_source(tally, values - values[baseline], inside, spreads, n_prompts)


def _start(share: float, n: float) -> tuple[float, float]:
    """Right and wrong votes: what is known, plus the default prior."""
    return RIGHT + share * n, WRONG + (1 - share) * n


def _of_reliable(
    tally: _Tally,
    is_used: np.ndarray,
    values: Floats,
    eta: Floats,
    prior: Mapping[int, tuple[float, float]],
) -> tuple[Floats, Floats]:
    """Information on strengths, and scores by cell, after profiling out the raters' own rates."""
    follows = eta[tally.rater]
    p = expit(values[tally.i] - values[tally.j])
    wins = follows * p + (1 - follows) * (1 - p)  # P(i wins)
    by_delta, by_eta = (2 * follows - 1) * p * (1 - p), 2 * p - 1  # of P(i wins)
    n = tally.n * is_used / (wins * (1 - wins))
    # Raters' accuracies are unknown too: their information is subtracted (a Schur complement), so
    # that the strengths' errors include that uncertainty.
    start = np.array([prior.get(rater, (RIGHT, WRONG)) for rater in range(tally.n_raters)])
    of_start = start[:, 0] / eta**2 + start[:, 1] / (1 - eta) ** 2
    of_eta = np.bincount(tally.rater, weights=n * by_eta**2, minlength=tally.n_raters) + of_start
    signs = _signs(tally, tally.n_sources)
    both = np.stack(
        [
            np.bincount(tally.rater, weights=n * by_delta * by_eta * of, minlength=tally.n_raters)
            for of in signs.T
        ]
    )
    information = (signs * (n * by_delta**2)[:, None]).T @ signs - (both / of_eta) @ both.T
    information += _RIDGE * np.eye(tally.n_sources)
    gain = np.where(tally.label < 0, 1 / wins, -1 / (1 - wins)) * is_used
    scores = (
        signs * (gain * by_delta)[:, None]
        - (both / of_eta).T[tally.rater] * (gain * by_eta)[:, None]
    )
    return information, scores


def _signs(tally: _Tally, size: int) -> Floats:
    """By cell, +1 for the first source and −1 for the second. (cells, size)"""
    signs = np.zeros((len(tally.n), size))
    cells = np.arange(len(tally.n))
    signs[cells, tally.i] = 1.0
    signs[cells, tally.j] = -1.0
    return signs


def _n_prompts(tally: _Tally, is_used: np.ndarray) -> int:
    return len(np.unique(tally.prompt[is_used[tally.cell]]))


def _spreads(
    information: Floats, scores: Floats, tally: _Tally, baseline: int, is_used: np.ndarray
) -> list[Spread]:
    """The variance of each source's distance to the baseline; 0 for the baseline's own."""
    independent = np.linalg.pinv(information, hermitian=True)
    # Each strength minus the baseline's.
    reach = np.eye(len(information))[: tally.n_sources] - np.eye(len(information))[baseline]
    alone = np.einsum("sa,ab,sb->s", reach, independent, reach)
    influence = scores @ independent @ reach.T  # of a vote, by cell: (cells, sources)
    cell, prompt = tally.cell[is_used[tally.cell]], tally.prompt[is_used[tally.cell]]
    # Votes by one rater on one prompt are added up first: there are several on each ranking.
    both, names = codes(prompt * tally.n_raters + tally.rater[cell])
    n_votes = np.bincount(both)
    prompts, raters = np.divmod(names.astype(np.int64), tally.n_raters)
    spreads = []
    for at in range(tally.n_sources):
        sums = np.asarray(np.bincount(both, weights=influence[cell, at]), dtype=float)
        spread = cluster_variance.by_prompts_and_raters(sums, prompts, raters, n_votes)
        spreads.append(spread.at_least(float(alone[at])))
    return spreads
