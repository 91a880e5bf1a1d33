"""A conversation in the browser: where each reload leads, what is posted, what is never shown."""

import re
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.test import Client
from django.utils import timezone

from labeling.conversations import requests
from labeling.models import (
    Campaign,
    Conversation,
    ConversationPlan,
    Draft,
    Guideline,
    Judgment,
    Pool,
    Rater,
    Response,
    Slot,
    Source,
    TurnRequest,
)
from labeling.queue.claiming.work_left import FAILED_LATELY, UNCLAIMED
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    turn_of,
)
from tests.labeling.desk.posting import SignedIn, comparison
from training.models import Endpoint, TrainedModel


def begun(client: Client, campaign: Campaign) -> str:
    """The address of a conversation that has begun."""
    item = client.post(f"/desk/{campaign.pk}/next")["Location"]
    address = client.get(item)["Location"]
    assert client.post(f"{address}start")["Location"] == address
    return str(address)


def rating(**changes: object) -> dict[str, object]:
    """B is better than A; slightly, where the campaign asks for that."""
    posted = comparison()
    kept = {name: value for name, value in posted.items() if not re.search("-[CD]", name)}
    return kept | {"strength": "2"} | changes


def pages_of_turn() -> str:
    turn = turn_of(Conversation.objects.get())
    return f"/desk/turns/{turn.lease}/"


def test_a_conversation_goes_from_its_opening_to_its_end(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    assert "Waiting for the answers" in words(client.get(address))

    for number in (1, 2):
        answered(Conversation.objects.get())
        turn = client.get(address)["Location"]
        assert f"Turn {number} of at most 4" in words(client.get(turn))
        after = client.post(f"{turn}submit", rating())
        assert after["Location"] == address
        if number == 1:
            assert "You can finish after 1 more turn." in words(client.get(address))
            assert client.post(f"{address}finish").status_code == 422
            client.post(f"{address}write", {"number": 2, "text": "And 1 plus 1?"})
    client.post(f"{address}finish", {"goal_rating": "6", "remark": "Fine."})

    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.n_turns) == (Conversation.State.FINISHED, 2)
    assert conversation.goal_rating == 6
    assert Judgment.of_people.count() == 2
    assert Slot.objects.get(item=conversation.item).state == Slot.State.SUBMITTED
    assert client.get(address)["Location"] == "/desk/"


def test_the_page_reads_like_the_conversation_so_far(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get(), "Zero.", "Zero.")
    client.post(f"{pages_of_turn()}submit", rating())

    page = words(client.get(address))

    assert "Question" in page
    assert "Zero." in page
    assert "Your message" in page


def test_an_empty_message_is_refused_and_nothing_begins(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())

    answer = client.post(f"{address}write", {"number": 2, "text": "  "})

    assert answer.status_code == 422
    assert "The message is empty" in words(answer)
    assert Conversation.objects.get().turns.count() == 1


