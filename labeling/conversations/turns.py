"""A rater's conversation: start it, write a message, rate the answers, ask for others, finish.

Each turn is an ordinary prompt with responses and one comparison, on an item of its own. The item
gets its only slot when the turn is rated, already filled, so that the queue never gives it to
anybody else. The conversation itself belongs to the slot of its opening item.
"""

import random
import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.conversations import holding, prompts, rounds
from labeling.desk.judgments import rows, submit
from labeling.desk.judgments.checked_answers import Answer, CheckedComparison, Recorded
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.models import (
    Campaign,
    Conversation,
    ConversationPlan,
    ConversationTurn,
    Draft,
    Item,
    ItemResponse,
    Judgment,
    Prompt,
    Rater,
    Response,
    Slot,
)
from labeling.queue import after_judgment, slots
from labeling.queue.claiming import order
from labeling.splits import places

MAX_MESSAGE = 8_000
MAX_REGENERATED = 5
State = ConversationTurn.State
CURRENT = (State.WAITING, State.READY, State.FAILED)
"""A turn that still needs a rating."""


class UnableToConverse(Refusal):
    """The conversation cannot go on this way; the text says what to do."""


class OtherAnswersShown(UnableToSubmit):
    """A rating is of answers that have been replaced by others since."""


def start(*, lease: uuid.UUID, rater: Rater, now: datetime) -> Conversation:
    """The conversation on the item held under `lease`: a new one, or the one that the rater has
    begun earlier. Raises UnableToConverse.
    """
    with transaction.atomic():
        slot = slots.locked(lease=lease, rater=rater)
        if slot is None or not slot.campaign.about.talks:
            raise UnableToConverse(holding.given_away_sentence())
        defaults = {"seed": order.new_seed(), "started_at": now}
        conversation, is_new = Conversation.objects.get_or_create(
            item=slot.item, rater=rater, defaults=defaults
        )
        plan = slot.campaign.conversation_plan
        if is_new and plan.opening == ConversationPlan.Opening.PROMPT:
            _open_turn(
                conversation=conversation, number=1, prompt=slot.item.prompt, slot=slot, now=now
            )
    return conversation


def write(*, conversation: Conversation, number: int, text: str, now: datetime) -> ConversationTurn:
    """The rater's message that begins turn `number`. Sent twice, it begins one turn: the turn
    returned may have begun with another message. Raises UnableToConverse.
    """
    with transaction.atomic():
        conversation = _locked(conversation)
        begun = conversation.turns.filter(number=number).first()
        if begun is not None:
            return begun
        _refuse_message(text, conversation=conversation, number=number)
        slot = _held_slot(conversation)
        try:
            prompt = prompts.prompt_of_turn(text, conversation=conversation, now=now)
        except places.UnableToPlace as problem:
            raise UnableToConverse(problem.sentence) from problem
        return _open_turn(
            conversation=conversation, number=number, prompt=prompt, slot=slot, now=now
        )


def rate(
    *,
    lease: uuid.UUID,
    rater: Rater,
    round_number: int,
    answer: Answer,
    recorded: Recorded | None = None,
    now: datetime,
) -> Judgment:
    """Store the comparison of the turn that `lease` names, of its set of answers `round_number`.
    The best answer goes on, of equally good ones any; an edit goes on in place of the answers.
    Submitting twice returns the first judgment. Once another rater has the conversation, it is
    stored as an extra. Raises UnableToSubmit, and OtherAnswersShown when the turn has another set
    of answers by now.
    """
    with transaction.atomic():
        turn = _turn_of(lease=lease, rater=rater)
        first = Judgment.of_everyone.filter(lease=lease).first()
        if first is not None:
            return first
        rows.refuse_withdrawn(rater=rater)
        _refuse_rating(turn, round_number=round_number)
        campaign = turn.conversation.item.campaign
        slot = _filled_slot(turn, campaign=campaign, rater=rater)
        checked = rows.checked(
            answer,
            campaign=campaign,
            guideline_version=turn.guideline_version_id,
            read_shown=lambda: order.presented(slot),
        )
        assert isinstance(checked, CheckedComparison)
        _refuse_dead_end(checked, is_attack=is_attack(campaign))
        is_extra = holding.is_taken_over(turn.conversation)
        held = holding.past_lease(turn, now=now) if is_extra else slot
        if not is_extra:
            slot.save()
        judgment = submit.store(
            held=held,
            slot=None if is_extra else slot,
            rater=rater,
            answer=checked,
            recorded=recorded or Recorded(),
            now=now,
        )
        rows.store_edit(judgment=judgment, answer=checked, now=now)
        after_judgment.after_submit(judgment=judgment, campaign=campaign, held=held, now=now)
        _go_on(turn, chosen=_chosen(turn, judgment=judgment, checked=checked), now=now)
    return judgment


