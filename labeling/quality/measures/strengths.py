"""How strong each source is, from all votes together, and as raters who never err would judge
it.
"""

from collections.abc import Mapping

import numpy as np

from arithmetic.consensus import compared
from labeling.votes.arrays import Record, Votes, as_record

MOST_SOURCES = 12
"""More would be a table that nobody reads, and take seconds to compute."""


def strengths_of(votes: Votes, names: Mapping[int, str], raters: Mapping[int, Record]) -> Record:
    """Sources by how often they would win against the oldest one, the strongest first; `raters` is
    the result of rater_measures.

    Figures are log-abilities above the baseline's. Empty if all responses have the same source, or
    there are more than MOST_SOURCES. Repeats are not counted.
    """
    once = votes.once
    pairs = once.pairs
    left, right = once.source[pairs.row], once.source[pairs.other_row]
    nothing: Record = {"baseline": "", "tie": None, "sources": []}
    if not pairs.unit.size or len(np.unique(once.source[~np.isnan(once.rank)])) > MOST_SOURCES:
        return nothing
    strengths = compared.compared(
        left=left,
        right=right,
        labels=pairs.label,
        raters=pairs.rater,
        prompts=once.prompt[pairs.row],
        reliability={
            rater: _decided(record["reliability"])
            for rater, record in raters.items()
            if _is_known(record)
        },
    )
    sources = [
        {
            "source": names.get(source, ""),
            "is_baseline": source == strengths.baseline,
            "by_all": as_record(by_all),
            "by_reliability": as_record(by_reliability),
            "n": n_votes,
        }
        for source, by_all, by_reliability, n_votes in zip(
            strengths.sources.tolist(),
            strengths.by_all,
            strengths.by_reliability,
            strengths.n_votes.tolist(),
            strict=True,
        )
    ]
    baseline = names.get(strengths.baseline, "") if strengths.baseline is not None else ""
    return {"baseline": baseline, "tie": strengths.tie, "sources": sorted(sources, key=_strongest)}


def _is_known(record: Record) -> bool:
    return record["reliability"]["value"] is not None


def _decided(reliability: Record) -> tuple[float, float]:
    """The accuracy on decided votes: a rater who errs on three labels gives the opposite one half
    of the time, and a tie the other half.
    """
    value = reliability["value"]
    return value / (value + (1 - value) / 2), float(reliability["n"])


def _strongest(record: Record) -> tuple[bool, float, str]:
    value = record["by_all"]["value"]
    return value is None, -(value or 0.0), record["source"]
