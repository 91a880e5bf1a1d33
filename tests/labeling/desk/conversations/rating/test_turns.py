"""A conversation from its opening to its end, as its rater and the tables see it."""

from datetime import timedelta

import pytest

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.conversations import turns
from labeling.conversations.turns import UnableToConverse
from labeling.desk.judgments import correct, undo
from labeling.desk.judgments.checked_answers import ComparisonAnswer, Edit
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.kinds.conversation import ConversationSettings, TalkSettings
from labeling.models import (
    Campaign,
    Conversation,
    ConversationPlan,
    ConversationTurn,
    Guideline,
    Judgment,
    Pool,
    Rater,
    Slot,
    Source,
)
from labeling.people.own_data.selectors import own_data
from labeling.people.withdrawals import withdrawal
from labeling.queue import slots
from labeling.queue.claiming.claim import claim
from labeling.queue.claiming.order import presented
from labeling.votes import counting
from tests.cast import NOON, lease_of, some_prompts
from tests.labeling.desk.conversations.talking import (
    answered,
    model_source,
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)

HELLO = [{"role": "user", "content": "Question 0: what is 0 plus 0?"}]


def test_the_opening_prompt_is_the_first_message(conversation: Conversation) -> None:
    turn = turn_of(conversation)

    assert turn.number == 1
    assert turn.prompt.messages == HELLO
    assert turn.state == ConversationTurn.State.WAITING


def test_answers_are_shown_only_when_all_are_there(conversation: Conversation) -> None:
    turn = turn_of(conversation)

    assert not turn.item.responses.exists()
    turn = answered(conversation)

    assert turn.state == ConversationTurn.State.READY
    assert turn.item.responses.count() == 2


def test_a_rated_turn_is_one_stored_comparison(conversation: Conversation) -> None:
    turn = answered(conversation, "Zero.", "Nought.")

    judgment = rated(turn)

    assert judgment.kind == Judgment.Kind.COMPARISON
    assert judgment.prompt_id == turn.prompt_id
    assert judgment.slot is not None
    shown = [row.response for row in judgment.comparison.ranked.order_by("position")]
    assert shown == presented(judgment.slot)
    assert Judgment.of_people.filter(counting.counts()).count() == 1


def test_the_better_answer_is_the_history_of_every_source(conversation: Conversation) -> None:
    turn = answered(conversation)
    rated(turn, ranks={0: 2, 1: 1})

    turns.write(conversation=conversation, number=2, text="And 1 plus 1?", now=NOON)

    chosen = turn_of(conversation).prompt.messages[-2]
    better = Judgment.of_people.get().comparison.ranked.get(rank=1).response
    assert chosen == {"role": "assistant", "content": better.text}
    asked = turn_of(conversation).requests.all()
    assert {one.turn.prompt.messages[-1]["content"] for one in asked} == {"And 1 plus 1?"}


def test_an_edit_goes_on_in_place_of_the_answers(conversation: Conversation) -> None:
    turn = answered(conversation)

    rated(turn, is_all_bad=True, edit=Edit(position=1, text="It is zero."))
    turns.write(conversation=conversation, number=2, text="Sure?", now=NOON)

    assert turn_of(conversation).prompt.messages[-2]["content"] == "It is zero."


def test_two_bad_answers_without_an_edit_end_nowhere(conversation: Conversation) -> None:
    turn = answered(conversation)

    with pytest.raises(UnableToSubmit, match="Choose which answer to continue with"):
        rated(turn, is_all_bad=True)

    assert not Judgment.of_people.exists()
    assert not Slot.objects.filter(item=turn.item).exists()


def test_a_tie_goes_on_with_one_of_the_two(conversation: Conversation) -> None:
    turn = answered(conversation)

    judgment = rated(turn, ranks={0: 1, 1: 1})

    tied = {row.response for row in judgment.comparison.ranked.all()}
    assert turn_of(conversation).chosen in tied


def test_rating_a_turn_twice_stores_one_comparison(conversation: Conversation) -> None:
    turn = answered(conversation)

    first = rated(turn)
    second = rated(turn, ranks={0: 2, 1: 1})

    assert first == second
    conversation.refresh_from_db()
    assert conversation.n_turns == 1


def test_sending_a_message_twice_begins_one_turn(conversation: Conversation) -> None:
    rated(answered(conversation))

    first = turns.write(conversation=conversation, number=2, text="More.", now=NOON)
    second = turns.write(conversation=conversation, number=2, text="More!", now=NOON)

    assert first == second
    assert conversation.turns.count() == 2


def test_nothing_is_written_before_the_answers_are_rated(conversation: Conversation) -> None:
    answered(conversation)

    with pytest.raises(UnableToConverse, match="Rate the answers"):
        turns.write(conversation=conversation, number=2, text="More.", now=NOON)


def test_answers_that_are_not_there_cannot_be_rated(conversation: Conversation) -> None:
    with pytest.raises(UnableToSubmit, match="not there yet"):
        rated(turn_of(conversation))


