"""Whether a reward model's margins are probabilities: expected calibration error, and the
temperature that fits them.

A reward model says that the better of two responses wins with probability sigmoid(margin)
(Bradley and Terry 1952). Its confidence is the probability of the response that it prefers.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from arithmetic import cluster_variance
from arithmetic.figures import codes

N_BINS = 10
_COLDEST, _HOTTEST = 1e-3, 1e3
Floats = npt.NDArray[np.float64]


_Z_ONE_SIDED = 1.6448536269514722
"""The standard normal's 95 % quantile."""


@dataclass(frozen=True)
class Calibration:
    """Expected calibration error before and after division of all margins by `temperature`."""

    n: int
    ece: float
    temperature: float
    ece_after: float

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def of_margins(margins: Sequence[float]) -> Calibration:
    """`margins`: reward of the better response minus reward of the worse, one a pair."""
    values = np.asarray(margins, dtype=np.float64)
    best = temperature(values)
    return Calibration(len(values), ece(values), best, ece(values / best))


@dataclass(frozen=True)
class CrossFitted:
    """The calibration error that new prompts can expect: each half of the prompts has the
    temperature that fits the other half. `temperature` fits all of them.

    `by_chance` is the error that a perfectly calibrated model would show on so few pairs, and
    `by_chance_high` what it exceeds in 5 % of cases.
    """

    temperature: float
    ece_before: float
    ece_after: float
    by_chance: float
    by_chance_high: float


def cross_fitted(margins: Sequence[float], prompts: Sequence[int]) -> CrossFitted:
    """Needs two prompts or more. The halves are drawn with a fixed seed."""
    values = np.asarray(margins, dtype=np.float64)
    prompt = codes(prompts)[0]
    place = np.random.default_rng(0).permutation(int(prompt.max()) + 1)
    is_first = place[prompt] < len(place) // 2
    fitted = np.where(is_first, temperature(values[~is_first]), temperature(values[is_first]))
    mean, high = _by_chance(values / fitted, prompt)
    return CrossFitted(temperature(values), ece(values), ece(values / fitted), mean, high)


def _by_chance(margins: Floats, prompt: npt.NDArray[np.int64]) -> tuple[float, float]:
    """The mean of a calibrated model's error, and its 95 % quantile. The error is the sum over bins
    of |gap|. Gaps are about normal around 0, with the variance of independent pairs or that between
    prompts, whichever is larger; |gap| is then half-normal.
    """
    confidence, gap, bins = _by_bin(margins)
    variances = []
    for number in np.unique(bins):
        here = bins == number
        independent = float((confidence * (1 - confidence))[here].sum())
        centred = gap[here] - gap[here].mean()
        variances.append(max(independent, cluster_variance.of_rows(centred, prompt[here])))
    mean = sum(math.sqrt(variance * 2 / math.pi) for variance in variances)
    deviation = math.sqrt(sum(variances) * (1 - 2 / math.pi))
    return mean / len(margins), (mean + _Z_ONE_SIDED * deviation) / len(margins)


def ece(margins: Floats) -> float:
    """Expected calibration error (Naeini et al. 2015) in N_BINS bins of equal width over the
    confidences .5 to 1. A tie is half right.
    """
    _confidence, gap, bins = _by_bin(margins)
    gaps = np.bincount(bins, weights=gap, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(margins))


def _by_bin(margins: Floats) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Each pair's confidence, how far it lies above being right, and the number of its bin."""
    confidence = _sigmoid(np.abs(margins))
    right = np.where(margins > 0, 1.0, np.where(margins == 0, 0.5, 0.0))
    bins = np.minimum(((confidence - 0.5) * 2 * N_BINS).astype(np.int64), N_BINS - 1)
    return confidence, confidence - right, bins


def temperature(margins: Floats) -> float:
    """What the margins are divided by to make these outcomes most likely (Guo et al. 2017). Ends
    at 1/1000 or 1000 where the dataset no bound: every pair right, or at most half of them.
    """
    solution = minimize_scalar(
        lambda log: _loss(margins / np.exp(log)),
        bounds=(np.log(_COLDEST), np.log(_HOTTEST)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(np.exp(solution.x))


def _loss(margins: Floats) -> float:
    """The mean of −log sigmoid(margin)."""
    return float(np.logaddexp(0.0, -margins).mean())


def _sigmoid(values: Floats) -> Floats:
    sigmoid: Floats = np.exp(-np.logaddexp(0.0, -values))
    return sigmoid
