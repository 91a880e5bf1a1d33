"""Who wins: how often raters put one source's responses above another's, in one campaign."""

from collections.abc import Iterable
from dataclasses import dataclass

from labeling import measures
from labeling.figures import Figure
from labeling.measures import Record, Votes, as_figure
from labeling.models import Campaign, QualityReport, Source
from labeling.selectors.quality import last_judgment_id
from labeling.selectors.votes import votes as votes_of


@dataclass(frozen=True)
class Contest:
    """How often `source` beat `other`, in percent, ties as half; votes on one prompt count as one cluster."""

    source: str
    other: str
    as_voted: Figure
    at_equal_length: Figure
    """What the rate would be if both responses were equally long (the two-term form of AlpacaEval's length control)."""


def contests(*, campaign: Campaign) -> list[Contest]:
    """As of now. This reads every vote: pages take what the quality report holds of it."""
    votes = votes_of(campaign=campaign, through_id=last_judgment_id(campaign=campaign) or 0)
    return _contests(measures.contests_of(votes, source_names(votes=votes)))


def stored_contests(*, report: QualityReport) -> list[Contest]:
    """As `contests`, as of the report."""
    return _contests(report.results.get("contests", []))


def source_names(*, votes: Votes) -> dict[int, str]:
    return dict(Source.objects.filter(pk__in=set(votes.source.tolist())).values_list("pk", "name"))


def _contests(found: Iterable[Record]) -> list[Contest]:
    return [Contest(one["source"], one["other"], as_figure(one["as_voted"]), as_figure(one["at_equal_length"])) for one in found]
