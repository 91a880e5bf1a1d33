"""Conversations by keyboard only: with answers that a test gives, and with a worker that answers
with SmolLM2.
"""

from collections.abc import Callable, Iterator
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
    Judgment,
    Pool,
    Rater,
    Slot,
)
from tests.browser.desk.hands import focused, press, rank_all, rate_all, skip_pause
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
IN_A_FIELD = "document.activeElement.id"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talk(day_shift: Pool, guideline: Guideline) -> Campaign:
    return open_conversation_campaign(
        pool=day_shift, guideline=guideline, settings=TalkSettings(min_turns=1, max_turns=4)
    )


def begin(page: Page) -> None:
    """From the desk into the first turn, by keys."""
    go_to(page, "Start")
    press(page, "Enter")
    page.wait_for_selector(".desk-talk[data-mounted]")
    expect(page.get_by_role("button", name="Start conversation")).to_be_focused()
    press(page, "Control+Enter")


def wait_for_answers(page: Page, *, number: int) -> None:
    page.wait_for_url("**/desk/turns/**", timeout=SLOW_MS)
    page.wait_for_selector(".desk[data-mounted]")
    expect(page).to_have_title(f"Turn {number}: the answers · Talk · Preferably")
    expect(page.get_by_text("The answers are there.")).to_be_attached()
    assert focused(page) == "A/text"


def submit(page: Page) -> None:
    press(page, "Control+Enter")
    expect(page.locator("[data-review]")).to_be_visible()
    press(page, "Control+Enter")
    page.wait_for_url("**/desk/conversations/**")
    page.wait_for_selector(".desk-talk[data-mounted]")


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

    rate_all(page, 6, 5)
    rank_all(page, 2, 1)
    submit(page)
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
    page.wait_for_selector(".desk-talk[data-mounted]")

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
    rate_all(page, 6, 3)
    rank_all(page, 1, 2)
    press(page, "m", "3")
    submit(page)
    say(page, "Say that in other words.")

    wait_for_answers(page, number=2)
    rate_all(page, 4, 4)
    rank_all(page, 1, 1)
    submit(page)
    say(page, "Are you sure?")

    wait_for_answers(page, number=3)
    press(page, "x")
    page.keyboard.insert_text("Neither answers the question.")
    press(page, "Escape", "w", "Control+A")
    page.keyboard.insert_text("Yes, I am sure.")
    submit(page)
    say(page, "Thank you.")

    wait_for_answers(page, number=4)
    rate_all(page, 2, 7)
    rank_all(page, 2, 1)
    submit(page)
    press(page, "7", "Control+Enter")
    page.wait_for_url("**/desk/")

    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.goal_rating) == ("finished", 7)
    turns = list(conversation.turns.order_by("number"))
    assert [turn.state for turn in turns] == [ConversationTurn.State.RATED] * 4
    for turn in turns:
        judgment = Judgment.objects.get(item=turn.item)
        assert judgment.comparison is not None
        assert turn.item.responses.count() == 2
    for turn, following in pairwise(turns):
        assert turn.chosen is not None
        said = {"role": "assistant", "content": turn.chosen.text}
        assert following.prompt.messages[:-1] == [*turn.prompt.messages, said]
    assert [_ranks(turn) for turn in turns] == [[1, 2], [1, 1], [], [2, 1]]
    assert turns[2].chosen is not None
    assert turns[2].chosen.text == "Yes, I am sure."
    last = turns[3]
    best = Judgment.objects.get(item=last.item).comparison.ranked.get(rank=1)
    assert last.chosen == best.response


def _ranks(turn: ConversationTurn) -> list[int | None]:
    ranked = Judgment.objects.get(item=turn.item).comparison.ranked.order_by("position")
    return [each.rank for each in ranked if each.rank is not None]
