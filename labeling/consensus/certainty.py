"""How sure the votes on a handful of pairs are, with raters whose reliability is known: cheap
enough for every submit.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from labeling.consensus.votes import _posterior, _Votes
from labeling.figures import Floats, codes

USUAL_ACCURACY = 0.75
"""How often a rater puts a pair right of whom nothing is known: published agreement on preferences
lies at 72 to 77 %.
"""
ACCURACIES = (0.4, 0.95)
"""Nobody counts as worse than chance on three labels, and nobody as infallible."""
_LABELS = 3


def certainty(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, accuracy: Mapping[int, float]
) -> float:
    """The mean over pairs of how likely the likeliest label is (see `likely`); 0 without votes."""
    posterior = likely(units=units, raters=raters, labels=labels, accuracy=accuracy)
    return float(posterior.max(axis=1).mean()) if posterior.size else 0.0


def likely(
    *, units: ArrayLike, raters: ArrayLike, labels: ArrayLike, accuracy: Mapping[int, float]
) -> Floats:
    """How likely the labels −1, 0 and 1 (left, tie, right) are for each unit, in the order of the
    units' numbers. (units, 3)

    The one-coin model of Dawid and Skene with one E step: `accuracy` by rater is given and not
    fitted, the labels are equally likely beforehand, and who errs gives either other label alike.
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
    votes = _Votes(unit, rater * _LABELS + label, len(unit_names), len(rater_names), _LABELS)
    posterior, _log_likelihood = _posterior(votes, np.full(_LABELS, 1 / _LABELS), errors)
    return posterior
