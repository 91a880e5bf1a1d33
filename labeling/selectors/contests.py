"""Who wins: how often raters put one source's responses above another's, in one campaign."""

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models.functions import Length

from labeling import bias
from labeling.figures import Figure
from labeling.measures import as_figure
from labeling.models import Campaign, QualityReport, RankedResponse

MOST_SOURCES = 4
"""More make more pairs than a page can show."""


@dataclass(frozen=True)
class Contest:
    """How often `source` beat `other`, in percent, ties as half; votes on one prompt count as one cluster."""

    source: str
    other: str
    as_voted: Figure
    at_equal_length: Figure
    """What the rate would be if both responses were equally long (the two-term form of AlpacaEval's length control)."""


@dataclass
class _Votes:
    won: list[float] = field(default_factory=list)
    n_chars: list[int] = field(default_factory=list)
    n_chars_other: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)


def contests(*, campaign: Campaign, from_id: int = 0) -> list[Contest]:
    """Every two sources that were compared, the newer one first; none where all responses have one source.

    `from_id` leaves earlier judgments out. This reads every vote: pages take what the quality report holds of it.
    """
    rows = (
        RankedResponse.objects.filter(
            comparison__judgment__campaign=campaign,
            comparison__judgment__is_current=True,
            comparison__judgment__is_gold=False,
            comparison__judgment__pk__gte=from_id,
            rank__isnull=False,
        )
        .order_by("comparison_id", "response__source_id")
        .values_list(
            "comparison_id",
            "comparison__judgment__prompt_id",
            "rank",
            "response__source_id",
            "response__source__name",
            Length("response__text"),
        )
    )
    votes: dict[tuple[int, int], _Votes] = defaultdict(_Votes)
    names: dict[int, str] = {}
    for _comparison, group in itertools.groupby(rows, key=lambda row: row[0]):
        ranked = list(group)
        names |= {row[3]: row[4] for row in ranked}
        for one, other in itertools.combinations(ranked, 2):
            if one[3] != other[3]:
                _count(votes[other[3], one[3]], prompt=one[1], newer=(other[2], other[5]), older=(one[2], one[5]))
    if len(names) > MOST_SOURCES:
        return []
    return [_contest(names[newer], names[older], found) for (newer, older), found in sorted(votes.items(), reverse=True)]


def stored_contests(*, report: QualityReport) -> list[Contest]:
    """As `contests`, as of the report."""
    return [
        Contest(found["source"], found["other"], as_figure(found["as_voted"]), as_figure(found["at_equal_length"]))
        for found in report.results.get("contests", [])
    ]


def _count(found: _Votes, *, prompt: int, newer: tuple[int, int], older: tuple[int, int]) -> None:
    """(rank, characters) of each; a lower rank is better."""
    found.won.append(1.0 if newer[0] < older[0] else 0.5 if newer[0] == older[0] else 0.0)
    found.n_chars.append(newer[1])
    found.n_chars_other.append(older[1])
    found.prompts.append(prompt)


def _contest(source: str, other: str, found: _Votes) -> Contest:
    rates = bias.length_controlled(won=found.won, n_chars=found.n_chars, n_chars_other=found.n_chars_other, prompts=found.prompts)
    return Contest(source=source, other=other, as_voted=rates.raw, at_equal_length=rates.controlled)
