"""What a campaign's rankings say about its raters and about itself, as JSON for a report: pure, no Django, no database.

The formulas are next door, in labeling.agreement, labeling.bias and labeling.consensus; here they meet the votes of one campaign.
"""

from labeling.measures.agreeing import agreement_of, by_item, matrix_of, split_items
from labeling.measures.habits import habits_of
from labeling.measures.raters import rater_measures
from labeling.measures.votes import Record, Votes, as_figure, as_record

__all__ = [
    "Record",
    "Votes",
    "agreement_of",
    "as_figure",
    "as_record",
    "by_item",
    "habits_of",
    "matrix_of",
    "rater_measures",
    "split_items",
]
