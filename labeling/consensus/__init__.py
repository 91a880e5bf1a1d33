"""What raters say collectively, and how much weight each deserves: pure formulas, no Django, no
database.
"""

from labeling.consensus.certainty import USUAL_ACCURACY, certainty, likely
from labeling.consensus.compared import Compared, compared
from labeling.consensus.strengths import (
    RaterAware,
    Strengths,
    TieModel,
    bradley_terry,
    rater_aware,
    with_ties,
)
from labeling.consensus.votes import (
    Consensus,
    Majority,
    Reliability,
    dawid_skene,
    majority,
    one_coin,
    reliability,
)

__all__ = [
    "USUAL_ACCURACY",
    "Compared",
    "Consensus",
    "Majority",
    "RaterAware",
    "Reliability",
    "Strengths",
    "TieModel",
    "bradley_terry",
    "certainty",
    "compared",
    "dawid_skene",
    "likely",
    "majority",
    "one_coin",
    "rater_aware",
    "reliability",
    "with_ties",
]
