"""Confident wording, on pairs whose better response an expert decided: do raters mistake the more
confident one for the better one?
"""

from dataclasses import dataclass

import numpy as np

from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.bias import shares, wording
from arithmetic.figures import Figure, Floats, Ints, absent, gettext_noop
from labeling.quality.measures.behind import LISTED_OF_RATER, latest
from labeling.votes.arrays import Record, as_record

LEAST_VOTES = 20
"""Minimum votes of a rater for a result about them."""


@dataclass(frozen=True)
class ExpertVotes:
    """Raters' rankings of items whose order an expert decided, one row per ranked response."""

    judgment: Ints
    item: Ints
    prompt: Ints
    rater: Ints
    response: Ints
    rank: Floats
    """NaN is unranked"""
    expert_rank: Floats
    """from the adjudication or the gold; NaN is undecided"""
    confidence: Floats
    """bias.wording.confidence of the response; NaN if its prompt is not in English"""


def confident_wording(votes: ExpertVotes) -> Record:
    """How often raters are wrong, according to an expert, in favour of the more confident of two
    responses, and how often in favour of the other.

    Uses decided votes on pairs that the expert decides and that differ in confidence; clustered by
    prompt and rater. Empty without an expert's order. `behind`: the judgments with such a vote.
    `raters`: the same by rater, from LEAST_VOTES votes on.
    """
    pairs = agreement_pairs.expand(
        items=votes.item, raters=votes.rater, responses=votes.response, ranks=votes.rank
    )
    right = np.sign(votes.expert_rank[pairs.row] - votes.expert_rank[pairs.other_row])
    decided = (np.abs(right) == 1) & (pairs.label != 0)  # false for NaN and ties
    if not decided.any():
        return {}
    surer = wording.surer(
        votes.confidence[pairs.row], votes.confidence[pairs.other_row]
    )  # 1: the left one
    applies = decided & (np.abs(surer) == 1)
    is_wrong = pairs.label != right
    surer_is_worse = surer == right  # label −1 is the left one
    towards, away = applies & surer_is_worse, applies & ~surer_is_worse
    groups = {"prompts": votes.prompt[pairs.row], "raters": pairs.rater}
    judgment = votes.judgment[pairs.row]
    return {
        "towards": as_record(_share(is_wrong, towards, groups)),
        "away": as_record(_share(is_wrong, away, groups)),
        "gap": as_record(
            _gap(
                is_wrong[applies],
                surer_is_worse[applies],
                {name: group[applies] for name, group in groups.items()},
            )
        ),
        "raters": _by_rater(
            is_wrong, surer_is_worse, applies, votes.prompt[pairs.row], pairs.rater, judgment
        ),
        "n_told": int(decided.sum()),
        "n_alike": int((decided & (surer == 0)).sum()),
        "n_not_english": int((decided & np.isnan(surer)).sum()),
        "behind": {
            "surer": latest(judgment[towards & is_wrong]),
            "modest": latest(judgment[away & is_wrong]),
        },
    }


def _by_rater(
    is_wrong: np.ndarray,
    surer_is_worse: np.ndarray,
    applies: np.ndarray,
    prompt: Ints,
    rater: Ints,
    judgment: Ints,
) -> Record:
    """The same by rater, clustered by prompt."""
    raters, counts = np.unique(rater[applies], return_counts=True)
    by_rater = {}
    for rater_id in raters[counts >= LEAST_VOTES].tolist():
        own = applies & (rater == rater_id)
        groups = {"prompts": prompt[own]}
        by_rater[str(rater_id)] = {
            "towards": as_record(_share(is_wrong[own], surer_is_worse[own], groups)),
            "away": as_record(_share(is_wrong[own], ~surer_is_worse[own], groups)),
            "gap": as_record(_gap(is_wrong[own], surer_is_worse[own], groups)),
            "behind": {
                "surer": latest(judgment[own & is_wrong & surer_is_worse], LISTED_OF_RATER),
                "modest": latest(judgment[own & is_wrong & ~surer_is_worse], LISTED_OF_RATER),
            },
        }
    return by_rater


def _share(is_wrong: np.ndarray, rows: np.ndarray, groups: dict[str, Ints]) -> Figure:
    if not rows.any():
        return absent(gettext_noop("No votes on such a pair yet."))
    return shares.share(is_wrong[rows], **{name: group[rows] for name, group in groups.items()})


def _gap(is_wrong: np.ndarray, surer_is_worse: np.ndarray, groups: dict[str, Ints]) -> Figure:
    if not surer_is_worse.any() or surer_is_worse.all():
        return absent(gettext_noop("There are votes of only one of the two kinds."), len(is_wrong))
    return shares.gap(is_wrong, among=surer_is_worse, **groups)
