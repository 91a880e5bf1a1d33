"""Conversations by keyboard only: with answers that a test gives, and with a worker that answers
with SmolLM2.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.campaigns.conversation_plan import SourceShare
from labeling.conversations import requests
from labeling.kinds.conversation import TalkSettings
from labeling.models import (
    Campaign,
    Conversation,
    ConversationTurn,
    Guideline,
    GuidelineVersion,
    Judgment,
    Pool,
    Rater,
    Slot,
)
from tests.browser.desk.hands import focused, press, rate_all, skip_pause
from tests.browser.test_by_keys_alone import go_to
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    rated,
    started,
    turn_of,
)
from tests.training.conftest import NOW
from tests.training.playground.test_trying import is_there
from tests.training.runs.processes import processes, until
from training.playground.chat_protocol import Channel
from training.registry import services as registry_services

OpenPage = Callable[..., Page]
SLOW_MS = 240_000
"""What a real worker may take on a machine that does ten things."""
MESSAGE = "#id_text"
TALK = ".desk[data-kind=talk][data-mounted]"
ANSWERS = ".desk[data-scale][data-mounted]"
CHAT = ".talk-chat"

ANSWER = "Brine freezes at **−21 °C**, water at 0 °C."
OTHER = "Salt makes the road hot."
READ_MS = 2_100
"""What reading the two takes, by the warning of answers that come too fast."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talk(day_shift: Pool, guideline: Guideline) -> Campaign:
    return open_conversation_campaign(
        pool=day_shift,
        guideline=guideline,
        settings=TalkSettings(min_turns=1, max_turns=4),
        asks_strength=True,
    )


def begin(page: Page) -> None:
    """From the desk into the first turn, by keys."""
    go_to(page, "Start")
    press(page, "Enter")
    page.wait_for_selector(TALK)
    expect(page.get_by_role("button", name="Start conversation")).to_be_focused()
    press(page, "Control+Enter")


def wait_for_answers(page: Page, *, number: int, name: str = "Talk") -> None:
    page.wait_for_url("**/desk/turns/**", timeout=SLOW_MS)
    page.wait_for_selector(ANSWERS)
    expect(page).to_have_title(f"Turn {number}: the answers · {name} · Preferably")
    expect(page.get_by_text("The answers are there.")).to_be_attached()
    assert focused(page) == "A/text"


def choose(page: Page, *keys: str) -> None:
    """By keys, and on to the message."""
    page.wait_for_timeout(READ_MS)
    press(page, *keys, "Enter")
    page.wait_for_url("**/desk/conversations/**")
    page.wait_for_selector(TALK)


def rate(page: Page, *scores: int) -> None:
    """Of A and B; then the focus is back on the text of A."""
    rate_all(page, *scores)
    press(page, "a")


def place_of_chat(page: Page) -> dict[str, float]:
    box = page.locator(CHAT).bounding_box()
    assert box is not None
    return {**box, "scrolled": page.evaluate("scrollY")}


def say(page: Page, text: str) -> None:
    expect(page.locator(MESSAGE)).to_be_focused()
    page.keyboard.insert_text(text)
    press(page, "Control+Enter")


def test_the_keys_of_the_help_write_send_ask_for_others_and_finish(
    open_page: OpenPage, rosa: Rater, talk: Campaign, look_over: Callable[[Page, str], None]
) -> None:
    page = open_page("/desk/", rosa)
    begin(page)
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    expect(page).to_have_title("Turn 1: waiting for the answers · Talk · Preferably")
    look_over(page, "conversation-waiting")
    answered(Conversation.objects.get())
    wait_for_answers(page, number=1)
    press(page, "o")
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    assert turn_of(Conversation.objects.get()).n_regenerated == 1
    answered(Conversation.objects.get())
    wait_for_answers(page, number=1)

    rate(page, 6, 5)
    choose(page, "4")
    expect(page.locator(MESSAGE)).to_be_focused()
    look_over(page, "conversation-message")
    press(page, "Escape", "f", "6")
    expect(page.get_by_role("radio", name="6", exact=True)).to_be_checked()
    press(page, "w")
    expect(page.locator(MESSAGE)).to_be_focused()
    press(page, "Escape", "s")
    expect(page.get_by_role("button", name="Stop for now")).to_be_focused()
    press(page, "?")
    expect(page.locator("dialog#keys")).to_contain_text("Questions at the end")
    press(page, "Escape", "f", "Control+Enter")

    page.wait_for_url("**/desk/**")
    expect(page.get_by_text("Conversation saved.")).to_be_visible()
    conversation = Conversation.objects.get(state="finished")
    assert (conversation.n_turns, conversation.goal_rating) == (1, 6)


