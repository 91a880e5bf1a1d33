"""Webhook events of campaigns and judgments. Judgments come from the feed, with a position for each
webhook, so no submit waits for them.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from jobs import guard
from labeling.models import Campaign, Judgment
from labeling.queue.feed import feed_position, judgment_feed

N_AT_ONCE = 500


def queue_judgment_events(*, now: datetime) -> int:
    """Store deliveries of new judgments; returns how many. Each judgment is sent half a minute
    after it was given, when it can no longer be undone.
    """
    return sum(
        _queue_events(webhook, now)
        for webhook in webhooks_services.listening(event=Event.JUDGMENT_GIVEN)
    )


def queue_campaign_event(*, campaign: Campaign, state: str, before: str, now: datetime) -> None:
    """Runs in the transaction of the change."""
    webhooks_services.send_event(
        event=Event.CAMPAIGN_CHANGED,
        key=f"campaign-{campaign.pk}-{state}-{now.timestamp()}",
        data={
            "id": campaign.pk,
            "name": campaign.name,
            "kind": campaign.kind,
            "state": state,
            "before": before,
        },
        now=now,
    )


def _queue_events(webhook: Webhook, now: datetime) -> int:
    told_to = webhook.judgments_told_to
    if told_to is None:
        told_to = feed_position(at=webhook.enabled_at)
    judgments = judgment_feed(after_id=told_to, n=N_AT_ONCE, now=now)
    with transaction.atomic():
        if not _advance(webhook, judgments[-1].pk if judgments else told_to):
            return 0
        payloads = {f"judgment-{judgment.pk}": _data(judgment) for judgment in judgments}
        webhooks_services.queue_deliveries(
            webhooks=[webhook], event=Event.JUDGMENT_GIVEN, payloads=payloads, now=now
        )
    return len(judgments)


def _advance(webhook: Webhook, told_to: int) -> bool:
    """False when another worker has advanced it already, or the webhook was enabled again
    meanwhile.
    """
    mine = Webhook.objects.filter(
        pk=webhook.pk, enabled_at=webhook.enabled_at, judgments_told_to=webhook.judgments_told_to
    )
    return guard.update_one(mine, judgments_told_to=told_to)


def _data(judgment: Judgment) -> dict[str, object]:
    return {
        "id": judgment.pk,
        "kind": judgment.kind,
        "campaign": judgment.campaign_id,
        "prompt": judgment.prompt_id,
        "rater": judgment.rater.alias,
        "supersedes": judgment.supersedes_id,
        "given_at": (judgment.corrected_at or judgment.submitted_at).isoformat(),
    }
