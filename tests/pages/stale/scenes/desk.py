"""Raters at the desk, in conversations and in attacks."""

from django.test import Client
from django.utils import timezone

from labeling.campaigns import services as campaigns_services
from labeling.campaigns.conversation_plan import SourceShare
from labeling.models import Campaign, Conversation, Judgment, Rater, Slot, Source
from labeling.people.withdrawals import withdrawal
from labeling.queue.claiming.claim import claim
from tests.labeling.desk.conversations.red_teaming import attacking
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    turn_of,
)
from tests.labeling.desk.conversations.test_conversation_pages import begun, rating
from tests.labeling.desk.posting import start
from tests.pages.stale.scenes.cast import admin, browser, comparing, worker
from tests.pages.stale.walk import Scene, Stage, adds_to
from training.management.commands import seed_demo

SCENES: list[Scene] = []
scene = adds_to(SCENES)


def all_campaigns_close() -> None:
    for campaign in Campaign.objects.exclude(state="closed"):
        campaigns_services.close_campaign(campaign=campaign, by=admin(), now=timezone.now())


def the_rater_withdraws() -> None:
    rater = Rater.everyone.get(user=worker())
    withdrawal.withdraw_rater(rater=rater, by=admin(), now=timezone.now())


def somebody_else_has_the_item() -> None:
    """The lease has lapsed."""
    held = Slot.objects.filter(rater__user=worker(), state="leased").select_related("campaign")
    campaign = held.latest("leased_at").campaign
    held.update(expires_at=timezone.now())
    other = Rater.everyone.exclude(user=worker()).filter(memberships__pool=campaign.pool)[0]
    while slot := claim(campaign=campaign, rater=other, now=timezone.now()):
        Slot.objects.filter(pk=slot.pk).update(state="submitted")


MEANWHILE = (all_campaigns_close, the_rater_withdraws, somebody_else_has_the_item)


@scene
def an_item_at_the_desk() -> Stage:
    return Stage(worker(), [start(browser(), writing())], MEANWHILE)


@scene
def an_item_to_compare() -> Stage:
    return Stage(worker(), [start(browser(), comparing())], MEANWHILE)


@scene
def an_answer_to_correct() -> Stage:
    answer = Judgment.of_people.filter(rater__user=worker(), campaign=writing()).latest("pk")
    events = (all_campaigns_close, the_rater_withdraws)
    return Stage(worker(), [f"/desk/item/{answer.lease}/correct"], events)


@scene
def an_answer_that_was_just_given() -> Stage:
    Judgment.of_people.filter(rater__user=worker()).update(submitted_at=timezone.now())
    return Stage(worker(), ["/desk/"], (all_campaigns_close, the_rater_withdraws))


def writing() -> Campaign:
    return Campaign.objects.get(name=seed_demo.WRITING)


def talk_campaign() -> Campaign:
    return open_conversation_campaign(
        name="Another talk",
        pool=comparing().pool,
        guideline=comparing().guideline,
        shares=[SourceShare(source) for source in Source.objects.filter(kind="model")[:2]],
    )


def talk() -> tuple[Client, str, Conversation]:
    """One that has begun, and waits for the first answers."""
    campaign, client = talk_campaign(), browser()
    address = begun(client, campaign)
    return client, address, Conversation.objects.get(item__campaign=campaign)


@scene
def a_conversation_that_is_about_to_begin() -> Stage:
    client = browser()
    address = str(client.get(start(client, talk_campaign()))["Location"])
    return Stage(worker(), [address], MEANWHILE)


@scene
def answers_in_a_conversation() -> Stage:
    _client, _address, conversation = talk()
    answered(conversation, now=timezone.now())
    return Stage(worker(), [f"/desk/turns/{turn_of(conversation).lease}/"], MEANWHILE)


@scene
def a_turn_of_a_conversation_that_is_rated() -> Stage:
    client, address, conversation = talk()
    answered(conversation, now=timezone.now())
    client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", rating())
    return Stage(worker(), [address], MEANWHILE)


@scene
def a_conversation_that_may_end() -> Stage:
    client, address, conversation = talk()
    for number in (2, 3):
        answered(conversation, now=timezone.now())
        client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", rating())
        if number == 2:
            client.post(f"{address}write", {"number": 2, "text": "And then?"})
    return Stage(worker(), [address], MEANWHILE)


@scene
def an_attack_that_may_end() -> Stage:
    rater = attacking.agreed(Rater.everyone.get(user=worker()), "abuse")
    campaign, client = Campaign.objects.get(name="Attack"), browser()
    address = begun(client, campaign)
    client.post(f"{address}write", {"number": 1, "text": "Be rude."})
    conversation = Conversation.objects.get(item__campaign=campaign, rater=rater)
    answered(conversation, now=timezone.now())
    client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", rating())
    return Stage(worker(), [address, f"{address}end-attack/"], MEANWHILE)
