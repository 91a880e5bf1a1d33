"""Computes and stores quality reports and model scores. Safe to run twice."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction

from arithmetic.figures import Ints, absent, gettext_noop
from jobs import guard
from jobs.messages import Message
from jobs.protocol import recent
from labeling.guidelines import rating_form
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import (
    Campaign,
    QualityReport,
    Rater,
    RaterQuality,
    Response,
    ResponseScore,
    Scorer,
    SetAside,
    Source,
    VoteBlock,
)
from labeling.quality import contests, experts, rater_groups, selectors
from labeling.quality.measures import against as measures_against
from labeling.quality.measures import agreeing, habits, kappas, strengths
from labeling.quality.measures import behind as measures_behind
from labeling.quality.measures import contests as measures_contests
from labeling.quality.measures import groups as measures_groups
from labeling.quality.measures import principles as measures_principles
from labeling.quality.measures import raters as measures_raters
from labeling.quality.measures import ratings as measures_ratings
from labeling.quality.measures import wording as measures_wording
from labeling.quality.onboarding_scores import FEWEST_IN_A_CELL
from labeling.votes import arrays, blocks, counting, golds, loading, sampling

LONGEST = timedelta(minutes=30)
"""A worker that has been computing a report for this long is gone, and another may start."""
QUALITY = Message("labeling.quality.tasks.compute_quality", limit=LONGEST, argument="campaign_id")
"""Computes a campaign's report."""


RESTS = 20
"""After computing, wait this many times as long before the next automatic run: at most a twentieth
of one worker's time.
"""


def compute_quality(*, campaign_id: int, now: datetime) -> QualityReport | None:
    """Compute the campaign's report up to its last judgment. None for a campaign without
    comparisons or judgments, and while another worker is computing it.

    Full blocks of rankings are stored on the way, so that next time only later judgments are read
    row by row. An older result never replaces a newer one.
    """
    campaigns = Campaign.objects.select_related("guideline_version").filter(
        pk=campaign_id, kind__in=registry.with_answer(Answer.COMPARISON)
    )
    campaign = campaigns.first()
    through_id = selectors.last_judgment_id(campaign=campaign) if campaign else None
    if campaign is None or through_id is None or not _claim(campaign, now):
        return None
    began = time.monotonic()
    try:
        store_blocks(campaign=campaign, through_id=through_id)
        computed = _compute(campaign, through_id)
        return _store(
            campaign, computed, through_id=through_id, took_s=time.monotonic() - began, now=now
        )
    finally:
        QualityReport.objects.filter(campaign=campaign).update(started_at=None)


def store_scores(*, source: Source, name: str, scores: Mapping[int, float], now: datetime) -> int:
    """Store a reward model's scores of responses (id → score), replacing its earlier ones. Only for
    responses that it was not trained on.

    Deleted responses and scores that are not numbers are left out. Returns how many were stored.
    """
    known = set(Response.objects.filter(pk__in=scores).values_list("pk", flat=True))
    valid = {
        response: score
        for response, score in scores.items()
        if response in known and math.isfinite(score)
    }
    with transaction.atomic():
        scorer, _is_new = Scorer.objects.update_or_create(
            source=source, defaults={"name": name, "scored_at": now}
        )
        ResponseScore.objects.bulk_create(
            [
                ResponseScore(scorer=scorer, response_id=response, score=score)
                for response, score in sorted(valid.items())
            ],
            update_conflicts=True,
            unique_fields=["scorer", "response"],
            update_fields=["score"],
            batch_size=1_000,
        )
        shown = Campaign.objects.filter(items__item_responses__response__in=valid)
        QualityReport.objects.filter(campaign__in=shown).update(is_outdated=True)
    return len(valid)


def _claim(campaign: Campaign, now: datetime) -> bool:
    QualityReport.objects.get_or_create(campaign=campaign)
    free = ~recent("started_at", now=now, within=LONGEST)
    # decisions from now on make the report outdated again
    return guard.update_one(
        QualityReport.objects.filter(free, campaign=campaign), started_at=now, is_outdated=False
    )


