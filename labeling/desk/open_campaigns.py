"""The campaigns that a rater may work in, and what is left in each of them for this rater."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet

from labeling.models import Campaign, CrowdVisit, Judgment, Rater, Slot
from labeling.queue import admission
from labeling.queue.blocked_items import BlockedItems, blocked_items
from labeling.queue.claiming import order, routing, work_left

MOST_COUNTED = 1_000
"""Pages count waiting slots only up to this number."""


@dataclass(frozen=True)
class OpenCampaign:
    """A campaign the rater may work in. `lease` is that of the item they hold there, if any."""

    campaign: Campaign
    n_items: int | None
    """items that this rater can still get, with the one they hold; None for a campaign with more
    than MOST_COUNTED free slots
    """
    n_today: int
    """judgments by this rater"""
    has_work: bool
    needs_sweep: bool
    """no work is known to be left, but a claim would still search the whole queue"""
    lease: uuid.UUID | None
    blocker: admission.Blocker | None = None
    """why a claim would be refused, however much is left"""
    blocked_items: BlockedItems | None = None
    """waiting items that this rater cannot get, if nothing else is left"""
    is_unanswered: bool = False
    """a conversation campaign in which no model is answering now"""


def campaigns_open_to(*, rater: Rater) -> QuerySet[Campaign]:
    """Campaigns of the rater's pools. A rater who came through a crowd link sees only the link's
    campaign.
    """
    visits = CrowdVisit.objects.filter(rater=rater)
    return (
        Campaign.objects.filter(
            ~Exists(visits) | Exists(visits.filter(link__campaign=OuterRef("pk"))),
            state=Campaign.State.OPEN,
            pool__memberships__rater=rater,
            pool__memberships__is_active=True,
        )
        .select_related("pool")
        .order_by("-priority", "name")
    )


def open_campaigns(*, rater: Rater, since: dt.datetime, now: dt.datetime) -> list[OpenCampaign]:
    """Every campaign open to `rater`, with what is left in it for them. The cost does not depend on
    the number of slots.
    """
    campaigns = list(campaigns_open_to(rater=rater))
    ids = [campaign.pk for campaign in campaigns]
    judgments = Judgment.of_everyone.filter(rater=rater, submitted_at__gte=since, campaign__in=ids)
    today = dict(judgments.values_list("campaign").annotate(n=Count("pk")).order_by())
    leases = dict(
        Slot.objects.filter(campaign__in=ids, rater=rater, state=Slot.State.LEASED).values_list(
            "campaign", "lease"
        )
    )
    blocked = admission.blockers(
        rater=rater, pool_ids={campaign.pool_id for campaign in campaigns}, now=now
    )
    paused = admission.pauses(rater=rater, campaigns=campaigns)
    return [
        _open(
            campaign,
            rater,
            leases.get(campaign.pk),
            today.get(campaign.pk, 0),
            paused.get(campaign.pk) or blocked.get(campaign.pool_id),
            now,
        )
        for campaign in campaigns
    ]


def _open(
    campaign: Campaign,
    rater: Rater,
    lease: uuid.UUID | None,
    n_today: int,
    blocker: admission.Blocker | None,
    now: dt.datetime,
) -> OpenCampaign:
    fit = routing.fit(campaign=campaign, rater=rater)
    has_work = lease is not None or work_left.has_work(
        campaign=campaign, rater=rater, fit=fit, now=now
    )
    n_items = work_left.n_items(campaign=campaign, rater=rater, fit=fit, most=MOST_COUNTED)
    return OpenCampaign(
        campaign=campaign,
        n_items=None if n_items is None else n_items + (lease is not None),
        n_today=n_today,
        has_work=has_work,
        needs_sweep=not has_work and order.is_sweep_due(campaign=campaign, rater=rater, now=now),
        lease=lease,
        blocker=blocker,
        blocked_items=None
        if has_work or blocker
        else blocked_items(campaign=campaign, rater=rater),
        is_unanswered=work_left.is_unanswered(campaign=campaign, now=now),
    )
