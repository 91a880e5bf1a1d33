"""Which events webhooks send: campaigns that change state, and judgments once they are final."""

import json
from datetime import datetime, timedelta

import pytest

from accounts.models import Delivery, User, Webhook
from accounts.webhooks import services as webhooks_services
from accounts.webhooks.services import Event
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.models import Campaign, Rater
from labeling.queue import webhook_events
from labeling.queue.claiming import claim
from labeling.queue.feed import SETTLED_AFTER
from tests.accounts.webhooks.webhook_receiver import Receiver, make
from tests.cast import NOON

pytestmark = pytest.mark.django_db


def test_campaigns_tell_when_they_open_pause_and_close(
    demonstration_campaign: Campaign, alice: User, receiver: Receiver
) -> None:
    make(receiver.url, alice)
    campaigns_services.pause_campaign(campaign=demonstration_campaign, by=alice, now=NOON)

    webhooks_services.deliver_waiting(now=NOON)

    (body,) = receiver.bodies
    assert body["event"] == "campaign.changed"
    assert body["data"]["state"] == "paused"


def test_a_campaign_whose_budget_is_spent_tells_that_it_is_paused(
    demonstration_campaign: Campaign, rosa: Rater, receiver: Receiver, alice: User
) -> None:
    make(receiver.url, alice, Event.CAMPAIGN_CHANGED)
    Campaign.objects.update(budget_unit="judgments", budget=1)

    write(demonstration_campaign, rosa)

    assert json.loads(Delivery.objects.get().body)["data"]["state"] == "paused"


def test_a_judgment_is_told_once_when_it_cannot_be_undone_any_more(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook
) -> None:
    given_at = NOON + timedelta(seconds=1)
    write(demonstration_campaign, rosa, given_at)

    assert webhook_events.queue_judgment_events(now=given_at) == 0
    assert webhook_events.queue_judgment_events(now=given_at + SETTLED_AFTER) == 1
    assert webhook_events.queue_judgment_events(now=given_at + SETTLED_AFTER) == 0

    data = json.loads(Delivery.objects.get(event="judgment.given").body)["data"]
    assert (data["campaign"], data["kind"], data["rater"]) == (
        demonstration_campaign.pk,
        "demonstration",
        rosa.alias,
    )


def test_a_judgment_right_after_the_webhook_was_made_is_told(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook
) -> None:
    write(demonstration_campaign, rosa, NOON + timedelta(seconds=1))

    webhook_events.queue_judgment_events(now=NOON + timedelta(minutes=1))

    assert Delivery.objects.filter(event="judgment.given").count() == 1


def test_what_was_judged_while_it_was_disabled_is_not_told(
    demonstration_campaign: Campaign, rosa: Rater, hook: Webhook, alice: User
) -> None:
    webhook_events.queue_judgment_events(now=NOON)
    webhooks_services.disable_webhook(webhook=hook, by=alice, now=NOON)
    write(demonstration_campaign, rosa, NOON + timedelta(seconds=1))
    webhooks_services.enable_webhook(webhook=hook, by=alice, now=NOON + timedelta(seconds=2))

    webhook_events.queue_judgment_events(now=NOON + timedelta(minutes=1))

    assert not Delivery.objects.filter(event="judgment.given").exists()


def test_judgments_from_before_the_webhook_are_not_told(
    demonstration_campaign: Campaign, rosa: Rater, receiver: Receiver, alice: User
) -> None:
    write(demonstration_campaign, rosa)
    make(receiver.url, alice)

    webhook_events.queue_judgment_events(now=NOON + SETTLED_AFTER)
    webhook_events.queue_judgment_events(now=NOON + SETTLED_AFTER)

    assert not Delivery.objects.exists()


def write(campaign: Campaign, rater: Rater, now: datetime = NOON) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    assert slot.lease is not None
    submit.submit(
        lease=slot.lease,
        rater=rater,
        answer=DemonstrationAnswer(text="Two.", sources=""),
        recorded=Recorded(presentation={}, active_s=1, warnings=[]),
        now=now,
    )
