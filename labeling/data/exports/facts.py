"""What the site knows about how judgments came about: raters, how they came and what they are paid,
and how far they agree. Read for the dataset card.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation

from arithmetic.figures import Figure
from labeling.models import Campaign, CrowdVisit, Invitation, QualityReport, Rate, Rater
from labeling.queue.spending import money
from labeling.votes.arrays import as_figure


@dataclass(frozen=True)
class Recruitment:
    """How the raters of an export came: numbers of people. Nobody counts twice."""

    n_invited: int
    n_crowd: int
    crowd_links: tuple[str, ...]
    n_imported: int
    n_others: int
    """with an account that an admin made"""


@dataclass(frozen=True)
class PoolFacts:
    name: str
    description: str
    is_held_out: bool
    rates: tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """Of one campaign, as of its latest report."""

    campaign: str
    computed_at: datetime
    raw: Figure
    alpha: Figure


def recruitment(*, aliases: Collection[str]) -> Recruitment:
    raters = Rater.everyone.filter(alias__in=aliases)
    crowd = set(
        CrowdVisit.objects.filter(rater__in=raters).values_list("rater", "link__name").distinct()
    )
    from_crowd = {rater for rater, _name in crowd}
    invited = set(
        Invitation.objects.filter(rater__in=raters, accepted_at__isnull=False)
        .exclude(rater__in=from_crowd)
        .values_list("rater", flat=True)
    )
    others = raters.exclude(pk__in=from_crowd | invited)
    n_imported = others.filter(user=None).count()
    return Recruitment(
        n_invited=len(invited),
        n_crowd=len(from_crowd),
        crowd_links=tuple(sorted({name for _rater, name in crowd})),
        n_imported=n_imported,
        n_others=others.count() - n_imported,
    )


def pools(*, campaigns: Collection[int]) -> list[PoolFacts]:
    """The pools of these campaigns with all rates that they have had for this kind of work."""
    facts: dict[int, PoolFacts] = {}
    for campaign in Campaign.objects.filter(pk__in=campaigns).select_related("pool"):
        rates = Rate.objects.filter(pool=campaign.pool_id, kind=campaign.about.answer)
        facts[campaign.pool_id] = PoolFacts(
            campaign.pool.name,
            campaign.pool.description,
            campaign.pool.is_held_out,
            tuple(_rate(rate) for rate in rates.order_by("valid_from")),
        )
    return list(facts.values())


def _rate(rate: Rate) -> str:
    with translation.override("en"):
        amount = money.words(rate.amount, rate.currency)
        return f"{amount} {rate.get_basis_display()} from {rate.valid_from:%Y-%m-%d}"


def agreement(*, campaigns: Collection[int]) -> list[Agreement]:
    reports = QualityReport.objects.filter(campaign__in=campaigns, computed_at__isnull=False)
    names = ("results__agreement__raw_half", "results__agreement__alpha_ordinal")
    rows = reports.order_by("campaign").values_list("campaign__name", "computed_at", *names)
    return [
        Agreement(campaign, computed_at, as_figure(raw), as_figure(alpha))
        for campaign, computed_at, raw, alpha in rows
        if computed_at is not None and raw and alpha
    ]
