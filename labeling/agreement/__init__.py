"""How far raters agree, computed from plain numbers: pure formulas, no Django, no database.

Every function returns a number, or a sentence that says why there is none. For preferences, careful
pools reach a raw agreement of 72 to 77 % and an alpha of 0.2 to 0.5: compare with the project's own
history, not with a textbook's 0.667.
"""

from labeling.agreement.alpha import Metric, krippendorff
from labeling.agreement.kappas import (
    Weighting,
    brennan_prediger,
    cohen,
    cohen_of_table,
    conger,
    fleiss,
    fleiss_of_table,
    gwet,
)
from labeling.agreement.orders import Match, match, n_decided
from labeling.agreement.pairs import (
    Agreement,
    Matrix,
    PairVotes,
    RankVote,
    Ties,
    agreement_by_rater,
    by_unit,
    expand,
    matrix,
    raw,
    with_gold_labels,
    with_oneself,
)
from labeling.agreement.scales import (
    Icc,
    Tested,
    icc,
    icc_of_some,
    kendall_tau,
    kendall_w,
    mean_tau,
    mean_w,
    score_table,
)

__all__ = [
    "Agreement",
    "Icc",
    "Match",
    "Matrix",
    "Metric",
    "PairVotes",
    "RankVote",
    "Tested",
    "Ties",
    "Weighting",
    "agreement_by_rater",
    "brennan_prediger",
    "by_unit",
    "cohen",
    "cohen_of_table",
    "conger",
    "expand",
    "fleiss",
    "fleiss_of_table",
    "gwet",
    "icc",
    "icc_of_some",
    "kendall_tau",
    "kendall_w",
    "krippendorff",
    "match",
    "matrix",
    "mean_tau",
    "mean_w",
    "n_decided",
    "raw",
    "score_table",
    "with_gold_labels",
    "with_oneself",
]
