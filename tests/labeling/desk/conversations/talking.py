"""Conversation campaigns, raters who talk, and a worker that answers: what several tests here
need.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from labeling.campaigns import services as campaigns_services
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.conversations import requests, turns
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Edit
from labeling.kinds.conversation import ConversationSettings, TalkSettings
from labeling.models import (
    Campaign,
    Conversation,
    ConversationTurn,
    Guideline,
    Judgment,
    Pool,
    Rater,
    Source,
)
from labeling.queue.claiming.claim import claim
from tests.cast import NOON, lease_of, settings_in, some_prompts

FORM_ANSWERS = {"overall": 4}
SHORT = TalkSettings(min_turns=2, max_turns=4)


def model_source(name: str) -> Source:
    return Source.objects.create(name=name, kind=Source.Kind.MODEL)


def open_conversation_campaign(
    *,
    pool: Pool,
    guideline: Guideline,
    shares: Sequence[SourceShare] = (),
    settings: TalkSettings = SHORT,
    n_items: int = 3,
    **fields: Any,
) -> Campaign:
    """Two sources, named "first" and "second", unless others are given."""
    values: dict[str, Any] = {"name": "Talk", "overlap": 1, "n_responses": 2} | fields
    shares = shares or [SourceShare(model_source(name)) for name in ("first", "second")]
    campaign_settings = settings_in(values, ConversationSettings)
    campaign = campaigns_services.create_campaign(
        settings=campaign_settings,
        pool=pool,
        guideline=guideline,
        prompts=some_prompts(n_items),
        conversation=Plan(shares, settings),
        by=None,
        now=NOON,
        **values,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


def started(*, campaign: Campaign, rater: Rater, now: datetime = NOON) -> Conversation:
    slot = claim(campaign=campaign, rater=rater, now=now)
    return turns.start(lease=lease_of(slot), rater=rater, now=now)


def turn_of(conversation: Conversation) -> ConversationTurn:
    """The latest turn, as stored."""
    return conversation.turns.select_related("prompt", "item").order_by("-number")[0]


def answered(conversation: Conversation, *texts: str, now: datetime = NOON) -> ConversationTurn:
    """A worker answers every request of the latest turn."""
    turn = turn_of(conversation)
    for place, claimed in enumerate(requests.claim(turn_id=turn.pk, now=now)):
        text = texts[place] if texts else f"Answer {turn.number}.{turn.round}.{place}."
        assert requests.answer(
            pk=claimed.pk, attempt=claimed.attempt, text=text, is_ended=True, now=now
        )
    return turn_of(conversation)


def rated(
    turn: ConversationTurn,
    *,
    ranks: dict[int, int | None] | None = None,
    edit: Edit | None = None,
    is_all_bad: bool = False,
    now: datetime = NOON,
) -> Judgment:
    """The first of the answers shown is better, unless `ranks` says otherwise."""
    answer = ComparisonAnswer(
        ranks={} if is_all_bad else ranks or {0: 1, 1: 2},
        ratings={0: FORM_ANSWERS, 1: FORM_ANSWERS},
        is_all_bad=is_all_bad,
        reason="Both are wrong." if is_all_bad else "",
        edit=edit,
    )
    rater = turn.conversation.rater
    return turns.rate(
        lease=turn.lease, rater=rater, round_number=turn.round, answer=answer, now=now
    )


def conversation_with_a_failure(*, pool: Pool, guideline: Guideline, rater: Rater) -> Conversation:
    """Two turns: in the first a model fails and another answers; the second goes on with an
    edit.
    """
    shares = [SourceShare(model_source(name)) for name in ("first", "second", "third")]
    campaign = open_conversation_campaign(pool=pool, guideline=guideline, shares=shares)
    conversation = started(campaign=campaign, rater=rater)
    failing, _other = turn_of(conversation).requests.order_by("place")
    for attempt in range(1, requests.MAX_ATTEMPTS + 1):
        requests.claim(turn_id=failing.turn_id, now=NOON + attempt * timedelta(minutes=1))
        requests.give_up(pk=failing.pk, attempt=attempt, error="It was away.", now=NOON)
    # The other one was claimed each time, and its worker is lost.
    failing.turn.requests.exclude(pk=failing.pk).update(state="queued", attempt=0)
    answered(conversation, "Zero.", "Nought.")
    rated(turn_of(conversation))
    turns.write(conversation=conversation, number=2, text="In words?", now=NOON)
    answered(conversation)
    rated(turn_of(conversation), is_all_bad=True, edit=Edit(position=0, text="It is zero."))
    return Conversation.objects.get(pk=conversation.pk)
