"""What webhooks hear of campaigns and judgments: the feed, to each from where it has heard it. No
submit waits for that.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from labeling.models import Campaign, Judgment
from labeling.queue.feed import feed_position, judgment_feed

N_AT_ONCE = 500


def tell_of_judgments(*, now: datetime) -> int:
    """How many deliveries were written down. Each judgment comes half a minute after it was given,
    when it cannot be undone.
    """
    return sum(
        _tell(webhook, now) for webhook in webhooks_services.listening(event=Event.JUDGMENT_GIVEN)
    )


def tell_of_campaign(*, campaign: Campaign, state: str, before: str, now: datetime) -> None:
    """In the transaction of the change."""
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


def _tell(webhook: Webhook, now: datetime) -> int:
    told_to = webhook.judgments_told_to
    if told_to is None:
        told_to = feed_position(at=webhook.enabled_at)
    news = judgment_feed(after_id=told_to, n=N_AT_ONCE, now=now)
    with transaction.atomic():
        if not _move(webhook, news[-1].pk if news else told_to):
            return 0
        payloads = {f"judgment-{judgment.pk}": _data(judgment) for judgment in news}
        webhooks_services.queue_deliveries(
            webhooks=[webhook], event=Event.JUDGMENT_GIVEN, payloads=payloads, now=now
        )
    return len(news)


def _move(webhook: Webhook, told_to: int) -> bool:
    """False when another worker has told it of the same, or it was enabled anew."""
    mine = Webhook.objects.filter(
        pk=webhook.pk, enabled_at=webhook.enabled_at, judgments_told_to=webhook.judgments_told_to
    )
    return mine.update(judgments_told_to=told_to) == 1


def _data(judgment: Judgment) -> dict[str, Any]:
    return {
        "id": judgment.pk,
        "kind": judgment.kind,
        "campaign": judgment.campaign_id,
        "prompt": judgment.prompt_id,
        "rater": judgment.rater.alias,
        "supersedes": judgment.supersedes_id,
        "given_at": (judgment.corrected_at or judgment.submitted_at).isoformat(),
    }
