"""A tab that shows what is no longer there: what it posts is of what was seen, or refused with a
sentence and what was typed.
"""

import form_browser
import pytest
from django.test import Client

from labeling.conversations import turns
from labeling.models import (
    Campaign,
    Conversation,
    ConversationPlan,
    Draft,
    Judgment,
    Rater,
)
from tests.cast import NOON
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import answered, rated, turn_of
from tests.labeling.desk.conversations.test_conversation_pages import (
    begun,
    pages_of_turn,
    rating,
)
from tests.labeling.desk.posting import SignedIn

OTHERS = "these are other answers than those you have rated"


@pytest.fixture
def client(campaign: Campaign, rosa: Rater, signed_in: SignedIn) -> Client:
    """Rosa, whose conversation has answers of round 1 in one tab and of round 2 in another."""
    client = signed_in(rosa)
    begun(client, campaign)
    conversation = Conversation.objects.get()
    answered(conversation, "Old one.", "Old two.")
    client.post(f"{pages_of_turn()}regenerate", {"round": "1"})
    answered(conversation, "New one.", "New two.")
    return client


def form_of(client: Client, turn: str) -> form_browser.Form:
    page = form_browser.Page(turn, 200, client.get(turn).content.decode())
    return page.form(f"{turn}submit")


@pytest.mark.parametrize("step", ["submit", "review", "edit", "stop"])
def test_a_ranking_of_answers_no_longer_shown_is_refused_with_the_new_ones(
    client: Client, step: str
) -> None:
    posted = rating(round="1", step=step, reason="Because of this.", edit="Mine.", edit_of="B")

    answer = client.post(f"{pages_of_turn()}submit", posted)

    assert not Judgment.of_people.exists()
    assert answer.status_code == 422
    page = words(answer)
    assert OTHERS in page
    assert "New one." in page
    assert "Old one." not in page
    for kept in ("Because of this.", "Mine."):
        assert kept in answer.content.decode()
    assert "checked" not in answer.content.decode().split("desk-bar")[0]


def test_the_page_with_javascript_goes_to_the_new_answers_with_the_sentence(client: Client) -> None:
    turn = pages_of_turn()
    posted = rating(round="1", reason="Because of this.")

    answer = client.post(f"{turn}submit", posted, headers={"X-Desk": "fragment"})

    assert answer.json() == {"next": turn}
    page = client.get(turn)
    assert OTHERS in words(page)
    assert "Because of this." in page.content.decode()
    assert Draft.objects.get().content["fields"]["round"] == ["2"]
    assert not Judgment.of_people.exists()


def test_while_other_answers_are_written_the_old_ones_cannot_be_rated(client: Client) -> None:
    turn = pages_of_turn()
    client.post(f"{turn}regenerate", {"round": "2"})

    answer = client.post(f"{turn}submit", rating(round="2", reason="Kept?"), follow=True)

    assert OTHERS in words(answer)
    assert "Waiting for the answers" in words(answer)
    answered(Conversation.objects.get())
    assert "Kept?" in client.get(turn).content.decode()
    assert not Judgment.of_people.exists()


def test_ranks_of_earlier_answers_are_not_filled_in_beside_the_new_ones(client: Client) -> None:
    turn = pages_of_turn()
    client.post(f"{turn}submit", rating(round="2", step="draft", reason="A thought."))
    assert form_of(client, turn).values["preference"] == ["B"]

    client.post(f"{turn}regenerate", rating(round="2", reason="A thought."))
    answered(Conversation.objects.get())

    values = form_of(client, turn).values
    assert values["reason"] == ["A thought."]
    assert "preference" not in values
    assert values["round"] == ["3"]


def test_the_answers_shown_are_named_even_when_no_others_may_be_asked_for(client: Client) -> None:
    turn = pages_of_turn()
    for number in range(2, turns.MAX_REGENERATED + 1):
        client.post(f"{turn}regenerate", {"round": str(number)})
        answered(Conversation.objects.get())

    page = client.get(turn).content.decode()
    assert "Other answers" not in page
    client.post(f"{turn}submit", rating(round=turns.MAX_REGENERATED + 1))

    assert Judgment.of_people.exists()


def test_a_stale_tab_that_asks_for_other_answers_gets_those_that_came(client: Client) -> None:
    answer = client.post(f"{pages_of_turn()}regenerate", {"round": "1"}, follow=True)

    assert "Other answers have come already." in words(answer)
    assert turn_of(Conversation.objects.get()).round == 2