def test_two_bad_answers_ask_for_an_edit(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    begun(client, campaign)
    answered(Conversation.objects.get())

    answer = client.post(f"{pages_of_turn()}submit", rating(all_bad="true", reason="Wrong."))

    assert "Choose which answer to continue with" in words(answer)
    assert not Judgment.of_people.exists()


def test_other_answers_are_asked_for_on_the_page(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())
    turn = pages_of_turn()
    assert "Other answers" in words(client.get(turn))

    assert client.post(f"{turn}regenerate", {"round": "1"})["Location"] == address

    assert "Waiting for the answers" in words(client.get(address))


def test_what_is_polled_is_the_same_whichever_answer_came_first(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    """The same bytes and headers before any answer, and with one at either side."""
    client = signed_in(rosa)
    address = begun(client, campaign)
    turn = turn_of(Conversation.objects.get())
    polled = [client.get(f"{address}answers")]
    first, second = requests.claim(turn_id=turn.pk, now=timezone.now())
    polled.append(client.get(f"{address}answers"))
    requests.answer(pk=second.pk, attempt=1, text="B", is_ended=True, now=timezone.now())
    polled.append(client.get(f"{address}answers"))
    TurnRequest.objects.filter(pk=second.pk).update(
        state=TurnRequest.State.CLAIMED, response=None, expires_at=timezone.now()
    )
    requests.answer(pk=first.pk, attempt=1, text="A", is_ended=True, now=timezone.now())
    polled.append(client.get(f"{address}answers"))

    # Every response of the site has a request id of its own.
    heads = [{**answer.headers, "X-Request-ID": ""} for answer in polled]
    assert {answer.content for answer in polled} == {polled[0].content}
    assert heads == [heads[0]] * 4


def test_when_all_answers_are_there_the_page_goes_to_them(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())

    assert client.get(f"{address}answers")["HX-Redirect"] == address
    assert client.get(address)["Location"] == pages_of_turn()


def test_when_nobody_answers_the_page_says_so(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    TurnRequest.objects.update(created_at=timezone.now() - UNCLAIMED - timedelta(seconds=1))

    page = words(client.get(f"{address}answers"))

    assert "No model is answering right now" in page
    assert client.post(f"/desk/item/{address.split('/')[-2]}/release")["Location"] == "/desk/"


def test_the_rating_form_is_asked_about_the_whole_conversation_if_the_campaign_does(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    ConversationPlan.objects.update(rates_end=True, min_turns=1)
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())
    assert "Overall" in words(client.get(address))

    refused = client.post(f"{address}finish", {"goal_rating": "6"})
    too_high = client.post(f"{address}finish", {"end-overall": "8"})
    client.post(f"{address}finish", {"end-overall": "5", "end-hallucination": "on"})

    assert refused.status_code == too_high.status_code == 422
    assert "Answer “Overall”." in words(refused)
    assert Conversation.objects.get().ratings == {"overall": 5, "hallucination": True}


def test_the_desk_offers_other_work_while_no_model_answers(
    campaign: Campaign,
    comparison_campaign: Campaign,
    rosa: Rater,
    raul: Rater,
    signed_in: SignedIn,
) -> None:
    begun(signed_in(rosa), campaign)
    client = signed_in(raul)
    sentence = "No conversation right now"
    assert sentence not in words(client.get("/desk/"))

    TurnRequest.objects.update(created_at=timezone.now() - UNCLAIMED - timedelta(seconds=1))
    desk = words(client.get("/desk/"))

    assert sentence in desk
    assert f"/desk/{comparison_campaign.pk}/next" in desk
    assert f"/desk/{campaign.pk}/next" not in desk
    answered(Conversation.objects.get())
    assert f"/desk/{campaign.pk}/next" in words(client.get("/desk/"))


def test_after_a_failed_turn_the_desk_lets_somebody_try_again_in_a_while(
    campaign: Campaign, rosa: Rater, raul: Rater, signed_in: SignedIn
) -> None:
    begun(signed_in(rosa), campaign)
    turns = Conversation.objects.get().turns
    turns.update(state="failed", created_at=timezone.now())
    client = signed_in(raul)

    assert "No conversation right now" in words(client.get("/desk/"))
    turns.update(created_at=timezone.now() - FAILED_LATELY)

    assert "No conversation right now" not in words(client.get("/desk/"))


def test_a_failed_turn_can_be_tried_again(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = begun(client, campaign)
    turn = turn_of(Conversation.objects.get())
    while claimed := requests.claim(turn_id=turn.pk, now=timezone.now()):
        for one in claimed:
            requests.give_up(pk=one.pk, attempt=one.attempt, error="Away.", now=timezone.now())

    assert "Try again" in words(client.get(address))
    client.post(f"{pages_of_turn()}regenerate", {"round": "1"})

    assert "Waiting for the answers" in words(client.get(address))


def test_no_page_shows_who_answered(
    day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    """Ids start at a number that appears nowhere else, and answers name themselves."""
    with connection.cursor() as cursor:
        for table in ("response", "item", "itemresponse", "prompt", "source", "turnrequest"):
            cursor.execute(f"ALTER SEQUENCE labeling_{table}_id_seq RESTART WITH 7654321")
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    for number, source in enumerate(Source.objects.filter(kind="model")):
        Source.objects.filter(pk=source.pk).update(name=f"Zebra-9B-{number}")
    client = signed_in(rosa)
    address = begun(client, campaign)
    conversation = Conversation.objects.get()
    answered(conversation, "I am Zebra-9B-0, an AI.", "I'm Claude, made by Anthropic.")
    turn = pages_of_turn()

    answers = [
        client.get(turn),
        client.get(f"{turn}diff?of=A&to=B"),
        client.post(f"{turn}submit", rating(step="review")),
        client.post(f"{turn}submit", rating(step="edit")),
        client.post(f"{turn}submit", rating()),
        client.get(address),
        client.get(turn),
        client.get(f"/desk/item/{turn.split('/')[-2]}/"),
    ]
    client.post(f"{address}write", {"number": 2, "text": "Who are you?"})
    answers += [client.get(address), client.get(f"{address}answers")]

    for answer in answers:
        page = page_of(answer)
        for told in ("Zebra", "Claude", "Anthropic", "7654"):
            assert told not in page, answer.request["PATH_INFO"]
    assert "Claude" in str(list(Response.objects.values_list("text", flat=True)))


def test_a_turn_is_nobody_elses(
    conversation: Conversation, raul: Rater, signed_in: SignedIn
) -> None:
    answered(conversation)
    other = signed_in(raul)
    turn = pages_of_turn()
    opening = Slot.objects.get(item=conversation.item).lease

    gets = [turn, f"{turn}guideline", f"/desk/conversations/{opening}/"]
    posts = [f"{turn}submit", f"{turn}regenerate", f"{turn}skip", f"{turn}release"]

    assert {other.get(address).status_code for address in gets} == {404}
    assert {other.post(address).status_code for address in posts} == {404}


def test_a_draft_of_a_rating_comes_back_after_a_reload(
    conversation: Conversation, rosa: Rater, signed_in: SignedIn
) -> None:
    answered(conversation)
    client, turn = signed_in(rosa), pages_of_turn()

    draft = {"revision": 1, "fields": {"reason": ["B is shorter."]}}
    client.post(f"{turn}draft", draft, content_type="application/json")

    assert "B is shorter." in words(client.get(turn))


def test_a_half_written_message_is_shown_again_and_gone_when_the_conversation_ends(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    ConversationPlan.objects.update(min_turns=1)
    client = signed_in(rosa)
    address = begun(client, campaign)
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating())

    draft = {"revision": 1, "fields": {"text-2": ["And in winter?"]}}
    saving = address.replace("conversations", "item")
    client.post(f"{saving}draft", draft, content_type="application/json")

    assert "And in winter?" in words(client.get(address))
    client.post(f"{address}finish")
    assert not Draft.objects.filter(rater=rosa).exists()


def test_the_lease_lives_while_a_turn_is_open(
    conversation: Conversation, rosa: Rater, signed_in: SignedIn
) -> None:
    answered(conversation)
    client = signed_in(rosa)

    answer = client.post(f"{pages_of_turn()}heartbeat")

    assert answer.json()["expires_in_s"] > 0


def test_a_stopped_conversation_is_gone_on_with(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    begun(client, campaign)
    answered(Conversation.objects.get())
    client.post(f"{pages_of_turn()}submit", rating(step="stop"))
    assert not Slot.objects.filter(state=Slot.State.LEASED).exists()

    address = begun(client, campaign)
    while not Conversation.objects.filter(item__slots__lease=_lease(address)).exists():
        address = begun(client, campaign)

    assert Judgment.of_people.count() == 1


def _lease(address: str) -> UUID:
    return UUID(address.split("/")[-2])


def test_a_free_opening_shows_its_topic_and_asks_for_the_first_message(
    day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    ConversationPlan.objects.update(
        opening=ConversationPlan.Opening.FREE, brief="Find out what it knows of sums."
    )
    client = signed_in(rosa)

    address = begun(client, campaign)
    page = words(client.get(address))

    assert "Topic: Question" in page
    assert "Find out what it knows of sums." in page
    assert "Your message" in page
    client.post(f"{address}write", {"number": 1, "text": "Hello."})
    assert "Waiting for the answers" in words(client.get(address))


def test_my_work_lists_a_turn_without_a_way_to_change_it(
    campaign: Campaign, rosa: Rater, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    begun(client, campaign)
    answered(Conversation.objects.get())
    turn = pages_of_turn()
    client.post(f"{turn}submit", rating())

    stored = words(client.get(f"/desk/item/{turn.split('/')[-2]}/"))

    assert client.get("/my-work/").status_code == 200
    assert "You submitted this answer" in stored
    assert "Correct this answer" not in stored


def test_registered_and_served_names_of_the_campaigns_models_are_hidden_in_the_history_too(
    day_shift: Pool, guideline: Guideline, rosa: Rater, signed_in: SignedIn
) -> None:
    campaign = open_conversation_campaign(pool=day_shift, guideline=guideline)
    first, second = Source.objects.filter(kind="model").order_by("pk")
    rosie = TrainedModel.objects.create(
        name="Rosie-7B", kind="policy", location="https://llm.example.org/v1", source=first
    )
    Endpoint.objects.create(model=rosie, url=rosie.location, served_name="acme/Zorro-v3")
    TrainedModel.objects.create(
        name="sft-12", kind="policy", location="/models/Heron-1.7B", source=second
    )
    told = "Rosie-7B here; zorro-v3, sft-12 and Heron-1.7B are alike. Go on."
    client = signed_in(rosa)
    address = begun(client, campaign)

    answered(Conversation.objects.get(), told, told)
    turn = pages_of_turn()
    pages = [client.get(turn).text]
    client.post(f"{turn}submit", rating())
    pages.append(client.get(address).text)
    pages.append(client.get(f"/desk/item/{turn.split('/')[-2]}/").text)

    for page in pages:
        assert "are alike. Go on." in page
        for name in ("Rosie", "orro-v3", "sft-12", "Heron"):
            assert name not in page
