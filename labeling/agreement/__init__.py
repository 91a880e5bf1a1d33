"""How far raters agree, computed from plain numbers: pure formulas, no Django, no database.

Every function returns a number, or a sentence that says why there is none. For preferences, careful
pools reach a raw agreement of 72 to 77 % and an alpha of 0.2 to 0.5: compare with the project's own
history, not with a textbook's 0.667.
"""

from labeling.agreement.alpha import Metric, krippendorff
from labeling.agreement.kappas import (
    Weighting,
    cohen_of_table,
    fleiss,
    gwet,
)
from labeling.agreement.orders import Match, match, n_decided
from labeling.agreement.pairs import (
    Matrix,
    PairVotes,
    Ties,
    by_unit,
    expand,
    matrix,
    raw,
    with_oneself,
)
from labeling.agreement.scales import (
    icc_of_some,
    mean_tau,
    mean_w,
)

__all__ = [
    "Match",
    "Matrix",
    "Metric",
    "PairVotes",
    "Ties",
    "Weighting",
    "by_unit",
    "cohen_of_table",
    "expand",
    "fleiss",
    "gwet",
    "icc_of_some",
    "krippendorff",
    "match",
    "matrix",
    "mean_tau",
    "mean_w",
    "n_decided",
    "raw",
    "with_oneself",
]