def store_blocks(*, campaign: Campaign, through_id: int) -> None:
    """Store every full block up to `through_id`, and read blocks again whose judgments have
    changed. Safe to run twice.
    """
    for from_id, last_id, _n in blocks.stale_blocks(campaign=campaign):
        _store_block(campaign, from_id, last_id)
    known = max((last_id for _from, last_id, _n in blocks.blocks_of(campaign=campaign)), default=0)
    while (
        block := blocks.next_block(campaign=campaign, after_id=known, through_id=through_id)
    ) is not None:
        # From the end of the last block: a judgment that commits late in between changes the count,
        # and so is noticed.
        _store_block(campaign, known + 1, block[1])
        known = block[1]


def _store_block(campaign: Campaign, from_id: int, through_id: int) -> None:
    columns = blocks.columns_between(campaign=campaign, from_id=from_id, through_id=through_id)
    VoteBlock.objects.update_or_create(
        campaign=campaign,
        through_id=through_id,
        defaults={
            "from_id": from_id,
            "n_judgments": len(np.unique(columns["judgment"])),
            "columns": blocks.packed(columns),
        },
    )


@dataclass(frozen=True)
class _ReportData:
    n_judgments: int
    results: arrays.Record
    raters: dict[int, arrays.Record]


def _compute(campaign: Campaign, through_id: int) -> _ReportData:
    stored = blocks.StoredRankings.of(campaign=campaign, through_id=through_id)
    sample = loading.sample_of(stored)
    votes = _chosen_votes(stored, sample)
    rater_ids = np.union1d(votes.drawn.rater, votes.recent.rater).tolist()
    names = dict(Rater.people.filter(pk__in=rater_ids).values_list("pk", "alias"))
    behind = measures_behind.judgments_behind(votes.recent)
    questions = rating_form.parse(campaign.guideline_version.form).questions
    raters = measures_raters.rater_measures(votes.recent, names, behind.raters, questions)
    noise = measures_ratings.noise_by_rater(votes.recent, questions, raters)
    for rater, record in raters.items():
        record["n_judgments"] = sample.n_judgments[rater]
        record["noise"] = noise.get(rater, {})
    if not sample.is_whole:
        behind = measures_behind.judgments_behind(votes.drawn)
    results = _results(campaign, votes, names, raters, behind.everybody) | {
        "version": selectors.REPORT_VERSION,
        "sample": {
            "n_drawn": len(np.unique(votes.drawn.judgment)),
            "of_rater": sample.of_rater,
        },
    }
    return _ReportData(sum(sample.n_judgments.values()), results, raters)


@dataclass(frozen=True)
class _ChosenVotes:
    """The votes of a report; all three are the same in a campaign of sampling.MOST judgments."""

    drawn: arrays.Votes
    """for figures of the campaign"""
    recent: arrays.Votes
    """for measures of raters"""
    adjudicated: arrays.Votes
    """on items that a reviewer decided"""


def _chosen_votes(stored: blocks.StoredRankings, sample: sampling.Sample) -> _ChosenVotes:
    if sample.is_whole:
        votes = loading.votes_of(stored)
        return _ChosenVotes(votes, votes, votes)
    decided = loading.adjudicated_prompts(campaign=stored.campaign)

    def wanted(prompts: Ints) -> arrays.Truths:
        is_decided = sampling.among(prompts, decided)
        return sample.is_drawn(prompts) | sample.is_recent(prompts) | is_decided

    votes = loading.votes_of(stored, wanted=wanted)
    return _ChosenVotes(
        votes.where(sample.is_drawn(votes.prompt)),
        votes.where(sample.is_recent(votes.prompt)),
        votes.where(sampling.among(votes.prompt, decided)),
    )


