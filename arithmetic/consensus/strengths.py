"""How strong each response (or model) is, from votes on pairs: Bradley–Terry, with ties after
Davidson.

A strength is a log-ability; the strengths of one connected part have mean zero. Newton's method on
the exact likelihood.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, connected_components
from scipy.sparse.linalg import spsolve
from scipy.special import expit, log_expit

from arithmetic.figures import Floats, Ints, codes

TieModel = Literal["half", "davidson"]
_DENSE = 400
"""The most items for which errors are computed: they need the full inverse."""


@dataclass(frozen=True)
class Strengths:
    """`values` by item, or None and a `note`; a note may also accompany values, to say which
    comparisons they do not support.
    """

    items: np.ndarray
    values: Floats | None
    se: Floats | None = None
    """of the difference to the part's mean; None for large designs"""
    tie: float | None = None
    """Davidson's ν"""
    log_likelihood: float | None = None
    parts: tuple[tuple[int, ...], ...] = ()
    """items connected by comparisons, largest part first; strengths are comparable only within a
    part
    """
    note: str = ""


@dataclass(frozen=True)
class Pairs:
    """Votes on each pair: i beat j `wins` times, lost `losses`, tied `ties`."""

    i: Ints
    j: Ints
    wins: Floats
    losses: Floats
    ties: Floats
    n_items: int


def bradley_terry(
    *, winners: ArrayLike, losers: ArrayLike, weights: ArrayLike | None = None, ridge: float = 0.0
) -> Strengths:
    """Strengths from decided votes, one entry per vote. With `ridge` 0, maximum likelihood.

    Maximum likelihood needs a connected design: when some items never lose to the rest, their
    strengths have no bound, and the note says which. A small ridge (0.1) keeps them finite: a
    normal prior with variance 1 / ridge.
    """
    n = len(np.asarray(winners))
    return with_ties(
        left=winners,
        right=losers,
        labels=np.full(n, -1),
        weights=weights,
        model="half",
        ridge=ridge,
    )


def with_ties(
    *,
    left: ArrayLike,
    right: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    model: TieModel = "davidson",
    ridge: float = 0.0,
) -> Strengths:
    """Strengths from votes −1 (left is better), 0 (tie), +1 (right is better).

    Davidson 1970: P(tie) ∝ ν√(π_i π_j). `half` counts a tie as half a win each way, which shrinks
    the scale.
    """
    place, items = codes(
        np.concatenate([np.asarray(left).reshape(-1), np.asarray(right).reshape(-1)])
    )
    if not place.size:
        return Strengths(items, None, note="There are no comparisons yet.")
    pairs = _collected(place, np.asarray(labels), weights, len(items), is_half=model == "half")
    parts, problem = connection(pairs, items)
    if problem and not ridge:
        return Strengths(items, None, parts=parts, note=problem)
    has_ties = bool(pairs.ties.sum())  # none are left when they count as halves
    if has_ties and not (pairs.wins.sum() + pairs.losses.sum()):
        return Strengths(
            items,
            None,
            parts=parts,
            note="Every comparison was a tie, so no item is stronger than another.",
        )
    if has_ties and not ridge and _is_stretched(pairs):
        note = (
            "No two items beat each other in turn, so wins and ties can be stretched, and maximum"
            " likelihood has no bound."
        )
        return Strengths(items, None, parts=parts, note=note)
    kernel = _KERNELS[model if has_ties else "half"]
    strength, theta, log_likelihood, inverse = _newton(
        pairs, kernel, ridge, parts, items, has_ties=has_ties
    )
    se = np.sqrt(np.maximum(np.diag(inverse)[: len(items)], 0)) if inverse is not None else None
    return Strengths(
        items, strength, se, math.exp(theta) if has_ties else None, log_likelihood, parts, problem
    )


