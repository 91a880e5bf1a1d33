"""A turn's sets of answers: which sources are asked for them, and asking them."""

import random
from collections.abc import Mapping
from datetime import datetime

from jobs.messages import MODELS, Message
from labeling.conversations import draws
from labeling.models import Conversation, ConversationPlan, ConversationTurn, TurnRequest

PENDING = (TurnRequest.State.QUEUED, TurnRequest.State.CLAIMED)
MAX_SEED = 2**31 - 1
TURNS = Message(
    "training.playground.conversations.tasks.answer_turn",
    limit=None,
    queue=MODELS,
    argument="turn_id",
)
"""Wakes those who answer turns. Nobody here knows who they are."""


def drawn_for(*, conversation: Conversation, number: int, round_number: int) -> draws.Drawn:
    """The sources of a round. Drawn once per conversation, they are the same in every round."""
    plan = _plan_of(conversation)
    seed = f"{conversation.seed}:sources"
    if plan.draws == ConversationPlan.Draw.TURN:
        seed = f"{seed}:{number}:{round_number}"
    n_answers = conversation.item.campaign.n_responses
    assert n_answers is not None  # by campaign_responses_fit_kind
    return draws.draw(_shares(plan), n=n_answers, seed=seed)


def shares_of(*, turn: ConversationTurn) -> list[draws.Share]:
    return _shares(_plan_of(turn.conversation))


def ask(
    *, turn: ConversationTurn, shares: Mapping[int, draws.Share], draw: int = 0, now: datetime
) -> None:
    """Queue requests for these places of the turn's current round."""
    plan = _plan_of(turn.conversation)
    TurnRequest.objects.bulk_create(
        TurnRequest(
            turn=turn,
            round=turn.round,
            place=place,
            draw=draw,
            source_id=share.source,
            sampling={
                "temperature": share.temperature,
                "top_p": plan.top_p,
                "max_new_tokens": plan.max_new_tokens,
                "seed": _sampling_seed(turn, place=place, draw=draw),
            },
            created_at=now,
        )
        for place, share in shares.items()
    )
    TURNS.wake_on_commit(turn.pk)


def drop_requests(*, turn: ConversationTurn, now: datetime) -> None:
    """Answers that are under way are not stored any more."""
    TurnRequest.objects.filter(turn=turn, state__in=PENDING).update(
        state=TurnRequest.State.DROPPED, expires_at=None, ended_at=now
    )


def _plan_of(conversation: Conversation) -> ConversationPlan:
    return conversation.item.campaign.conversation_plan


def _shares(plan: ConversationPlan) -> list[draws.Share]:
    rows = plan.sources.order_by("source").values_list("source_id", "weight", "temperature")
    return [draws.Share(*row) for row in rows]


def _sampling_seed(turn: ConversationTurn, *, place: int, draw: int) -> int:
    rng = random.Random(f"{turn.seed}:{turn.round}:{place}:{draw}")  # noqa: S311  # no secret
    return rng.randint(0, MAX_SEED)
