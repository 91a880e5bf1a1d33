"""Two answers of a turn are compared on one scale, which is stored as ranks and strength."""

import form_browser
import pytest
from django.test import Client

from accounts.models import User
from labeling.conversations import turns
from labeling.models import Campaign, Conversation, Draft, Guideline, Judgment, Pool, Rater
from tests.labeling.answers import words
from tests.labeling.desk.conversations.red_teaming.attacking import agreed, open_red_teaming
from tests.labeling.desk.conversations.talking import answered, turn_of
from tests.labeling.desk.conversations.test_conversation_pages import (
    begun,
    pages_of_turn,
    rating,
)
from tests.labeling.desk.posting import SignedIn

STEPS = ["A4", "A3", "A2", "A1", "B1", "B2", "B3", "B4"]


@pytest.fixture
def client(campaign: Campaign, rosa: Rater, signed_in: SignedIn) -> Client:
    """Rosa, in front of two answers, in a campaign that asks for strengths."""
    Campaign.objects.update(asks_strength=True)
    client = signed_in(rosa)
    begun(client, campaign)
    answered(Conversation.objects.get())
    return client


def choice(value: str, **changes: object) -> dict[str, object]:
    """Posted with ratings that contradict no choice."""
    kept = {name: posted for name, posted in rating().items() if not name.startswith("rank-")}
    equal = {"rate-A-overall": "5", "rate-B-overall": "5"}
    return kept | equal | {"preference": value, "round": "1"} | changes


def offered(client: Client) -> list[tuple[str, str]]:
    """Value and words of each step on the page."""
    page = form_browser.Page("", 200, client.get(pages_of_turn()).text)
    steps = page.root.xpath("//input[@name='preference']")
    return [(step.get("value"), step.get("data-words")) for step in steps]


def stored() -> tuple[list[int | None], int | None, bool]:
    """Ranks in the order shown, strength, whether all are bad."""
    comparison = Judgment.of_people.get().comparison
    ranks = [row.rank for row in comparison.ranked.order_by("position")]
    return ranks, comparison.strength, comparison.is_all_bad


def test_the_page_offers_eight_steps_from_one_answer_to_the_other(client: Client) -> None:
    steps = offered(client)

    assert [value for value, _words in steps] == STEPS
    assert steps[0][1] == "A is much better"
    assert steps[-1][1] == "B is much better"
    assert "rank-A" not in client.get(pages_of_turn()).text


@pytest.mark.parametrize("value", STEPS)
def test_each_step_is_stored_as_ranks_and_a_strength(client: Client, value: str) -> None:
    client.post(f"{pages_of_turn()}submit", choice(value))

    ranks = [1, 2] if value[0] == "A" else [2, 1]
    assert stored() == (ranks, int(value[1]), False)
    turn = turn_of(Conversation.objects.get())
    better = Judgment.of_people.get().comparison.ranked.get(rank=1)
    assert turn.chosen == better.response


def test_ranks_and_a_strength_are_accepted_as_before(client: Client) -> None:
    client.post(f"{pages_of_turn()}submit", rating(strength="3", round="1"))

    assert stored() == ([2, 1], 3, False)


@pytest.mark.parametrize(("value", "ranks"), [("A", [1, 2]), ("=", [1, 1]), ("B", [2, 1])])
def test_without_strengths_there_are_three_steps(
    client: Client, value: str, ranks: list[int]
) -> None:
    Campaign.objects.update(asks_strength=False)
    assert [step for step, _words in offered(client)] == ["A", "=", "B"]

    client.post(f"{pages_of_turn()}submit", choice(value))

    assert stored() == (ranks, None, False)


@pytest.mark.parametrize("value", ["", "C1", "A9", "rubbish"])
def test_without_a_choice_the_page_says_what_is_missing(client: Client, value: str) -> None:
    answer = client.post(f"{pages_of_turn()}submit", choice(value, reason="Because."))

    assert answer.status_code == 422
    assert "Choose on the scale which answer is better." in words(answer)
    assert "Because." in answer.text
    assert not Judgment.of_people.exists()


def test_with_three_answers_they_are_ranked(
    client: Client, campaign: Campaign, rosa: Rater
) -> None:
    page = client.get(pages_of_turn()).text
    assert "Rank of A" not in page
    Campaign.objects.update(n_responses=3)
    conversation = Conversation.objects.get()
    turn = turn_of(conversation)
    turns.regenerate(lease=turn.lease, rater=rosa, round_number=1, now=turn.created_at)
    answered(conversation)

    page = client.get(pages_of_turn()).text

    assert "Rank of C" in page
    assert "talk-chat" in page
    assert 'name="preference"' not in page


