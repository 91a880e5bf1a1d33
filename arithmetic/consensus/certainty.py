"""How certain the votes on a few pairs are, given each rater's reliability: cheap enough to run on
every submit.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from arithmetic.consensus.votes import LabelledVotes, posterior_of
from arithmetic.figures import Floats, codes

USUAL_ACCURACY = 0.75
"""The assumed accuracy per pair of a rater about whom nothing is known: published agreement on
preferences is 72 to 77 %.
"""
ACCURACIES = (0.4, 0.95)
"""Bounds on an accuracy: nobody counts as worse than chance on three labels, and nobody as
infallible.
"""
_LABELS = 3


def certainty(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, accuracy: Mapping[int, float]
) -> float:
    """The mean over pairs of the likeliest label's probability (see `likely`); 0 without votes."""
    posterior = likely(units=units, raters=raters, labels=labels, accuracy=accuracy)
    return float(posterior.max(axis=1).mean()) if posterior.size else 0.0


def likely(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, accuracy: Mapping[int, float]
) -> Floats:
    """The probability of the labels −1, 0 and 1 (left, tie, right) for each unit, ordered by the
    units' numbers. (units, 3)

    The one-coin model of Dawid and Skene with one E step: `accuracy` by rater is given and not
    fitted, the prior over labels is uniform, and a rater who errs gives either other label with
    equal probability.
    """
    label = np.asarray(labels, dtype=np.int64) + 1
    if not label.size:
        return np.zeros((0, _LABELS))
    unit, unit_names = codes(units)
    rater, rater_names = codes(raters)
    right = np.clip(
        [accuracy.get(int(name), USUAL_ACCURACY) for name in rater_names.tolist()], *ACCURACIES
    )
    errors = np.repeat(((1 - right) / (_LABELS - 1))[:, None, None], _LABELS, axis=1).repeat(
        _LABELS, axis=2
    )
    errors[:, np.arange(_LABELS), np.arange(_LABELS)] = right[:, None]
    votes = LabelledVotes(unit, rater * _LABELS + label, len(unit_names), len(rater_names), _LABELS)
    posterior, _log_likelihood = posterior_of(votes, np.full(_LABELS, 1 / _LABELS), errors)
    return posterior