def regenerate(*, lease: uuid.UUID, rater: Rater, round_number: int, now: datetime) -> bool:
    """Ask for other answers to the same message, in place of those of `round_number`. After a
    failed turn it is not counted. False when that was done already. Raises UnableToConverse.
    """
    with transaction.atomic():
        turn = _turn_of(lease=lease, rater=rater)
        if turn.state == State.WAITING or turn.round != round_number:
            return False
        if turn.state not in CURRENT:
            raise UnableToConverse(_("This turn is rated already."))
        _held_slot(turn.conversation)
        is_counted = turn.state == State.READY
        if is_counted and turn.n_regenerated >= MAX_REGENERATED:
            raise UnableToConverse(
                _("You have asked for other answers %(n)d times. Rate these, or edit one.")
                % {"n": MAX_REGENERATED}
            )
        ItemResponse.objects.filter(item=turn.item_id).delete()
        _ask_round(turn, round_number=turn.round + 1, n_regenerated=is_counted, now=now)
    return True


def finish(
    *,
    conversation: Conversation,
    goal_rating: int | None = None,
    ratings: Mapping[str, int | bool] | None = None,
    remark: str = "",
    last_turn: int | None = None,
    now: datetime,
) -> bool:
    """End the conversation and fill its slot. A turn that is not rated is left, unless it began
    after `last_turn`, the latest that the rater saw. Without a place in its item the conversation
    is not finished, and only what was said of it is kept. False when it was finished already.
    Raises UnableToConverse.
    """
    with transaction.atomic():
        conversation = _locked(conversation)
        if conversation.state == Conversation.State.FINISHED:
            return False
        if conversation.rater.withdrawn_at is not None:
            raise UnableToConverse(rows.withdrawn_sentence())
        _refuse_unseen_turn(conversation, last_turn=last_turn)
        rows_needed = conversation.item.campaign.conversation_plan.min_turns
        if conversation.n_turns < rows_needed:
            raise UnableToConverse(
                _("Rate at least %(n)d turns before you finish.") % {"n": rows_needed}
            )
        conversation.goal_rating, conversation.remark = goal_rating, remark.strip()
        conversation.ratings = dict(ratings or {})
        conversation.save(update_fields=["goal_rating", "ratings", "remark"])
        slot = slots.fill_another(item_id=conversation.item_id, rater=conversation.rater)
        if slot is not None:
            _end(conversation, now=now)
    if slot is None:
        raise UnableToConverse(holding.no_place_sentence())
    return True


def is_attack(campaign: Campaign) -> bool:
    """Whether its conversations are attacks with a brief."""
    return hasattr(campaign, "red_teaming")


def is_complete(conversation: Conversation) -> bool:
    """Whether it has as many turns as it may have."""
    return conversation.n_turns >= conversation.item.campaign.conversation_plan.max_turns


# --- rows -----------------------------------------------------------------------------------------


def _end(conversation: Conversation, *, now: datetime) -> None:
    for turn in conversation.turns.filter(state__in=CURRENT):
        rounds.drop_requests(turn=turn, now=now)
    conversation.turns.filter(state__in=CURRENT).update(state=State.LEFT)
    conversation.state, conversation.finished_at = Conversation.State.FINISHED, now
    conversation.save(update_fields=["state", "finished_at"])
    # A message that was typed and not sent.
    Draft.objects.filter(item=conversation.item_id, rater=conversation.rater).delete()


def _locked(conversation: Conversation) -> Conversation:
    """Whoever changes a conversation locks its row first, so that two tabs take turns."""
    return (
        Conversation.objects.select_for_update(of=("self",))
        .select_related(
            "rater",
            "item__prompt",
            "item__campaign__conversation_plan",
            "item__campaign__red_teaming",
        )
        .get(pk=conversation.pk)
    )


def _turn_of(*, lease: uuid.UUID, rater: Rater) -> ConversationTurn:
    """The rater's turn, after locking its conversation and itself."""
    unlocked = Conversation.objects.filter(turns__lease=lease, rater=rater).first()
    if unlocked is None:
        raise UnableToConverse(_("You have no such conversation. Open it again from the desk."))
    conversation = _locked(unlocked)
    turn = ConversationTurn.objects.select_for_update(of=("self",)).get(lease=lease)
    turn.conversation, turn.item.campaign = conversation, conversation.item.campaign
    return turn


def _held_slot(conversation: Conversation) -> Slot:
    """Only who holds the opening item goes on: another rater may have it by now."""
    slot = holding.held_slot(conversation)
    if slot is None:
        raise UnableToConverse(holding.given_away_sentence())
    return slot


def other_answers_sentence() -> str:
    return _(
        "Nothing was saved: these are other answers than those you have rated, because you asked"
        " for others in another tab or before going back. Rate these. Your words are kept."
    )


def _refuse_unseen_turn(conversation: Conversation, *, last_turn: int | None) -> None:
    current = conversation.turns.filter(state__in=CURRENT)
    if last_turn is not None and current.filter(number__gt=last_turn).exists():
        raise UnableToConverse(
            _(
                "You have sent another message since you opened this page. Rate its answers first,"
                " or finish all the same: then it is left without a rating."
            )
        )


