"""Read queries of quality reports for pages. Nothing is computed from judgments here."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from arithmetic.figures import Figure
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import Campaign, Item, Judgment, QualityReport, Rater, RaterQuality
from labeling.quality.pages.flag_words import FlagRow
from labeling.votes.arrays import as_figure

HABITS = (
    "first",
    "longer",
    "per_doubling",
    "list",
    "bold",
    "link",
    "emoji",
    "refusal",
    "consistent",
    "first_twice",
    "second_twice",
    "ties",
)
"""Possible biases of a rater's choices, in the order of their table."""
MOST_COUNTED = 1_000
"""New judgments are counted up to this number; beyond it a page says “more than”."""


REPORT_VERSION = 10
"""Of what a report holds: add 1 when its fields or its sentences change. Reports of another version
are computed again. A report that does not say its version is from before 0.1.0.
"""


@dataclass(frozen=True)
class RowJudgments:
    """The judgments behind a row of the bias panel: their number `n`, and the latest of them,
    latest first.
    """

    n: int
    listed: list[int]


FEWEST_ANSWERS = 20
"""of a rater, below which pages show no figure of theirs"""
NO_JUDGMENTS = RowJudgments(0, [])


@dataclass(frozen=True)
class RaterMeasures:
    """One rater in one campaign, from its report."""

    campaign_id: int
    campaign_name: str
    computed_at: datetime
    rater_id: int
    alias: str
    name: str
    """of the person; "" for imported raters"""
    is_withdrawn: bool
    n_judgments: int
    weight: float | None
    agreement: Figure
    reliability: Figure
    with_oneself: Figure
    first: Figure
    longer: Figure
    seconds: Figure
    chars_per_s: Figure
    habits: dict[str, Figure]
    """by the names of HABITS, as far as the report has them"""
    flags: list[FlagRow]
    taste: Mapping[str, Any] | None = None
    """the group whose taste the rater shares, as labeling.quality.measures.raters stores it"""
    unsure: FlagRow | None = None
    """that the rater answers differently from the others, for whatever reason"""

    @property
    def has_few(self) -> bool:
        """So few answers that no share of theirs is shown."""
        return self.n_judgments < FEWEST_ANSWERS


@dataclass(frozen=True)
class QualityRow:
    """One campaign in the list of all."""

    campaign: Campaign
    computed_at: datetime
    n_judgments: int
    agreement: Figure
    """on pairs of responses, or of ratings the share of equal ones"""
    alpha: Figure
    """of pairs, or of the question on which ratings agree least"""
    n_flagged: int


@dataclass(frozen=True)
class SplitItem:
    item: Item
    share: float
    n_judgments: int


@dataclass(frozen=True)
class Freshness:
    """What was added since a report, and whether a worker is computing the next one."""

    n_new: int
    is_outdated: bool
    started_at: datetime | None
    n_spared: int = 0
    """items that raters are not asked about now"""

    @property
    def has_many(self) -> bool:
        return self.n_new > MOST_COUNTED


def n_asked(*, campaign: Campaign) -> int:
    """Items of the campaign, without golds, repeats and turns of conversations."""
    rows = Item.objects.filter(campaign=campaign, repeat_of=None, is_turn=False, gold_use=None)
    return rows.count()


def last_judgment_id(*, campaign: Campaign) -> int | None:
    return campaign.judgments.order_by("-pk").values_list("pk", flat=True).first()


def stale_quality_ids(*, now: datetime) -> list[int]:
    """Comparison campaigns whose report misses a judgment or a decision, or is of another version,
    once its rest is over. A report from the future does not rest: a clock was set back.
    """
    # Not exclude(): in SQL, a report that lacks the key is neither of this version nor of another.
    of_this_version = QualityReport.objects.filter(
        campaign=OuterRef("pk"), results__version=REPORT_VERSION
    )
    later = Judgment.of_people.filter(campaign=OuterRef("pk"), pk__gt=OuterRef("through_id"))
    campaigns = Campaign.objects.filter(kind__in=registry.with_answer(Answer.COMPARISON)).annotate(
        through_id=Coalesce(F("quality__through_id"), 0)
    )
    behind = campaigns.filter(
        Exists(later)
        | Q(quality__is_outdated=True)
        | Q(~Exists(of_this_version), quality__isnull=False)
    ).exclude(quality__rests_until__gt=now, quality__computed_at__lte=now)
    return list(behind.order_by("pk").values_list("pk", flat=True))


def quality_report(*, campaign: Campaign) -> QualityReport | None:
    """None until the first is computed."""
    return QualityReport.objects.filter(campaign=campaign, computed_at__isnull=False).first()


def freshness(*, campaign: Campaign) -> Freshness:
    """How many judgments the campaign's report is behind, counted up to MOST_COUNTED."""
    rows = Item.objects.filter(campaign=OuterRef("campaign"), spared_at__isnull=False)
    n_spared = rows.order_by().values("campaign").annotate(n=Count("pk")).values("n")
    reports = QualityReport.objects.filter(campaign=campaign).defer("results")
    report = reports.annotate(n_spared=Subquery(n_spared)).first()
    if report is None:
        return Freshness(0, is_outdated=False, started_at=None)
    later = Judgment.of_people.filter(campaign=campaign, is_gold=False, pk__gt=report.through_id)
    n_new = later.values("pk")[: MOST_COUNTED + 1].count()
    return Freshness(n_new, report.is_outdated, report.started_at, report.n_spared or 0)