def test_a_turn_rated_in_another_tab_says_that_the_first_rating_counts(client: Client) -> None:
    turn = pages_of_turn()
    client.post(f"{turn}submit", rating(round="2"))

    answer = client.post(f"{turn}submit", rating(round="2", **{"rank-A": 1}), follow=True)

    assert "This turn was already saved. The first rating counts." in words(answer)
    assert Judgment.of_people.count() == 1


def test_two_requests_at_once_are_told_apart_by_the_round(client: Client) -> None:
    """What the page could not see yet: the service asks again under its lock."""
    turn = turn_of(Conversation.objects.get())
    turn.round = 1

    with pytest.raises(turns.OtherAnswersShown):
        rated(turn, now=NOON)


# --- messages and the end -------------------------------------------------------------------------


@pytest.fixture
def address(campaign: Campaign, rosa: Rater, signed_in: SignedIn) -> str:
    """Of Rosa's conversation, whose first turn is rated."""
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())
    return address


@pytest.mark.parametrize("has_answers", [False, True])
def test_a_second_tabs_message_is_shown_back_and_kept_for_the_next_turn(
    address: str, rosa: Rater, signed_in: SignedIn, has_answers: bool
) -> None:
    client = signed_in(rosa)
    client.post(f"{address}write", {"number": 2, "text": "One second."})
    if has_answers:
        answered(Conversation.objects.get())

    answer = client.post(f"{address}write", {"number": 2, "text": "ANOTHER second."})

    assert answer.status_code == 422
    page = words(answer)
    assert "Turn 2 has begun with another message of yours" in page
    assert "ANOTHER second." in page
    assert Conversation.objects.get().turns.count() == 2
    if not has_answers:
        answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())
    form = form_browser.Page("", 200, client.get(address).text).form(f"{address}write")
    assert form.values["text"] == ["ANOTHER second."]
    assert form.values["number"] == ["3"]


def test_after_that_turn_is_rated_too_the_message_is_ready_to_be_sent_as_the_next(
    address: str, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(f"{address}write", {"number": 2, "text": "One second."})
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())

    answer = client.post(f"{address}write", {"number": 2, "text": "ANOTHER second."})

    assert answer.status_code == 422
    form = form_browser.Page("", 200, answer.text).form(f"{address}write")
    assert (form.values["number"], form.values["text"]) == (["3"], ["ANOTHER second."])


def test_a_message_to_a_conversation_that_is_finished_is_shown_back(
    address: str, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    ConversationPlan.objects.update(min_turns=1)
    client.post(f"{address}finish", {"last_turn": "1"})

    answer = client.post(f"{address}write", {"number": 2, "text": "One second."})

    assert answer.status_code == 422
    assert "This conversation is finished." in words(answer)
    assert "One second." in words(answer)


def test_finishing_in_a_tab_that_does_not_show_the_last_message_is_refused(
    address: str, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    ConversationPlan.objects.update(min_turns=1)
    stale = form_browser.Page("", 200, client.get(address).text).form(f"{address}finish").values
    client.post(f"{address}write", {"number": 2, "text": "One second."})
    answered(Conversation.objects.get())

    said = {"goal_rating": "6", "remark": "Fine."}
    answer = client.post(f"{address}finish", stale | said)

    assert answer.status_code == 422
    assert "You have sent another message since" in words(answer)
    assert Conversation.objects.get().state == Conversation.State.OPEN
    form = form_browser.Page("", 200, answer.text).form(f"{address}finish")
    assert form.values["remark"] == ["Fine."]
    client.post(f"{address}finish", form.values)
    assert Conversation.objects.get().state == Conversation.State.FINISHED


# --- corrections ----------------------------------------------------------------------------------


def test_a_turn_is_not_offered_for_correction_and_its_form_answers_with_the_sentence(
    address: str, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    lease = Judgment.of_people.get().lease

    assert "/correct" not in client.get("/my-work/").text
    for answer in (
        client.get(f"/desk/item/{lease}/correct"),
        client.post(f"/desk/item/{lease}/correct", rating(version="1")),
    ):
        assert answer.status_code == 409
        assert "because the conversation went on from it" in words(answer)
    assert Judgment.of_people.get().version == 1