def refuse_another_message(text: str, *, begun: ConversationTurn) -> None:
    """Raises UnableToConverse unless the turn has begun with this text."""
    sent = begun.prompt.messages[-1]["content"]
    if prompts.as_sent(text).split() != sent.split():
        raise UnableToConverse(
            _("Turn %(n)d has begun with another message of yours, so this one was not sent.")
            % {"n": begun.number}
        )


def _refuse_message(text: str, *, conversation: Conversation, number: int) -> None:
    if conversation.state != Conversation.State.OPEN:
        raise UnableToConverse(_("This conversation is finished."))
    if is_complete(conversation):
        raise UnableToConverse(_("This was the last turn. Finish the conversation."))
    if number != conversation.n_turns + 1 or conversation.turns.filter(state__in=CURRENT).exists():
        raise UnableToConverse(_("Rate the answers before you write the next message."))
    if not text.strip():
        raise UnableToConverse(_("The message is empty. Write one."))
    if len(text) > MAX_MESSAGE:
        raise UnableToConverse(
            _("A message has at most %(n)d characters. Shorten it.") % {"n": MAX_MESSAGE}
        )


def _open_turn(
    *, conversation: Conversation, number: int, prompt: Prompt, slot: Slot, now: datetime
) -> ConversationTurn:
    campaign = conversation.item.campaign
    # One position at a time.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    last = Item.objects.filter(campaign=campaign).aggregate(last=Max("position"))["last"]
    item = Item.objects.create(
        campaign=campaign, prompt=prompt, position=last + 1, is_turn=True, created_at=now
    )
    turn = ConversationTurn(
        conversation=conversation,
        number=number,
        prompt=prompt,
        item=item,
        lease=uuid.uuid4(),
        seed=order.new_seed(),
        guideline_version_id=slot.guideline_version_id,
        propensity=1.0,
        created_at=now,
    )
    turn.save()
    _ask_round(turn, round_number=1, n_regenerated=0, now=now)
    return turn


def _ask_round(
    turn: ConversationTurn, *, round_number: int, n_regenerated: int, now: datetime
) -> None:
    drawn = rounds.drawn_for(
        conversation=turn.conversation, number=turn.number, round_number=round_number
    )
    turn.round, turn.propensity = round_number, drawn.propensity
    turn.n_regenerated += n_regenerated
    turn.state, turn.answered_at = State.WAITING, None
    turn.save(update_fields=["round", "propensity", "n_regenerated", "state", "answered_at"])
    rounds.ask(turn=turn, shares=dict(enumerate(drawn.shares)), now=now)


def _filled_slot(turn: ConversationTurn, *, campaign: Campaign, rater: Rater) -> Slot:
    """The turn's slot, which is not stored yet. It has never been free."""
    return Slot(
        item=turn.item,
        campaign=campaign,
        number=0,
        state=Slot.State.SUBMITTED,
        rater=rater,
        lease=turn.lease,
        leased_at=turn.answered_at,
        seed=turn.seed,
        guideline_version_id=turn.guideline_version_id,
        queue_rank=0,
    )


def _refuse_rating(turn: ConversationTurn, *, round_number: int) -> None:
    if turn.state == State.LEFT:
        raise UnableToSubmit(_("This conversation is finished."))
    if turn.round != round_number:
        raise OtherAnswersShown(other_answers_sentence())
    if turn.state != State.READY:
        raise UnableToSubmit(_("The answers are not there yet. Wait a moment."))


def _refuse_dead_end(checked: CheckedComparison, *, is_attack: bool) -> None:
    if checked.given.is_all_bad and checked.given.edit is None and not is_attack:
        raise UnableToSubmit(
            _(
                "Choose which answer to continue with. Edit the better one, or ask for other"
                " answers."
            )
        )


def _chosen(turn: ConversationTurn, *, judgment: Judgment, checked: CheckedComparison) -> Response:
    if is_attack(turn.conversation.item.campaign):
        return _worst(turn, checked)
    if checked.given.edit is not None:
        edited = judgment.demonstration.response
        assert edited is not None  # by demonstration_edit_is_whole
        return edited
    best = [position for position, rank in sorted(checked.ranks.items()) if rank == 1]
    position = random.Random(f"{turn.seed}:tie").choice(best)  # noqa: S311  # a fair draw
    return checked.shown[position]


def _worst(turn: ConversationTurn, checked: CheckedComparison) -> Response:
    """An attack goes on with the answer that its rater likes least: preferences stay preferences,
    and an edit says what the model should have said.
    """
    ranks = {position: rank for position, rank in checked.ranks.items() if rank is not None}
    most = max(ranks.values(), default=None)
    worst = [position for position in sorted(ranks) if ranks[position] == most]
    places = worst or range(len(checked.shown))  # all are bad
    return checked.shown[random.Random(f"{turn.seed}:tie").choice(places)]  # noqa: S311  # fair


def _go_on(turn: ConversationTurn, *, chosen: Response, now: datetime) -> None:
    turn.state, turn.chosen, turn.rated_at = State.RATED, chosen, now
    turn.save(update_fields=["state", "chosen", "rated_at"])
    conversation = turn.conversation
    conversation.n_turns += 1
    conversation.save(update_fields=["n_turns"])