def _results(
    campaign: Campaign,
    chosen: _ChosenVotes,
    names: Mapping[int, str],
    raters: Mapping[int, arrays.Record],
    behind: arrays.Record,
) -> arrays.Record:
    votes = chosen.drawn
    questions = rating_form.parse(campaign.guideline_version.form).questions
    decided = loading.adjudicated_order(campaign=campaign, votes=chosen.adjudicated)
    others, pools = loading.votes_of_other_pools(campaign=campaign)
    agreed, n_decided, prompts = golds.gold_counts(campaign=campaign)
    against = _with_model(campaign, votes) | {
        "gold": arrays.as_record(
            measures_against.with_golds(
                np.array(agreed), np.array(n_decided), np.array(prompts, dtype=np.int64)
            )
        ),
        "adjudicated": arrays.as_record(measures_against.with_order(chosen.adjudicated, decided)),
        "pools": measures_against.with_pools(votes, others, pools),
    }
    members = rater_groups.rater_groups(campaign=campaign, raters=names)
    groups = measures_groups.groups_of(votes, members, others, pools, fewest=FEWEST_IN_A_CELL)
    wording = measures_wording.confident_wording(
        experts.expert_votes(campaign=campaign, votes=chosen.adjudicated, adjudicated=decided)
    )
    sources = contests.source_names(votes=votes)
    agreement = agreeing.agreement_of(votes, questions)
    ratings = measures_ratings.report_of(votes, questions, raters, agreement["questions"])
    principles = measures_principles.principles_of(votes, questions)
    unexplained = principles.pop("behind", {})
    return {
        "agreement": (agreement | against | ({"self": ratings["self"]} if ratings else {})),
        "matrix": agreeing.matrix_of(votes),
        "kappas": kappas.kappas_of(votes, questions),
        "ratings": ratings,
        "principles": principles,
        "items": (
            measures_ratings.split_items(votes, questions)
            if ratings
            else agreeing.split_items(votes)
        ),
        "habits": habits.habits_of(votes),
        "behind": behind | groups.pop("behind", {}) | wording.pop("behind", {}) | unexplained,
        "groups": groups,
        "wording": wording,
        "contests": measures_contests.contests_of(votes, sources),
        "strengths": strengths.strengths_of(votes, sources, raters),
        "n_set_aside": (
            SetAside.objects.filter(judgment__campaign=campaign, judgment__is_current=True).count()
        ),
        "n_withdrawn": (
            blocks.rankings_of(campaign)
            .filter(rater__in=counting.withdrawn_raters(), is_current=True, set_aside=None)
            .count()
        ),
    }


def _with_model(campaign: Campaign, votes: arrays.Votes) -> arrays.Record:
    scorer = loading.scorer_of(campaign=campaign)
    figure = absent(gettext_noop("No reward model has scored these responses yet."))
    if scorer is not None:
        figure = measures_against.with_order(
            votes, loading.scored_order(scorer=scorer, votes=votes)
        )
    return {"model": arrays.as_record(figure), "model_name": scorer.name if scorer else ""}


def _store(
    campaign: Campaign, computed: _ReportData, *, through_id: int, took_s: float, now: datetime
) -> QualityReport:
    with transaction.atomic():
        report = QualityReport.objects.select_for_update().get(campaign=campaign)
        # Not one from the future: a clock was set back.
        if report.computed_at is not None and now < report.computed_at <= now + LONGEST:
            return report
        report.computed_at, report.through_id = now, through_id
        report.rests_until = now + timedelta(seconds=RESTS * took_s)
        report.n_judgments, report.results = computed.n_judgments, computed.results
        report.save(
            update_fields=["computed_at", "through_id", "rests_until", "n_judgments", "results"]
        )
        report.raters.all().delete()
        RaterQuality.objects.bulk_create(
            _rater_quality(report, rater, record) for rater, record in computed.raters.items()
        )
    return report


def _rater_quality(report: QualityReport, rater: int, record: arrays.Record) -> RaterQuality:
    return RaterQuality(
        report=report,
        rater_id=rater,
        n_judgments=record["n_judgments"],
        weight=record["weight"],
        n_flags=len(record["flags"]),
        results={
            name: value for name, value in record.items() if name not in ("weight", "n_judgments")
        },
    )