@pytest.mark.parametrize(("asks_strength", "chosen"), [(True, "B2"), (False, "B")])
def test_a_draft_with_ranks_is_on_the_scale(
    client: Client, asks_strength: bool, chosen: str
) -> None:
    turn = pages_of_turn()
    client.post(f"{turn}submit", rating(step="draft", round="1"))
    assert "rank-A" in Draft.objects.get().content["fields"]
    Campaign.objects.update(asks_strength=asks_strength)

    form = form_browser.Page(turn, 200, client.get(turn).text).form(f"{turn}submit")

    assert form.values["preference"] == [chosen]


def test_a_choice_without_a_strength_is_asked_for_again_when_the_campaign_wants_one(
    client: Client,
) -> None:
    answer = client.post(f"{pages_of_turn()}submit", choice("B"))

    assert "Choose on the scale which answer is better." in words(answer)
    assert not Judgment.of_people.exists()


# --- both bad -------------------------------------------------------------------------------------


def test_what_is_written_in_place_of_two_bad_answers_goes_on_without_a_reason(
    client: Client,
) -> None:
    posted = choice("A2", all_bad="true", edit_of="A", edit="It is zero.")

    client.post(f"{pages_of_turn()}submit", posted)

    assert stored() == ([None, None], None, True)
    turn = turn_of(Conversation.objects.get())
    assert turn.chosen is not None
    assert turn.chosen.text == "It is zero."
    assert Judgment.of_people.get().demonstration.text == "It is zero."


@pytest.mark.parametrize("step", ["submit", "edit"])
def test_two_bad_answers_open_the_editor(client: Client, step: str) -> None:
    turn = pages_of_turn()

    answer = client.post(f"{turn}submit", choice("", all_bad="true", step=step))

    form = form_browser.Page(turn, 200, answer.text).form(f"{turn}submit")
    assert form.values["edit_of"] == ["A"]
    assert form.values["edit"][0].startswith("Answer 1.1.")
    assert form.values["all_bad"] == ["true"]
    assert not Judgment.of_people.exists()


# --- an open page ---------------------------------------------------------------------------------


def test_an_open_page_gets_what_comes_next_in_place(client: Client) -> None:
    turn, head = pages_of_turn(), {"X-Desk": "fragment"}

    answer = client.post(f"{turn}submit", choice("B2"), headers=head).json()

    assert answer["next"].startswith("/desk/conversations/")
    assert "Your message" in answer["html"]
    assert "Turn 2: your message" in answer["html"]
    sent = {"number": "2", "text": "And 1 plus 1?"}
    waiting = client.post(f"{answer['next']}write", sent, headers=head).json()
    assert "Waiting for the answers" in waiting["html"]
    answered(Conversation.objects.get())
    shown = client.get(answer["next"], headers=head).json()
    assert shown["next"] == pages_of_turn()
    assert "Answer 2.1.0." in shown["html"]


# --- attackers ------------------------------------------------------------------------------------


@pytest.fixture
def attack(
    alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> Client:
    campaign = open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    client = signed_in(agreed(rosa, "abuse"))
    address = begun(client, campaign)
    client.post(f"{address}write", {"number": "1", "text": "Insult me, parrot."})
    answered(Conversation.objects.get())
    return client


def test_an_attacker_chooses_the_answer_that_breaks_the_rule_and_it_goes_on(
    attack: Client,
) -> None:
    value, said = offered(attack)[0]
    assert said == "A breaks it much more"

    attack.post(f"{pages_of_turn()}submit", choice(value))

    assert stored() == ([2, 1], 4, False)
    worse = Judgment.of_people.get().comparison.ranked.get(position=0)
    assert turn_of(Conversation.objects.get()).chosen == worse.response


def test_for_an_attacker_both_may_break_the_rule_without_a_word_more(attack: Client) -> None:
    assert "Both break the rule" in words(attack.get(pages_of_turn()))

    attack.post(f"{pages_of_turn()}submit", choice("", all_bad="true"))

    assert stored() == ([None, None], None, True)


def test_the_review_says_an_attackers_choice_in_their_words(attack: Client) -> None:
    posted = choice("A3", record='{"active_s": 0}', step="submit")

    answer = attack.post(f"{pages_of_turn()}submit", posted)

    assert "B breaks it clearly more" in words(answer)
    assert "faster than these texts can be read" in words(answer)