def test_no_other_rater_is_given_a_turn(
    conversation: Conversation, campaign: Campaign, raul: Rater
) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="More.", now=NOON)
    answered(conversation)

    given = []
    while (slot := claim(campaign=campaign, rater=raul, now=NOON)) is not None:
        given.append(slot.item)
        slots.skip(lease=lease_of(slot), rater=raul, reason="technical", now=NOON)

    assert len(given) == 2
    assert not any(item.is_turn for item in given)


def test_a_higher_overlap_gives_no_turn_to_anybody(
    conversation: Conversation, campaign: Campaign, alice: User
) -> None:
    rated(answered(conversation))

    campaigns_services.change_campaign(campaign=campaign, values={"overlap": 3}, by=alice, now=NOON)

    turn_slots = Slot.objects.filter(item__is_turn=True)
    assert [slot.state for slot in turn_slots] == [Slot.State.SUBMITTED]


def test_a_withdrawal_frees_the_opening_and_no_turn(
    conversation: Conversation, rosa: Rater, alice: User
) -> None:
    rated(answered(conversation))

    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    assert Slot.objects.get(item=conversation.item).state == Slot.State.FREE
    assert not Slot.objects.filter(item__is_turn=True, state=Slot.State.FREE).exists()
    assert not Judgment.of_people.filter(counting.counts()).exists()


def test_the_withdrawal_of_who_finished_gives_the_opening_to_another(
    conversation: Conversation, rosa: Rater, raul: Rater, alice: User
) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="And then?", now=NOON)
    rated(answered(conversation))
    turns.finish(conversation=conversation, now=NOON)
    opening = Slot.objects.get(item=conversation.item)

    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)

    opening.refresh_from_db()
    assert (opening.state, opening.rater) == (Slot.State.FREE, None)
    assert not Slot.objects.filter(item__is_turn=True, state=Slot.State.FREE).exists()

    withdrawal.readmit_rater(rater=rosa, by=alice, now=NOON)

    opening.refresh_from_db()
    assert (opening.state, opening.rater) == (Slot.State.SUBMITTED, rosa)


def test_own_data_has_what_the_rater_wrote(conversation: Conversation, rosa: Rater) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="And then?", now=NOON)

    (record,) = [one for one in own_data(rater=rosa) if one["type"] == "conversation"]

    opening = conversation.item.prompt.messages[-1]["content"]
    assert record["messages"] == [opening, "And then?"]
    assert record["state"] == "open"


def test_own_data_has_what_the_rater_said_of_the_whole_conversation(
    conversation: Conversation, rosa: Rater
) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="More.", now=NOON)
    rated(answered(conversation))
    turns.finish(
        conversation=conversation,
        goal_rating=5,
        ratings={"helpful": 6, "is_safe": True},
        remark="ok",
        now=NOON,
    )

    (record,) = [one for one in own_data(rater=rosa) if one["type"] == "conversation"]

    assert (record["goal_rating"], record["remark"]) == (5, "ok")
    assert record["ratings"] == {"helpful": 6, "is_safe": True}


def test_a_finished_conversation_fills_its_slot(conversation: Conversation, rosa: Rater) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="More.", now=NOON)
    rated(answered(conversation))

    assert turns.finish(conversation=conversation, goal_rating=5, remark=" ok ", now=NOON)
    assert not turns.finish(conversation=conversation, now=NOON)

    slot = Slot.objects.get(item=conversation.item)
    assert (slot.state, slot.rater) == (Slot.State.SUBMITTED, rosa)
    conversation.refresh_from_db()
    assert (conversation.goal_rating, conversation.remark) == (5, "ok")


def test_a_conversation_needs_its_minimum_of_turns(conversation: Conversation) -> None:
    rated(answered(conversation))

    with pytest.raises(UnableToConverse, match="at least 2 turns"):
        turns.finish(conversation=conversation, now=NOON)


def test_after_the_last_turn_nothing_is_written(conversation: Conversation) -> None:
    for number in range(1, 5):
        if number > 1:
            turns.write(conversation=conversation, number=number, text="More.", now=NOON)
        rated(answered(conversation))

    with pytest.raises(UnableToConverse, match="last turn"):
        turns.write(conversation=conversation, number=5, text="More.", now=NOON)


def test_other_answers_replace_the_first_and_are_counted(
    conversation: Conversation, rosa: Rater
) -> None:
    turn = answered(conversation)
    first = set(turn.item.responses.all())

    assert turns.regenerate(lease=turn.lease, rater=rosa, round_number=1, now=NOON)
    assert not turns.regenerate(lease=turn.lease, rater=rosa, round_number=1, now=NOON)
    turn = answered(conversation)

    assert (turn.round, turn.n_regenerated) == (2, 1)
    assert turn.item.responses.count() == 2
    assert first.isdisjoint(turn.item.responses.all())


