"""Whether a reward model's margins are probabilities: expected calibration error, and the
temperature that fits them.

A reward model says that the better of two responses wins with probability sigmoid(margin)
(Bradley and Terry 1952). Its confidence is the probability of the response that it prefers.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

N_BINS = 10
_COLDEST, _HOTTEST = 1e-3, 1e3
Floats = npt.NDArray[np.float64]


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


def ece(margins: Floats) -> float:
    """Expected calibration error (Naeini et al. 2015) in N_BINS bins of equal width over the
    confidences .5 to 1. A tie is half right.
    """
    confidence = _sigmoid(np.abs(margins))
    right = np.where(margins > 0, 1.0, np.where(margins == 0, 0.5, 0.0))
    bins = np.minimum(((confidence - 0.5) * 2 * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(margins))


def temperature(margins: Floats) -> float:
    """What the margins are divided by to make these outcomes most likely (Guo et al. 2017). Ends
    at 1/1000 or 1000 where the data set no bound: every pair right, or at most half of them.
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