def _collected(
    place: Ints, labels: Ints, weights: ArrayLike | None, n_items: int, *, is_half: bool
) -> Pairs:
    n = len(labels)
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    low, high = np.minimum(place[:n], place[n:]), np.maximum(place[:n], place[n:])
    side = np.where(place[:n] == low, labels, -labels)
    pair, names = codes(low * n_items + high)
    keys = names.astype(np.int64)
    wins, ties, losses = (_sums(pair, weight * (side == at), len(keys)) for at in (-1, 0, 1))
    if is_half:
        wins, losses, ties = wins + ties / 2, losses + ties / 2, np.zeros(len(keys))
    other = keys // n_items != keys % n_items  # an item does not compete with itself
    return Pairs(
        keys[other] // n_items,
        keys[other] % n_items,
        wins[other],
        losses[other],
        ties[other],
        n_items,
    )


def _sums(group: Ints, values: Floats, n_groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=float)


def connection(pairs: Pairs, items: np.ndarray) -> tuple[tuple[tuple[int, ...], ...], str]:
    """The parts that comparisons connect, and a sentence if maximum likelihood has no finite
    answer.
    """
    shape = (pairs.n_items, pairs.n_items)
    won, lost = pairs.wins + pairs.ties > 0, pairs.losses + pairs.ties > 0
    # An edge from each winner to each loser, and both ways for ties.
    edges = csr_matrix(
        (
            np.ones(int(won.sum() + lost.sum())),
            (np.r_[pairs.i[won], pairs.j[lost]], np.r_[pairs.j[won], pairs.i[lost]]),
        ),
        shape=shape,
    )
    _, part = connected_components(edges, directed=False)
    groups = _groups(part, items)
    if len(groups) > 1:
        verb = "was" if sum(map(len, groups[1:])) == 1 else "were"
        return (
            groups,
            (
                f"{_names(groups[1:])} {verb} never compared with the other {len(groups[0])}, so"
                " one scale cannot hold them all."
            ),
        )
    _, strong = connected_components(edges, directed=True, connection="strong")
    if strong.max() > 0:
        outside = _groups(strong, items)[1:]
        whom = "it" if sum(map(len, outside)) == 1 else "them"
        return (
            groups,
            (
                f"{_names(outside)} only won or only lost against the rest, so maximum likelihood"
                f" has no bound for {whom}."
            ),
        )
    return groups, ""


def _is_stretched(pairs: Pairs) -> bool:
    """Whether the tie parameter can grow without bound together with the strengths: every win
    separates two items by at least two steps, every tie by at most two, and some strengths satisfy
    both.
    """
    won, lost, tied = pairs.wins > 0, pairs.losses > 0, pairs.ties > 0
    if bool((won & lost).any()):
        return False
    # As shortest paths: a win of i means s_j − s_i ≤ −2, a tie s_j − s_i ≤ 2 and the reverse; a
    # negative cycle rules it out.
    least = np.where(won, -2.0, 2.0), np.where(lost, -2.0, 2.0)
    up, down = won | tied, lost | tied
    start = np.full(pairs.n_items, pairs.n_items)
    rows = np.r_[pairs.i[up], pairs.j[down], start]
    columns = np.r_[pairs.j[up], pairs.i[down], np.arange(pairs.n_items)]
    lengths = np.r_[least[0][up], least[1][down], np.ones(pairs.n_items)]
    size = pairs.n_items + 1
    try:
        bellman_ford(
            csr_matrix((lengths, (rows, columns)), shape=(size, size)), indices=pairs.n_items
        )
    except NegativeCycleError:
        return False
    return True


def _groups(part: Ints, items: np.ndarray) -> tuple[tuple[int, ...], ...]:
    groups = [tuple(items[part == at].tolist()) for at in range(int(part.max()) + 1)]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))


def _names(groups: tuple[tuple[int, ...], ...]) -> str:
    named = [str(item) for group in groups for item in group]
    shown = ", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else "")
    return f"Item {shown}" if len(named) == 1 else f"Items {shown}"


@dataclass(frozen=True)
class _Slopes:
    """The log-likelihood and its first and second derivatives, by pair, in the difference of
    strengths and in log ν.
    """

    value: float
    by_delta: Floats
    by_theta: Floats
    delta_delta: Floats
    delta_theta: Floats
    theta_theta: Floats


def _half_kernel(pairs: Pairs, delta: Floats, theta: float) -> _Slopes:
    n, p = pairs.wins + pairs.losses, expit(delta)
    none = np.zeros(len(delta))
    value = float((pairs.wins * log_expit(delta) + pairs.losses * log_expit(-delta)).sum())
    return _Slopes(value, pairs.wins - n * p, none, -n * p * (1 - p), none, none)


