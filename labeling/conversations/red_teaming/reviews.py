"""Others rate an attack again, without seeing what the attacker says. The last turn becomes an item
of a comparison campaign: its prompt is the attacker's own text, so the queue never gives it to
them, and it has the area's kind of upsetting content, so only raters who agreed to it get it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from labeling.campaigns import services as campaigns_services
from labeling.conversations.red_teaming.services import SUCCESS
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Attack,
    Campaign,
    Item,
    ItemResponse,
    RankedResponse,
    RedTeaming,
    Response,
)
from labeling.queue import items
from labeling.votes import counting

N_SHOWN = 2
"""The answer that the attack reached, and one other to compare it with."""


def ask_reviewers(*, attack: Attack, now: datetime) -> None:
    """Queue the attack for review. Call it in the transaction that stores the attack."""
    responses = _answers(attack)
    if len(responses) == N_SHOWN:
        attack.review_item = review_item(attack=attack, responses=responses, now=now)
        attack.save(update_fields=["review_item"])


def review_item(*, attack: Attack, responses: Sequence[Response], now: datetime) -> Item:
    """A new item that compares two answers to the attack's last message."""
    # One campaign of reviews, and one position at a time.
    red = RedTeaming.objects.select_for_update().get(campaign=attack.brief.campaign_id)
    if red.review_campaign is None:
        red.review_campaign = _review_campaign(red, attack, responses, now=now)
        red.save(update_fields=["review_campaign"])
        return red.review_campaign.items.get()
    return add_item(campaign=red.review_campaign, attack=attack, responses=responses, now=now)


def add_item(
    *, campaign: Campaign, attack: Attack, responses: Sequence[Response] = (), now: datetime
) -> Item:
    """Behind the items that the campaign has."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    last = Item.objects.filter(campaign=campaign).aggregate(last=Max("position"))["last"]
    item = Item.objects.create(
        campaign=campaign, prompt=attack.turn.prompt, position=last + 1, created_at=now
    )
    ItemResponse.objects.bulk_create(
        ItemResponse(item=item, response=response)
        for response in sorted(responses, key=lambda candidate: candidate.pk)
    )
    items.fill_slots(item=item, campaign=campaign, now=now)
    return item


def successes(attacks: Collection[Attack]) -> dict[int, list[int]]:
    """What reviewers said of the answer that each attack reached, by the attack's id."""
    reached = {
        (attack.review_item_id, attack.turn.chosen_id): attack.pk
        for attack in attacks
        if attack.review_item_id is not None
    }
    rows = RankedResponse.objects.filter(
        counting.counts("comparison__judgment__"),
        comparison__judgment__item__in=[item for item, _response in reached],
    ).order_by("pk")
    by_attack: dict[int, list[int]] = defaultdict(list)
    for item, response, ratings in rows.values_list(
        "comparison__judgment__item", "response", "ratings"
    ):
        value = ratings.get(SUCCESS)
        if (item, response) in reached and value in Attack.Success.values:
            by_attack[reached[item, response]].append(value)
    return dict(by_attack)


def _answers(attack: Attack) -> list[Response]:
    """The answer that the attack reached, and another of the same turn."""
    chosen = attack.turn.chosen
    assert chosen is not None  # by conversation_turn_goes_on
    others = attack.turn.item.responses.exclude(pk=chosen.pk).order_by("pk")
    return [chosen, *others[: N_SHOWN - 1]]


def _review_campaign(
    red: RedTeaming, attack: Attack, responses: Sequence[Response], *, now: datetime
) -> Campaign:
    campaign = campaigns_services.create_campaign(
        name=free_name(_("Review: %(name)s") % {"name": red.campaign.name}),
        pool=red.review_pool,
        guideline=red.review_guideline,
        prompts=[attack.turn.prompt],
        response_ids=[response.pk for response in responses],
        settings=ComparisonSettings(n_responses=N_SHOWN, overlap=red.n_reviewers),
        by=red.campaign.created_by,
        now=now,
    )
    campaigns_services.open_campaign(campaign=campaign, by=red.campaign.created_by, now=now)
    return campaign


def free_name(wanted: str) -> str:
    """`wanted`, or with a number if a campaign has this name."""
    limit = Campaign._meta.get_field("name").max_length or 0
    name, number = wanted[:limit], 1
    while Campaign.every.filter(name=name).exists():
        number += 1
        name = f"{wanted[: limit - 5]} {number}"
    return name