@pytest.mark.parametrize("width", [1440, 390])
def test_two_turns_by_keys_alone_and_the_chat_keeps_its_place(
    open_page: OpenPage,
    rosa: Rater,
    talk: Campaign,
    look_over: Callable[[Page, str], None],
    width: int,
) -> None:
    """One key and Enter a turn, when the form asks for nothing more."""
    page = open_page("/desk/", rosa, width=width, height=900)
    GuidelineVersion.objects.update(form={"questions": []})
    begin(page)
    expect(page.locator("[data-seconds]")).to_have_text(re.compile(r"^[1-9]\d* s$"))
    places = [place_of_chat(page)]
    page.evaluate("window.isSamePage = true")
    answered(Conversation.objects.get(), ANSWER, OTHER)
    wait_for_answers(page, number=1)
    places.append(place_of_chat(page))
    press(page, "3", "ArrowRight", "ArrowRight")
    expect(page.locator("[data-line]")).to_have_text("B is barely better")
    expect(page.get_by_role("radio", name="B is barely better")).to_be_focused()
    look_over(page, f"conversation-answers-{width}")
    choose(page, "3")

    expect(page.locator(MESSAGE)).to_be_focused()
    expect(page.locator(".talk-turn").last).to_be_in_viewport()
    places.append(place_of_chat(page))
    look_over(page, f"conversation-message-{width}")
    say(page, "And in winter?")
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    expect(page.locator(".talk-turn").last).to_contain_text("And in winter?")
    places.append(place_of_chat(page))
    answered(Conversation.objects.get(), OTHER, ANSWER)
    wait_for_answers(page, number=2)
    places.append(place_of_chat(page))
    choose(page, "8")
    places.append(place_of_chat(page))

    assert places == [places[0]] * 6
    assert page.evaluate("window.isSamePage")
    judged = Judgment.of_people.order_by("pk").values_list("comparison__strength", flat=True)
    assert list(judged) == [2, 4]
    assert [_ranks(turn) for turn in ConversationTurn.objects.order_by("pk")] == [[1, 2], [2, 1]]
    page.go_back()
    page.wait_for_selector(TALK)
    expect(page.locator(MESSAGE)).to_be_focused()