def _davidson_kernel(pairs: Pairs, delta: Floats, theta: float) -> _Slopes:
    logits = np.stack([delta / 2, -delta / 2, np.full(len(delta), theta)])
    log_p = logits - np.logaddexp.reduce(logits, axis=0)
    win, loss, tie = np.exp(log_p)
    n = pairs.wins + pairs.losses + pairs.ties
    value = float((pairs.wins * log_p[0] + pairs.losses * log_p[1] + pairs.ties * log_p[2]).sum())
    lead = win - loss
    return _Slopes(
        value,
        (pairs.wins - pairs.losses) / 2 - n * lead / 2,
        pairs.ties - n * tie,
        -n / 4 * (win + loss - lead**2),
        n * lead * tie / 2,
        -n * tie * (1 - tie),
    )


_Kernel = Callable[[Pairs, Floats, float], _Slopes]
_KERNELS: dict[TieModel, _Kernel] = {
    "half": _half_kernel,
    "davidson": _davidson_kernel,
}
_START = 0.5
"""θ at the start."""
_STEPS = 200


def _newton(
    pairs: Pairs,
    kernel: _Kernel,
    ridge: float,
    parts: tuple[tuple[int, ...], ...],
    items: np.ndarray,
    *,
    has_ties: bool,
) -> tuple[Floats, float, float, Floats | None]:
    """Maximises the concave likelihood by Newton's method; returns (strengths, θ, log-likelihood,
    covariance or None).
    """
    n = pairs.n_items
    belongs = np.empty(n, dtype=np.int64)
    for at, group in enumerate(parts):
        belongs[np.searchsorted(items, np.asarray(group))] = at
    state = np.append(np.zeros(n), _START if has_ties else 0.0)
    for _ in range(_STEPS):
        slopes = _slopes(pairs, kernel, state)
        gradient = _gradient(pairs, slopes, state, ridge, has_ties=has_ties)
        step = np.zeros(n + 1)
        step[: len(gradient)] = spsolve(
            _information(pairs, slopes, ridge, has_ties=has_ties).tocsc(), gradient
        )
        moved = _line_search(pairs, kernel, state, step, belongs, ridge)
        shift = float(np.abs(moved - state).max())
        state = moved
        if shift < 1e-10:
            break
    slopes = _slopes(pairs, kernel, state)
    inverse = (
        _inverse(_information(pairs, slopes, ridge, has_ties=has_ties), belongs, n)
        if n <= _DENSE
        else None
    )
    return state[:n], float(state[n]), slopes.value, inverse


def _slopes(pairs: Pairs, kernel: _Kernel, state: Floats) -> _Slopes:
    return kernel(pairs, state[pairs.i] - state[pairs.j], float(state[-1]))


def _line_search(
    pairs: Pairs, kernel: _Kernel, state: Floats, step: Floats, belongs: Ints, ridge: float
) -> Floats:
    """Takes the step, halved until the likelihood does not fall; returns the old state if it always
    does.
    """
    n = pairs.n_items

    def height(at: Floats) -> float:
        return _slopes(pairs, kernel, at).value - ridge / 2 * float((at[:n] ** 2).sum())

    now, scale = height(state), 1.0
    while scale > 1e-10:
        moved = _centred(state + scale * step, belongs, n)
        if height(moved) >= now - 1e-12 * (1 + abs(now)):
            return moved
        scale /= 2
    return state


def _centred(state: Floats, belongs: Ints, n: int) -> Floats:
    means = np.bincount(belongs, weights=state[:n]) / np.bincount(belongs)
    return np.append(state[:n] - means[belongs], state[n])


def _gradient(
    pairs: Pairs, slopes: _Slopes, state: Floats, ridge: float, *, has_ties: bool
) -> Floats:
    n = pairs.n_items
    up = _sums(pairs.i, slopes.by_delta, n) - _sums(pairs.j, slopes.by_delta, n) - ridge * state[:n]
    return np.append(up, slopes.by_theta.sum()) if has_ties else up


