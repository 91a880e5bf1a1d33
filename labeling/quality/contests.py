"""Win rates and strengths of sources: how often raters ranked one source's responses above
another's in a campaign.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from arithmetic import intervals
from arithmetic.figures import Figure
from labeling.models import Campaign, Prompt, QualityReport, Source
from labeling.quality.measures import contests as measures_contests
from labeling.quality.measures.contests import Wins
from labeling.quality.selectors import last_judgment_id
from labeling.votes import loading, sampling
from labeling.votes.arrays import Record, Votes, as_figure
from labeling.votes.blocks import StoredRankings


@dataclass(frozen=True)
class Contest:
    """How often `source` beat `other`, in percent, with ties as half; votes on one prompt, and by
    one rater, belong together.
    """

    source: str
    other: str
    as_voted: Figure
    at_equal_length: Figure
    """What the rate would be if both responses were equally long (the two-term form of AlpacaEval's
    length control).
    """


@dataclass(frozen=True)
class Strength:
    """How often a source would win a decided vote against the baseline, in percent."""

    source: str
    is_baseline: bool
    by_all: Figure
    """from all votes, with ties modelled (Davidson)"""
    by_reliability: Figure
    """as a rater without errors would vote (rater-aware Bradley–Terry)"""
    n_votes: int

    @property
    def notes(self) -> list[str]:
        """Why a number is missing."""
        return list(
            dict.fromkeys(
                figure.note for figure in (self.by_all, self.by_reliability) if figure.value is None
            )
        )


@dataclass(frozen=True)
class SourceStrengths:
    """Strongest first; empty if all responses have one source, or there are more sources than a
    table can show.
    """

    baseline: str
    """the oldest source that the others can be compared with; empty if there is none"""
    tie: float | None
    """how often two equally strong sources would tie, in percent"""
    rows: list[Strength]

    @property
    def common_notes(self) -> list[str]:
        """Why numbers are missing in every row, which is said once."""
        if len(self.rows) < 2:
            return []
        first, *others = (row.notes for row in self.rows)
        return [note for note in first if all(note in notes for notes in others)]


def contests(*, campaign: Campaign) -> list[Contest]:
    """Computed now from every vote. Pages use the quality report's results instead."""
    votes = loading.votes(campaign=campaign, through_id=last_judgment_id(campaign=campaign) or 0)
    return _contests(measures_contests.contests_of(votes, source_names(votes=votes)))


def win_rate(
    *,
    campaign: Campaign,
    source_id: int,
    other_id: int,
    split: str,
    error: float = intervals.ERROR,
) -> Figure:
    """How often one source beat the other on prompts of this split, from 0 to 1, computed now. Each
    end of the interval misses in `error` of cases.
    """
    prompts = Prompt.objects.filter(items__campaign=campaign, split=split)
    known = np.unique(np.array(list(prompts.values_list("pk", flat=True)), dtype=np.int64))
    stored = StoredRankings.of(
        campaign=campaign, through_id=last_judgment_id(campaign=campaign) or 0
    )
    votes = loading.votes_of(stored, wanted=lambda prompts: sampling.among(prompts, known))
    return measures_contests.win_rate_of(votes, source_id, other_id, known, error=error)


def wins_of_responses(*, campaign: Campaign, response_ids: Collection[int]) -> Wins:
    """Every vote on a pair of which one response is among these, computed now, seen from that
    one.
    """
    votes = loading.votes(campaign=campaign, through_id=last_judgment_id(campaign=campaign) or 0)
    ours = np.isin(votes.once.response, np.array([*response_ids], dtype=np.int64))
    return measures_contests.wins_of(votes, ours, ~ours)


def stored_contests(*, report: QualityReport) -> list[Contest]:
    """Like `contests`, from the report, but with the names that sources are known by."""
    stored = _contests(report.results.get("contests", []))
    known = _known_as(name for one in stored for name in (one.source, one.other)) if stored else {}
    return [
        replace(
            one,
            source=known.get(one.source, one.source),
            other=known.get(one.other, one.other),
        )
        for one in stored
    ]


def stored_strengths(*, report: QualityReport) -> SourceStrengths:
    stored = report.results.get("strengths", {"baseline": "", "tie": None, "sources": []})
    known = _known_as(source["source"] for source in stored["sources"]) if stored["sources"] else {}
    rows = [
        Strength(
            known.get(source["source"], source["source"]),
            source["is_baseline"],
            _percent(source["by_all"]),
            _percent(source["by_reliability"]),
            source["n"],
        )
        for source in stored["sources"]
    ]
    baseline = known.get(stored["baseline"], stored["baseline"])
    return SourceStrengths(baseline, None if stored["tie"] is None else 100 * stored["tie"], rows)


def _percent(record: Record) -> Figure:
    """Converts a log-ability above the baseline's to a share of decided votes."""
    figure = as_figure(record)
    value, low, high = (
        None if at is None else 100 * float(expit(at))
        for at in (figure.value, figure.low, figure.high)
    )
    return Figure(value, figure.n, low, high, note=figure.note, about=figure.about)


def source_names(*, votes: Votes) -> dict[int, str]:
    return dict(Source.objects.filter(pk__in=set(votes.source.tolist())).values_list("pk", "name"))


def _known_as(names: Iterable[str]) -> dict[str, str]:
    """What these sources are called now; a report has the names that raters' exports have."""
    stored = Source.objects.filter(name__in=set(names)).select_related("trained_model")
    return {source.name: source.known_as for source in stored}


def _contests(stored: Iterable[Record]) -> list[Contest]:
    return [
        Contest(
            contest["source"],
            contest["other"],
            as_figure(contest["as_voted"]),
            as_figure(contest["at_equal_length"]),
        )
        for contest in stored
    ]