def quality_rows() -> list[QualityRow]:
    """Every campaign with a report: open and paused ones first, then the latest."""
    # Only two figures of a report's results are needed here, and the rest can be large.
    parts = (
        "results__agreement__raw_half",
        "results__agreement__alpha_ordinal",
        "results__ratings__same",
        "results__ratings__alpha",
    )
    queryset = QualityReport.objects.filter(
        computed_at__isnull=False, campaign__is_hidden=False
    ).order_by("-campaign_id")
    reports = queryset.values_list("pk", "campaign_id", "computed_at", "n_judgments", *parts)
    campaigns = Campaign.objects.in_bulk([report[1] for report in reports])
    flagged = Counter(
        RaterQuality.objects.filter(n_flags__gt=0).values_list("report_id", flat=True)
    )
    rows = [
        QualityRow(
            campaigns[campaign],
            computed_at,
            n_judgments,
            as_figure(same or agreement),
            as_figure(lowest or alpha),
            flagged[pk],
        )
        for pk, campaign, computed_at, n_judgments, agreement, alpha, same, lowest in reports
        if computed_at is not None
    ]
    return sorted(rows, key=lambda row: row.campaign.state == Campaign.State.CLOSED)


def rater_measures(*, report: QualityReport) -> list[RaterMeasures]:
    """Raters of the report: flagged ones first, then by number of judgments."""
    return _measures(report.raters.order_by("-n_flags", "-n_judgments", "rater__alias"))


def aliases(*, raters: Collection[int]) -> dict[int, str]:
    return dict(Rater.people.filter(pk__in=raters).values_list("pk", "alias"))


def quality_of_rater(*, rater: Rater, campaign: Campaign | None = None) -> list[RaterMeasures]:
    """One entry per campaign, newest campaign first."""
    measures = RaterQuality.objects.filter(rater=rater).order_by("-report__campaign_id")
    return _measures(measures if campaign is None else measures.filter(report__campaign=campaign))


def rater_judgments(*, rater: Rater, campaign: Campaign | None = None) -> QuerySet[Judgment]:
    """The current versions of the rater's judgments, latest first."""
    judgments = _shown(Judgment.of_everyone.filter(rater=rater)).order_by("-submitted_at", "-pk")
    return judgments if campaign is None else judgments.filter(campaign=campaign)


def _shown(judgments: QuerySet[Judgment]) -> QuerySet[Judgment]:
    shown = judgments.select_related(
        "item", "prompt", "campaign", "comparison", "rater", "set_aside"
    )
    return shown.prefetch_related("comparison__ranked")


def split_items(*, report: QualityReport) -> list[SplitItem]:
    """The items with the most disagreement; items deleted since are left out."""
    listed = report.results["items"]["split"]
    items = (
        Item.objects.filter(pk__in=[entry["item"] for entry in listed])
        .select_related("prompt")
        .in_bulk()
    )
    return [
        SplitItem(items[entry["item"]], entry["share"], entry["n"])
        for entry in listed
        if entry["item"] in items
    ]


def judgments_behind(*, report: QualityReport, row: str) -> RowJudgments:
    """For a row of the bias panel."""
    return _behind(report.results["behind"].get(row))


def rater_judgments_behind(*, report: QualityReport, rater: Rater, row: str) -> RowJudgments:
    """For a row of the rater's own panel, or one of their flags."""
    rows_behind = (
        report.raters.filter(rater=rater).values_list("results__behind", flat=True).first() or {}
    )
    wording = report.results["wording"].get("raters", {}).get(str(rater.pk), {}).get("behind", {})
    return _behind(rows_behind.get(row) or wording.get(row))


def _behind(stored: Mapping[str, Any] | None) -> RowJudgments:
    return RowJudgments(stored["n"], stored["judgments"]) if stored else NO_JUDGMENTS


def listed_judgments(*, ids: Collection[int]) -> list[Judgment]:
    """Those judgments that still exist, latest first."""
    return list(_shown(Judgment.of_everyone.filter(pk__in=ids)).order_by("-pk"))


def weights_by_rater(*, campaigns: Collection[int] | None = None) -> dict[tuple[int, int], float]:
    """(campaign, rater) → weight by reliability, if a report has an estimate"""
    known = RaterQuality.objects.filter(weight__isnull=False)
    known = known if campaigns is None else known.filter(report__campaign__in=campaigns)
    rows = known.values_list("report__campaign_id", "rater_id", "weight")
    return {(campaign, rater): weight for campaign, rater, weight in rows if weight is not None}


def _measures(measures: QuerySet[RaterQuality]) -> list[RaterMeasures]:
    # A report's results are large, and a join would read them once for each rater.
    return [
        _rater(row)
        for row in measures.select_related("rater__user", "report__campaign").defer(
            "report__results"
        )
    ]


def _rater(row: RaterQuality) -> RaterMeasures:
    figures = {
        name: as_figure(row.results[name])
        for name in ("agreement", "reliability", "first", "longer", "seconds")
    }
    return RaterMeasures(
        campaign_id=row.report.campaign_id,
        campaign_name=row.report.campaign.name,
        computed_at=_moment(row.report),
        rater_id=row.rater_id,
        alias=row.rater.alias,
        name=row.rater.user.name if row.rater.user else "",
        is_withdrawn=row.rater.withdrawn_at is not None,
        n_judgments=row.n_judgments,
        weight=row.weight,
        with_oneself=as_figure(row.results["self"]),
        chars_per_s=as_figure(row.results["chars_per_s"]),
        habits={name: as_figure(row.results[name]) for name in HABITS if name in row.results},
        flags=[FlagRow(flag) for flag in row.results["flags"]],
        taste=row.results.get("taste"),
        unsure=FlagRow(unsure) if (unsure := row.results.get("unsure")) else None,
        **figures,
    )


def _moment(report: QualityReport) -> datetime:
    assert report.computed_at is not None
    return report.computed_at
