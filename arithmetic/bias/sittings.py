"""Whether a rater does worse late in a sitting, in the last third, or in some sittings."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from arithmetic.bias.candidates import Candidate
from arithmetic.bias.following import Following
from arithmetic.bias.thresholds import Thresholds
from arithmetic.figures import Floats, Ints

_USUAL_SPREAD = 0.2
"""of skill: about that of raters who order 70 to 90 % of pairs correctly"""
_PRIOR_RATERS = 8
"""and how many raters' evidence it is worth"""


def minutes_in_sitting(at_s: Floats, pause_s: float) -> Floats:
    """Minutes since the start of the sitting, for sorted times; a pause longer than `pause_s`
    starts a new sitting.
    """
    if not at_s.size:
        return at_s
    starts = np.r_[True, np.diff(at_s) > pause_s]
    began = at_s[starts][np.cumsum(starts) - 1]
    return np.asarray((at_s - began) / 60, dtype=float)


def skill_spread(following: Following, of_rater: tuple[Ints, ...], thresholds: Thresholds) -> float:
    """How far honest raters differ beyond what luck gives: the standard deviation of their true
    slopes, from the mean deviation of those above the typical rater, where nobody is careless.
    """
    slopes = [following.slope(of) for of in of_rater if len(of) >= thresholds.n_judgments]
    known = np.array([(slope, se) for slope, se in slopes if math.isfinite(se)]).reshape(-1, 2)
    above = known[known[:, 0] >= thresholds.careful]
    observed = 0.0
    if len(above):
        deviation = 1.2533 * float(np.mean(above[:, 0] - thresholds.careful))
        observed = max(deviation**2 - float(np.median(above[:, 1])) ** 2, 0.0)
    # In a small pool the estimate is little more than luck, so it starts from a usual spread.
    total = len(above) * observed + _PRIOR_RATERS * _USUAL_SPREAD**2
    return math.sqrt(total / (len(above) + _PRIOR_RATERS))


def worse_part(
    following: Following,
    of_rater: tuple[Ints, ...],
    late: list[NDArray[np.bool_]],
    thresholds: Thresholds,
) -> list[Candidate]:
    """Tests whether each rater follows the others less in the later part than the earlier one
    lets expect.

    A steady rater, however good, has no fall: so the test is on the fall, and the later part must
    be poor as well. A short earlier part says little, so it is drawn towards the typical rater as
    far as raters are alike (empirical Bayes).
    """
    tested = []
    spread = skill_spread(following, of_rater, thresholds)
    for at, of in enumerate(of_rater):
        before, after = of[~late[at]], of[late[at]]
        if min(len(before), len(after)) < thresholds.n_judgments:
            continue
        overall = following.slope(of)[0]
        early, early_se = following.slope(before, overall)
        slope, late_se = following.slope(after, overall)
        if not math.isfinite(early_se) or not math.isfinite(late_se):
            continue
        trust = spread**2 / (spread**2 + early_se**2)
        expected = trust * early + (1 - trust) * thresholds.careful
        error = math.hypot(math.sqrt(trust) * early_se, late_se)
        p = float(ndtr((slope - expected) / error))
        is_large = slope <= thresholds.poor and early - slope >= thresholds.fall
        tested.append(Candidate(at, slope, early, len(after), p, is_large, shown_by=after))
    return tested


def uneven(
    following: Following, of_rater: tuple[Ints, ...], at_s: Floats, thresholds: Thresholds
) -> list[Candidate]:
    """Tests whether a rater's sittings differ more than luck lets them: Cochran's Q over the
    slopes of sittings. The careless sittings are those below the rater's own mean.
    """
    tested = []
    for at, of in enumerate(of_rater):
        if not len(of):
            continue
        number = np.cumsum(np.r_[True, np.diff(at_s[of]) > thresholds.pause_s])
        sittings = [of[number == sitting] for sitting in np.unique(number).tolist()]
        test = _sittings_differ(
            following,
            following.slope(of)[0],
            [sitting for sitting in sittings if len(sitting) >= thresholds.n_judgments],
        )
        if test is not None:
            low, high, judgments, p = test
            is_large = low <= thresholds.poor and high - low >= thresholds.fall
            tested.append(Candidate(at, low, high, len(judgments), p, is_large, shown_by=judgments))
    return tested


def _sittings_differ(
    following: Following, overall: float, sittings: list[Ints]
) -> tuple[float, float, Ints, float] | None:
    """(slope of the lower sittings, slope of the others, judgments of the lower, p-value)"""
    known_slopes = [(sitting, *following.slope(sitting, overall)) for sitting in sittings]
    known = [
        (sitting, slope, se) for sitting, slope, se in known_slopes if math.isfinite(se) and se > 0
    ]
    if len(known) < 2:
        return None
    slopes, weight = np.array([slope for _, slope, _ in known]), np.array([se for *_, se in known])
    weight = 1 / weight**2
    mean = float((weight * slopes).sum() / weight.sum())
    q = float((weight * (slopes - mean) ** 2).sum())
    low = [sitting for sitting, slope, _ in known if slope < mean]
    high = [sitting for sitting, slope, _ in known if slope >= mean]
    if not low or not high:
        return None
    lower = np.concatenate(low)
    p = float(chdtrc(len(known) - 1, q))
    return following.slope(lower)[0], following.slope(np.concatenate(high))[0], lower, p
