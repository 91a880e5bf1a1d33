"""Agreement between the raters of an import, computed from the votes on request, because imported
votes belong to no campaign.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arithmetic.agreement import alpha, pairs
from arithmetic.consensus import votes as consensus_votes
from arithmetic.figures import Figure, Floats, Ints
from labeling.models import Import, Judgment, RankedResponse
from labeling.votes import counting

MOST_JUDGED = 20_000
"""Comparisons that a page can compute from in about a second."""


@dataclass(frozen=True)
class ImportAgreement:
    """`figures` by name; empty if nothing was compared, or too much for a page."""

    n_judgments: int
    n_raters: int = 0
    n_pairs: int = 0
    """distinct pairs of responses"""
    is_too_large: bool = False
    figures: dict[str, Figure] = field(default_factory=dict)
    consensus: tuple[int, int, int] = (0, 0, 0)
    """pairs by the result of Dawid and Skene's model: the first in the file is better, a tie, the
    second is better
    """

    @property
    def most(self) -> int:
        return MOST_JUDGED


def agreement_of_import(*, batch: Import) -> ImportAgreement:
    """Votes on the same two responses are compared, whatever their order in the file.

    The first response of a pair is the one that came first when the file first named the pair.
    Judgments that were set aside and those of withdrawn raters do not count.
    """
    judged = Judgment.of_people.filter(
        counting.counts(), import_batch=batch, kind=Judgment.Kind.COMPARISON
    ).order_by()
    n_judgments = judged.count()
    if n_judgments > MOST_JUDGED or not n_judgments:
        return ImportAgreement(n_judgments, is_too_large=n_judgments > MOST_JUDGED)
    rows = (
        RankedResponse.objects.filter(comparison__judgment__in=judged, rank__isnull=False)
        .exclude(counting.by_withdrawn("response__"))
        .order_by("comparison_id", "position")
    )
    columns = rows.values_list(
        "comparison_id",
        "comparison__judgment__rater_id",
        "comparison__judgment__prompt_id",
        "response_id",
        "rank",
        "position",
    )
    judgment, rater, prompt, response, rank, position = (
        np.array(list(columns), dtype=np.int64).reshape(-1, 6).T
    )
    votes = pairs.expand(items=judgment, raters=rater, responses=response, ranks=rank.astype(float))
    units, labels = _as_in_the_file(votes, position)
    if not units.size:
        return ImportAgreement(n_judgments, len(np.unique(rater)))
    estimate = consensus_votes.dawid_skene(units=units, raters=votes.rater, labels=labels)
    n_first, n_tie, n_second = (
        int((estimate.labels[estimate.label] == label).sum()) for label in (-1, 0, 1)
    )
    together: dict[str, Any] = {"units": units, "labels": labels, "prompts": prompt[votes.row]}
    return ImportAgreement(
        n_judgments,
        len(np.unique(rater)),
        int(units.max()) + 1,
        figures={
            "raw_half": pairs.raw(**together),
            "raw_out": pairs.raw(**together, ties="out"),
            "raw_in": pairs.raw(**together, ties="in"),
            "alpha_ordinal": alpha.krippendorff(**together, metric="ordinal"),
            "alpha_nominal": alpha.krippendorff(**together),
        },
        consensus=(n_first, n_tie, n_second),
    )


def _as_in_the_file(votes: pairs.PairVotes, position: Ints) -> tuple[Ints, Floats]:
    """Numbers of the pairs, and the labels: −1 if the better response is the one that came first
    when the pair was first seen.
    """
    if not votes.unit.size:
        return votes.unit, votes.label.astype(float)
    order = np.argsort(votes.item, kind="stable")  # judgments in the order of the file
    _pairs, first, unit = np.unique(
        np.column_stack([votes.left, votes.right])[order],
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    is_turned = (position[votes.row] > position[votes.other_row])[order][first]
    units = np.empty(len(order), dtype=np.int64)
    units[order] = unit.reshape(-1)
    return units, np.where(is_turned[units], -votes.label, votes.label).astype(float)
