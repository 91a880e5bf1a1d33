"""What a campaign's rankings say about its raters and the campaign itself, as JSON for a report.
Pure: no Django, no database.

The formulas are in labeling.agreement, labeling.bias and labeling.consensus; this package applies
them to one campaign's votes.
"""

from labeling.measures.against import OtherVotes, with_golds, with_order, with_pools
from labeling.measures.agreeing import agreement_of, by_item, matrix_of, split_items
from labeling.measures.behind import judgments_behind
from labeling.measures.consensus import PairConsensus, Place, consensus_by_pair, places
from labeling.measures.contests import contests_of
from labeling.measures.groups import RaterGroup, groups_of, shown_answers
from labeling.measures.habits import habits_of
from labeling.measures.raters import rater_measures
from labeling.measures.strengths import strengths_of
from labeling.measures.votes import Grouping, Record, Truths, Votes, as_figure, as_record
from labeling.measures.wording import ExpertVotes, confident_wording

__all__ = [
    "ExpertVotes",
    "Grouping",
    "OtherVotes",
    "PairConsensus",
    "Place",
    "RaterGroup",
    "Record",
    "Truths",
    "Votes",
    "agreement_of",
    "as_figure",
    "as_record",
    "by_item",
    "confident_wording",
    "consensus_by_pair",
    "contests_of",
    "groups_of",
    "habits_of",
    "judgments_behind",
    "matrix_of",
    "places",
    "rater_measures",
    "shown_answers",
    "split_items",
    "strengths_of",
    "with_golds",
    "with_order",
    "with_pools",
]