def test_an_interrupted_conversation_keeps_its_turns_and_goes_on(
    conversation: Conversation, campaign: Campaign, rosa: Rater
) -> None:
    rated(answered(conversation))
    slot = Slot.objects.get(item=conversation.item)
    slots.release(lease=lease_of(slot), rater=rosa, now=NOON)
    with pytest.raises(UnableToConverse, match="no longer reserved"):
        turns.write(conversation=conversation, number=2, text="More.", now=NOON)

    taken: Conversation | None = None
    while taken is None or taken != conversation:
        taken = started(campaign=campaign, rater=rosa, now=NOON + timedelta(hours=1))
        if taken != conversation:
            held = Slot.objects.get(item=taken.item)
            slots.skip(lease=lease_of(held), rater=rosa, reason="technical", now=NOON)

    turns.write(conversation=taken, number=2, text="More.", now=NOON)
    assert taken.n_turns == 1
    assert taken.turns.count() == 2


def test_a_turn_is_neither_corrected_nor_undone(conversation: Conversation, rosa: Rater) -> None:
    turn = answered(conversation)
    rated(turn)
    answer = ComparisonAnswer(ranks={0: 1, 1: 1})

    with pytest.raises(UnableToSubmit, match="can't be changed"):
        correct.correct(lease=turn.lease, rater=rosa, version=1, answer=answer, now=NOON)
    with pytest.raises(undo.UnableToUndo, match="can't be undone"):
        undo.undo(lease=turn.lease, rater=rosa, draft={}, now=NOON)


def test_nobody_rates_another_raters_turn(conversation: Conversation, raul: Rater) -> None:
    turn = answered(conversation)

    with pytest.raises(UnableToConverse):
        turns.rate(
            lease=turn.lease,
            rater=raul,
            round_number=1,
            answer=ComparisonAnswer(ranks={0: 1}),
            now=NOON,
        )


def test_two_raters_talk_about_the_same_opening_each_with_answers_of_their_own(
    day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, n_items=1, overlap=2)
    hers, his = (started(campaign=campaign, rater=rater) for rater in (rosa, raul))

    for conversation in (hers, his):
        rated(answered(conversation))

    assert turn_of(hers).prompt == turn_of(his).prompt
    assert turn_of(hers).item != turn_of(his).item
    assert Judgment.of_people.filter(counting.counts()).count() == 2


def test_a_free_opening_begins_with_the_raters_own_message(
    day_shift: Pool, guideline: Guideline, rosa: Rater
) -> None:
    free = TalkSettings(opening=ConversationPlan.Opening.FREE, min_turns=1)
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline, settings=free)
    conversation = started(campaign=campaign, rater=rosa)
    assert not conversation.turns.exists()

    turns.write(conversation=conversation, number=1, text="Why is the sky blue?", now=NOON)

    turn = turn_of(conversation)
    assert turn.prompt.messages == [{"role": "user", "content": "Why is the sky blue?"}]
    assert turn.prompt.split == conversation.item.prompt.split


def test_every_turn_stays_in_the_split_of_its_opening(conversation: Conversation) -> None:
    rated(answered(conversation))
    turns.write(conversation=conversation, number=2, text="Now something else.", now=NOON)

    opening, later = conversation.item.prompt, turn_of(conversation).prompt
    assert (later.split, later.cluster) == (opening.split, opening.cluster)
    assert later.keys.exists()


def test_an_edit_that_keeps_a_hidden_name_is_refused(conversation: Conversation) -> None:
    turn = answered(conversation)

    with pytest.raises(UnableToSubmit, match="name that is hidden"):
        rated(turn, edit=Edit(position=0, text="I am [name hidden], and it is zero."))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"conversation": None}, "Choose the models"),
        ({"settings": ConversationSettings(n_responses=5)}, "from 2 to 4"),
        ({"settings": ConversationSettings()}, "from 2 to 4"),
    ],
)
def test_a_campaign_that_nobody_could_talk_in_is_refused(
    day_shift: Pool, guideline: Guideline, fields: dict[str, object], sentence: str
) -> None:
    plan = Plan([SourceShare(model_source("one"))])
    values = {"conversation": plan, "settings": ConversationSettings(n_responses=2)} | fields

    with pytest.raises(campaigns_services.UnableToCreateCampaign, match=sentence):
        campaigns_services.create_campaign(
            name="Talk",
            pool=day_shift,
            guideline=guideline,
            prompts=some_prompts(1),
            by=None,
            now=NOON,
            **values,  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (TalkSettings(min_turns=5, max_turns=4), "Maximum turns"),
        (TalkSettings(max_turns=51), "1 to 50"),
        (TalkSettings(max_new_tokens=0), "4,096"),
    ],
)
@pytest.mark.django_db
def test_a_plan_says_what_is_wrong_with_it(settings: TalkSettings, sentence: str) -> None:
    plan = Plan([SourceShare(model_source("one"))], settings)

    assert sentence in plan.problem()


@pytest.mark.django_db
def test_only_models_answer() -> None:
    people = Source.objects.create(name="a person", kind=Source.Kind.PERSON)

    assert "Only models" in Plan([SourceShare(people)]).problem()
