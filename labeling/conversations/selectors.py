"""What a conversation's pages show: where it stands, its history, and the turn to rate. The same
for every tab, reload and device, because all of it is read from the tables.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Min, Q

from labeling.conversations import prompts, turns
from labeling.desk.texts import reading
from labeling.desk.work import LeaseState, TurnPlace, Work
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import (
    AttackBrief,
    Campaign,
    Conversation,
    ConversationPlan,
    ConversationTurn,
    Prompt,
    Slot,
    TurnRequest,
)
from labeling.queue.claiming.work_left import UNCLAIMED

SLOW_AFTER = timedelta(seconds=90)
"""After this long without an answer, a claimed request counts as unanswered."""


class Phase(StrEnum):
    """What the rater can do now."""

    START = "start"
    WAIT = "wait"
    RATE = "rate"
    RETRY = "retry"
    WRITE = "write"
    END = "end"
    """It has as many turns as it may have."""
    FINISHED = "finished"


@dataclass(frozen=True)
class Standing:
    """Where the conversation on the item of `work` stands."""

    phase: Phase
    plan: ConversationPlan
    conversation: Conversation | None
    turn: ConversationTurn | None
    history: tuple[reading.Turn, ...]
    wait: "Wait | None" = None

    @property
    def number(self) -> int:
        """The turn that the rater is in, or begins next."""
        return self.n_turns if self.phase == Phase.END else self.n_turns + 1

    @property
    def n_turns(self) -> int:
        return self.conversation.n_turns if self.conversation else 0

    @property
    def last_turn(self) -> int:
        """The number of the latest turn; 0 before the first."""
        return self.turn.number if self.turn else 0

    @property
    def may_finish(self) -> bool:
        return self.phase != Phase.FINISHED and self.n_turns >= self.plan.min_turns

    @property
    def n_missing(self) -> int:
        """Turns to rate before it can be finished."""
        return max(0, self.plan.min_turns - self.n_turns)


def standing(*, work: Work, now: datetime) -> Standing:
    plan = work.campaign.conversation_plan
    conversations = Conversation.objects.filter(item=work.shown.item_id, rater=work.rater)
    conversation = conversations.select_related("item__prompt", "item__campaign").first()
    if conversation is None:
        is_free = plan.opening == ConversationPlan.Opening.FREE
        shown = [
            message for message in work.messages if not (is_free and message["role"] == "user")
        ]
        return Standing(Phase.START, plan, None, None, reading.turns_of(shown))
    last = conversation.turns.select_related("prompt").order_by("-number").first()
    phase = _phase(conversation, last, plan)
    is_in_turn = last is not None and last.state in turns.CURRENT
    messages = last.prompt.messages if last and is_in_turn else prompts.history_of(conversation)
    history = reading.turns_of([work.as_read(message) for message in messages], work.as_shown)
    waiting = _wait(last, now=now) if phase == Phase.WAIT and last is not None else None
    return Standing(phase, plan, conversation, last, history, waiting)


def attack_brief(*, work: Work) -> AttackBrief | None:
    """What this opening item asks an attacker to reach; None in other conversations."""
    if not turns.is_attack(work.campaign):
        return None
    briefs = work.campaign.attack_briefs.select_related("guideline_version__guideline")
    return briefs.filter(prompt=work.item.prompt).first()


@dataclass(frozen=True)
class Wait:
    """The rater waits for answers."""

    is_silent: bool
    """nobody has claimed the turn's requests for a while"""
    seconds: int
    """since the answers were asked for"""


def wait(*, work: Work, now: datetime) -> Wait | None:
    """None when there is nothing to wait for. It is asked for every second, so it reads neither the
    history nor the answers.
    """
    turn = ConversationTurn.objects.filter(
        conversation__item=work.shown.item_id,
        conversation__rater=work.rater,
        state=ConversationTurn.State.WAITING,
    ).first()
    return None if turn is None else _wait(turn, now=now)


def turn_work(*, user_id: int, lease: UUID) -> Work | None:
    """The turn that `lease` names as work for the desk's pages; None unless it is this user's."""
    queryset = ConversationTurn.objects.select_related(
        "conversation__rater",
        "conversation__item__prompt",
        "conversation__item__campaign__conversation_plan",
        "conversation__item__campaign__red_teaming",
        "item",
    )
    turn = queryset.filter(lease=lease, conversation__rater__user=user_id).first()
    if turn is None:
        return None
    conversation, campaign = turn.conversation, turn.conversation.item.campaign
    opening = opening_slot(turn)
    return Work(
        lease=lease,
        lease_state=_lease_state(turn, opening),
        shown=Slot(
            item=turn.item, campaign=campaign, rater=conversation.rater, seed=turn.seed, lease=lease
        ),
        rater=conversation.rater,
        campaign=campaign,
        version=guidelines_selectors.version(
            turn.guideline_version_id or campaign.guideline_version_id
        ),
        leased_at=turn.answered_at,
        expires_at=opening.expires_at if opening else None,
        turn=replace(
            place(campaign=campaign, prompt=conversation.item.prompt, number=turn.number),
            round=turn.round,
            may_regenerate=turn.n_regenerated < turns.MAX_REGENERATED,
        ),
    )


def place(*, campaign: Campaign, prompt: Prompt, number: int) -> TurnPlace:
    """Turn `number` of a conversation that opens with this prompt, which is an attack's goal."""
    plan = campaign.conversation_plan
    if not turns.is_attack(campaign):
        return TurnPlace(number=number, most=plan.max_turns, brief=plan.brief)
    brief = campaign.attack_briefs.filter(prompt=prompt).first()
    return TurnPlace(
        number=number,
        most=plan.max_turns,
        brief=str(prompt.messages[-1]["content"]),
        is_attack=True,
        rule=brief.rule if brief else "",
    )


def opening_slot(turn: ConversationTurn) -> Slot | None:
    """The slot of the conversation, while the rater has it."""
    return Slot.objects.filter(
        item=turn.conversation.item_id, rater=turn.conversation.rater_id
    ).first()


def _lease_state(turn: ConversationTurn, opening: Slot | None) -> LeaseState:
    if turn.state == ConversationTurn.State.RATED:
        return LeaseState.STORED
    return LeaseState.LAPSED if opening is None else LeaseState.OPEN


def _phase(
    conversation: Conversation, last: ConversationTurn | None, plan: ConversationPlan
) -> Phase:
    if conversation.state == Conversation.State.FINISHED:
        return Phase.FINISHED
    if last is None or last.state not in turns.CURRENT:
        return Phase.END if conversation.n_turns >= plan.max_turns else Phase.WRITE
    phases = {
        ConversationTurn.State.WAITING: Phase.WAIT,
        ConversationTurn.State.READY: Phase.RATE,
        ConversationTurn.State.FAILED: Phase.RETRY,
    }
    return phases[ConversationTurn.State(last.state)]


def _wait(turn: ConversationTurn, *, now: datetime) -> Wait:
    is_unclaimed = Q(state=TurnRequest.State.QUEUED, created_at__lt=now - UNCLAIMED)
    is_slow = Q(state=TurnRequest.State.CLAIMED, created_at__lt=now - SLOW_AFTER)
    asked = turn.requests.filter(round=turn.round).aggregate(
        at=Min("created_at"), n_silent=Count("pk", filter=is_unclaimed | is_slow)
    )
    seconds = int((now - asked["at"]).total_seconds()) if asked["at"] else 0
    return Wait(is_silent=asked["n_silent"] > 0, seconds=max(0, seconds))