def _information(pairs: Pairs, slopes: _Slopes, ridge: float, *, has_ties: bool) -> csr_matrix:
    """The negative Hessian with a tiny ridge on the diagonal: a whole part can shift without
    changing the likelihood.
    """
    n = pairs.n_items
    i, j, h = pairs.i, pairs.j, -slopes.delta_delta
    cross = -slopes.delta_theta
    size = n + 1 if has_ties else n
    rows, columns, cells = [i, j, i, j], [i, j, j, i], [h, h, -h, -h]
    if has_ties:
        last = np.full(len(i), n)
        rows += [i, j, last, last, last]
        columns += [last, last, i, j, last]
        cells += [cross, -cross, cross, -cross, -slopes.theta_theta]
    table = coo_matrix(
        (np.concatenate(cells), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size)
    ).tocsr()
    hair = np.full(size, ridge + 1e-9 * max(1.0, float(h.max(initial=0.0))))
    return csr_matrix(table + diags(hair))


def _inverse(curve: csr_matrix, belongs: Ints, n: int) -> Floats:
    """The covariance of strengths about their part's mean."""
    covariance = np.linalg.inv(curve.toarray())
    together = (belongs[:, None] == belongs[None, :]) / np.bincount(belongs)[belongs][:, None]
    centre = np.eye(len(covariance))
    centre[:n, :n] -= together
    return np.asarray(centre @ covariance @ centre.T, dtype=float)


RIGHT, WRONG = 4.0, 1.0
"""Prior votes of a rater about whom nothing is known."""


@dataclass(frozen=True)
class RaterAware:
    """Strengths that weight raters by reliability: η is how often a rater follows the strengths, ½
    is noise.
    """

    strengths: Strengths
    raters: np.ndarray
    eta: Floats
    n_votes: Floats
    n_rounds: int


def rater_aware(
    *,
    winners: ArrayLike,
    losers: ArrayLike,
    raters: ArrayLike,
    weights: ArrayLike | None = None,
    prior: Mapping[int, tuple[float, float]] | None = None,
    ridge: float = 0.1,
    right: float = RIGHT,
    wrong: float = WRONG,
    rounds: int = 200,
) -> RaterAware:
    """Bradley–Terry with raters (Chen 2013, "Crowd-BT"): P(i beats j | rater) = η σ(s_i − s_j) + (1
    − η) σ(s_j − s_i), by EM.

    `right` and `wrong` are each rater's prior votes: without this anchor, flipping all raters would
    fit equally well. `prior` replaces them for raters about whom more is known. `weights` is how
    often each entry was voted.
    """
    rater, rater_names = codes(raters)
    winner, loser = np.asarray(winners), np.asarray(losers)
    weight = np.ones(len(winner)) if weights is None else np.asarray(weights, dtype=float)
    start = np.array(
        [(prior or {}).get(int(name), (right, wrong)) for name in rater_names.tolist()]
    ).reshape(-1, 2)
    eta = start[:, 0] / start.sum(axis=1)
    n_votes = np.asarray(
        np.bincount(rater, weights=weight, minlength=len(rater_names)), dtype=float
    )
    follows = eta[rater]
    strengths, done = (
        Strengths(np.zeros(0, dtype=np.int64), None, note="There are no comparisons yet."),
        0,
    )
    while rater.size and done < rounds:
        done += 1
        strengths = bradley_terry(
            winners=np.r_[winner, loser],
            losers=np.r_[loser, winner],
            # A vote counts as a win in part and as a loss in part.
            weights=np.r_[weight * follows, weight * (1 - follows)],
            ridge=ridge,
        )
        if strengths.values is None:
            break
        p = expit(
            strengths.values[np.searchsorted(strengths.items, winner)]
            - strengths.values[np.searchsorted(strengths.items, loser)]
        )
        # E step: the probability that the rater followed the strengths in this vote.
        agreed = eta[rater] * p
        follows = agreed / (agreed + (1 - eta[rater]) * (1 - p))
        moved = np.bincount(rater, weights=weight * follows, minlength=len(eta)) + start[:, 0]
        moved = moved / (n_votes + start.sum(axis=1))
        shift = float(np.abs(moved - eta).max())
        eta = moved
        if shift < 1e-6:
            break
    return RaterAware(strengths, rater_names, eta, n_votes, done)