def test_both_bad_opens_the_editor_and_a_step_takes_it_back(
    open_page: OpenPage, rosa: Rater, talk: Campaign
) -> None:
    conversation = started(campaign=talk, rater=rosa, now=timezone.now())
    turn = answered(conversation, ANSWER, OTHER, now=timezone.now())
    page = open_page(f"/desk/turns/{turn.lease}/", rosa)

    press(page, "x")
    expect(page.locator("#edit")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == page.locator("#edit").input_value()
    page.keyboard.insert_text("Better.")
    press(page, "Escape", "7")
    expect(page.get_by_role("checkbox", name="Both bad")).not_to_be_checked()
    expect(page.locator("[data-line]")).to_have_text("B is clearly better")
    press(page, "x", "Escape")
    expect(page.locator("#edit")).to_have_value("Better.")
    rate(page, 2, 2)
    page.wait_for_timeout(READ_MS)
    press(page, "Control+Enter")

    page.wait_for_selector(TALK)
    expect(page.locator(".talk-turn").last).to_contain_text("Better.")
    assert Judgment.of_people.get().comparison.is_all_bad


def test_a_turn_goes_without_scripts(open_page: OpenPage, rosa: Rater, talk: Campaign) -> None:
    now = timezone.now() - timedelta(minutes=1)
    turn = answered(started(campaign=talk, rater=rosa, now=now), ANSWER, OTHER, now=now)
    page = open_page(f"/desk/turns/{turn.lease}/", rosa, java_script_enabled=False)

    page.get_by_role("radio", name="A is much better").check(force=True)
    for letter in "AB":
        scale = page.get_by_role("group", name=f"Rating of {letter}")
        scale.get_by_role("radio", name="5", exact=True).check(force=True)
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Your message")).to_be_visible()
    assert Judgment.of_people.get().comparison.strength == 4


def test_a_message_that_is_half_written_is_there_in_another_window(
    open_page: OpenPage, rosa: Rater, talk: Campaign
) -> None:
    conversation = started(campaign=talk, rater=rosa, now=timezone.now())
    answered(conversation)
    rated(turn_of(conversation), now=timezone.now())
    lease = Slot.objects.get(item=conversation.item).lease
    page = open_page(f"/desk/conversations/{lease}/", rosa)
    page.clock.install()
    page.reload()
    page.wait_for_selector(TALK)

    page.keyboard.insert_text("And in winter?")
    skip_pause(page)
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    phone = open_page(f"/desk/conversations/{lease}/", rosa, width=390, height=844)
    expect(phone.locator(MESSAGE)).to_have_value("And in winter?")

    press(page, "Control+Enter")
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    answered(conversation, now=timezone.now())
    rated(turn_of(conversation), now=timezone.now())
    page.goto(f"/desk/conversations/{lease}/")
    expect(page.locator(MESSAGE)).to_have_value("")


def test_a_failed_turn_and_one_without_a_worker_say_so(
    open_page: OpenPage, rosa: Rater, talk: Campaign, look_over: Callable[[Page, str], None]
) -> None:
    page = open_page("/desk/", rosa)
    begin(page)
    expect(page.get_by_text("Waiting for the answers")).to_be_visible()
    turn = turn_of(Conversation.objects.get())
    turn.requests.update(created_at=NOW)
    expect(page.get_by_text("No model is answering right now. You can wait")).to_be_visible()
    while claimed := requests.claim(turn_id=turn.pk, now=timezone.now()):
        for one in claimed:
            requests.give_up(pk=one.pk, attempt=one.attempt, error="Away.", now=timezone.now())

    expect(page.get_by_role("button", name="Try again")).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    look_over(page, "conversation-failed-390")
    press(page, "Control+Enter")

    expect(page.get_by_text("Waiting for the answers")).to_be_visible()


@pytest.fixture
def smollm2(
    tmp_path: Path,
    smollm2_folder: Path,
    settings: LazySettings,
    noor: User,
    day_shift: Pool,
    guideline: Guideline,
) -> Iterator[Campaign]:
    """A campaign with SmolLM2, and the worker that answers with it."""
    model = registry_services.register_model(
        name="SmolLM2",
        kind="policy",
        location=str(smollm2_folder),
        licence="Apache-2.0",
        by=noor,
        now=NOW,
    )
    assert model.source is not None
    with processes(tmp_path) as running:
        running.start_models_worker(settings.REDIS_URL)
        until(is_there, "the worker announces itself")
        yield open_conversation_campaign(
            pool=day_shift,
            guideline=guideline,
            shares=[SourceShare(model.source)],
            settings=TalkSettings(min_turns=4, max_turns=4, max_new_tokens=8),
            n_items=1,
            asks_strength=True,
        )
    with Channel() as channel:
        for name in channel.workers():
            channel.remove_worker(worker=name)


@pytest.mark.slow
def test_four_turns_with_smollm2_by_keyboard_alone(
    open_page: OpenPage, rosa: Rater, smollm2: Campaign
) -> None:
    page = open_page("/desk/", rosa)

    begin(page)
    wait_for_answers(page, number=1)
    rate(page, 6, 3)
    choose(page, "2")
    say(page, "Say that in other words.")

    wait_for_answers(page, number=2)
    rate(page, 4, 4)
    choose(page, "ArrowLeft")
    say(page, "Are you sure?")

    wait_for_answers(page, number=3)
    press(page, "x")
    page.keyboard.insert_text("Yes, I am sure.")
    page.wait_for_timeout(READ_MS)
    press(page, "Control+Enter")
    page.wait_for_url("**/desk/conversations/**")
    say(page, "Thank you.")

    wait_for_answers(page, number=4)
    rate(page, 2, 7)
    choose(page, "8")
    press(page, "7", "Control+Enter")
    page.wait_for_url("**/desk/")

    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.goal_rating) == ("finished", 7)
    turns = list(conversation.turns.order_by("number"))
    assert [turn.state for turn in turns] == [ConversationTurn.State.RATED] * 4
    for turn in turns:
        judgment = Judgment.of_people.get(item=turn.item)
        assert judgment.comparison is not None
        assert turn.item.responses.count() == 2
    for turn, following in pairwise(turns):
        assert turn.chosen is not None
        said = {"role": "assistant", "content": turn.chosen.text}
        assert following.prompt.messages[:-1] == [*turn.prompt.messages, said]
    assert [_ranks(turn) for turn in turns] == [[1, 2], [1, 2], [], [2, 1]]
    assert turns[2].chosen is not None
    assert turns[2].chosen.text == "Yes, I am sure."
    last = turns[3]
    best = Judgment.of_people.get(item=last.item).comparison.ranked.get(rank=1)
    assert last.chosen == best.response


def _ranks(turn: ConversationTurn) -> list[int | None]:
    ranked = Judgment.of_people.get(item=turn.item).comparison.ranked.order_by("position")
    return [each.rank for each in ranked if each.rank is not None]
