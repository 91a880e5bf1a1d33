"""Quality reports: computed by a short task, stored whole, safe to compute twice; and a rater's right to withdraw."""

from datetime import datetime

from django.db import transaction

from accounts import audit
from accounts.models import User
from labeling import measures, rating_form, selectors
from labeling.models import Campaign, PoolMembership, QualityReport, Rater, RaterQuality

MOST_JUDGMENTS = 20_000
"""The latest judgments that a report reads; with four responses each it is computed in seconds."""


def compute_quality(*, campaign_id: int, now: datetime) -> QualityReport | None:
    """The campaign's report as of its last judgment; None for a campaign that compares nothing or has no judgment.

    The judgments are read outside the transaction that stores the report: an older reading never replaces a newer one.
    """
    found = Campaign.objects.select_related("guideline_version").filter(pk=campaign_id, kind=Campaign.Kind.COMPARISON)
    campaign = found.first()
    through_id = selectors.last_judgment_id(campaign=campaign) if campaign else None
    if campaign is None or through_id is None:
        return None
    votes = selectors.votes(campaign=campaign, most=MOST_JUDGMENTS, through_id=through_id)
    if not votes.judgment.size:
        return None
    names = dict(Rater.objects.filter(pk__in=set(votes.rater.tolist())).values_list("pk", "alias"))
    questions = rating_form.parse(campaign.guideline_version.form).questions
    raters = measures.rater_measures(votes, names)
    results = {
        "agreement": measures.agreement_of(votes, questions),
        "matrix": measures.matrix_of(votes),
        "items": measures.split_items(votes),
        "habits": measures.habits_of(votes),
        "contests": [_contest(found) for found in selectors.contests(campaign=campaign, from_id=int(votes.judgment.min()))],
        "n_all": campaign.judgments.filter(pk__lte=through_id, is_gold=False).count(),
    }
    n_judgments = sum(found["n_judgments"] for found in raters.values())
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)  # one report at a time
        stored = QualityReport.objects.filter(campaign=campaign).first()
        if stored is not None and stored.computed_at > now:
            return stored
        report, _is_new = QualityReport.objects.update_or_create(
            campaign=campaign,
            defaults={"computed_at": now, "through_id": through_id, "n_judgments": n_judgments, "results": results},
        )
        report.raters.all().delete()
        RaterQuality.objects.bulk_create(_rater_quality(report, rater, found) for rater, found in raters.items())
    return report


def _contest(found: selectors.Contest) -> measures.Record:
    figures = {"as_voted": measures.as_record(found.as_voted), "at_equal_length": measures.as_record(found.at_equal_length)}
    return {"source": found.source, "other": found.other} | figures


def _rater_quality(report: QualityReport, rater: int, found: measures.Record) -> RaterQuality:
    return RaterQuality(
        report=report,
        rater_id=rater,
        n_judgments=found["n_judgments"],
        weight=found["weight"],
        n_flags=len(found["flags"]),
        results={name: value for name, value in found.items() if name not in ("weight", "n_judgments")},
    )


def withdraw_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """The rater's judgments leave every future snapshot and export, and they are given nothing more to judge.

    False when it was done before. What was already frozen stays as it was: training lists what it touched.
    """
    with transaction.atomic():
        if Rater.objects.filter(pk=rater.pk, withdrawn_at=None).update(withdrawn_at=now) == 0:
            return False
        left = PoolMembership.objects.filter(rater=rater, is_active=True)
        pools = sorted(left.values_list("pool__name", flat=True))
        left.update(is_active=False)
        audit.record(
            by=by, action="withdraw", target=rater, before={"pools": pools}, after={"withdrawn_at": now.isoformat()}, now=now
        )
    return True


def readmit_rater(*, rater: Rater, by: User | None, now: datetime) -> bool:
    """Takes a withdrawal back, for one that was a mistake. The rater joins pools again by hand."""
    with transaction.atomic():
        done = Rater.objects.filter(pk=rater.pk).exclude(withdrawn_at=None).update(withdrawn_at=None) == 1
        if done:
            audit.record(by=by, action="readmit", target=rater, after={"withdrawn_at": None}, now=now)
    return done
